import type { ScannedNetwork } from "../device/device-api.js";
import { ProvError } from "../errors.js";
import { asTask } from "../terminal/progress.js";
import { abortsAs } from "../time/wait.js";
import { type Attempt, TOO_LATE } from "./attempt.js";
import type { Credentials, ScannedBoard } from "./board.js";
import type { JoinedBoard } from "./join.js";

/** Below this the board's own connection is unlikely to last. */
const WEAK_SIGNAL_DBM = -80;

/**
 * What the board sees; warns when the network to join is missing or weak. A board that cannot scan now can still join.
 * @throws ProvError usage when the network's security is not what was given: the board would try for a minute and
 * close its AP meanwhile, so nothing is sent
 */
export async function scanNetworks(board: JoinedBoard, attempt: Attempt): Promise<ScannedBoard> {
  const { progress, credentials, inTime } = attempt;
  const { ssid } = credentials;
  let networks: readonly ScannedNetwork[];
  try {
    networks = await asTask(progress, "scan", () =>
      abortsAs(inTime, TOO_LATE, () => board.api.scan(inTime)),
    );
  } catch (error) {
    if (!(error instanceof ProvError) || error.code !== "scan_failed") throw error;
    progress.warn(error.message);
    return { ...board, networks: [] };
  }
  const target = networks.find((network) => network.ssid === ssid);
  if (!target)
    progress.warn(`the board does not see "${ssid}" (hidden, out of range or 5 GHz only?)`);
  else if (target.rssi < WEAK_SIGNAL_DBM)
    progress.warn(`"${ssid}" is weak at the board: ${target.rssi} dBm`);
  refuseOtherSecurity(target, credentials);
  return { ...board, networks };
}

function refuseOtherSecurity(
  target: ScannedNetwork | undefined,
  { ssid, password }: Credentials,
): void {
  if (target === undefined || target.secure === (password !== "")) return;
  throw target.secure
    ? new ProvError("usage", `"${ssid}" has a password, as the board sees it; nothing was sent`, {
        hint: "Leave --open out and give the password.",
      })
    : new ProvError("usage", `"${ssid}" has no password, as the board sees it; nothing was sent`, {
        hint: "Is that the network you mean? If it is, use --open; wifi.allowOpen in the manifest has to be true.",
      });
}
