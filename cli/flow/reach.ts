import type { DeviceManifest } from "../../codegen/manifest.js";
import { type ErrorCode, ProvError } from "../errors.js";
import { asTask } from "../terminal/progress.js";
import { deadline } from "../time/deadline.js";
import { statusPatienceMs } from "./broker-proof.js";
import type { BrokerAccess } from "./broker-session.js";
import { findLiveStatus, type Look } from "./broker-witness.js";
import { type JoinedBoard, type JoinRequest, joinBoard } from "./join.js";
import { howToReset, type LiveDevice, liveByBroker } from "./online-already.js";
import { WONDER_MS } from "./timeouts.js";

export interface ReachRequest extends JoinRequest {
  /** How the broker can be watched, when it can. */
  readonly broker?: BrokerAccess;
  /** The board's serial port, where one is known. */
  readonly port?: string;
  /** Bound on the look at the broker, which goes on when the search for the AP has ended. */
  readonly lookMs: number;
  /** How long no AP is seen before people are told what that may mean, where nobody can look; default 5 s. */
  readonly wonderMs?: number;
}

/** How an adapter says that the AP is not there; the manual one only knows that nobody answers. */
const NO_AP: ReadonlySet<ErrorCode> = new Set(["ap_not_found", "ap_unreachable"]);

/**
 * Finds the board's AP and joins it, and looks at the broker meanwhile: a device that is online has no AP.
 * @returns the joined board, or the device that was seen to be online; the host's WiFi is its caller's to put back
 * @throws ProvError of the join stage, with what is known of the device
 */
export async function joinOrFindOnline(request: ReachRequest): Promise<JoinedBoard | LiveDevice> {
  const { broker, signal } = request;
  if (!broker) return joinUnwatched(request);
  const search = new AbortController();
  const looking = new AbortController();
  let isApSeen = false;
  const until = deadline(request.lookMs, signal, looking.signal);
  const patienceMs = statusPatienceMs(request.manifest);
  const look = findLiveStatus(broker, request.manifest.id, patienceMs, until).then((found) => {
    // An AP that is there is the surer way: it may be about to close, and the join tells.
    if ("proof" in found && !isApSeen)
      search.abort(onlineInstead(liveByBroker(found.proof), request.manifest, request.port));
    return found;
  });
  try {
    return await joinBoard({
      ...request,
      signal: AbortSignal.any([signal, search.signal]),
      onSeen: () => {
        isApSeen = true;
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ProvError)) throw error;
    // The host may be on an AP from which the broker is out of reach.
    await request.wifi.leave();
    const found = await lastOf(look, request);
    signal.throwIfAborted();
    if ("proof" in found) return liveByBroker(found.proof);
    throw explain(error, request, found.reason);
  } finally {
    looking.abort();
    await look;
  }
}

/** Nobody can tell whether the device is online: people learn while they wait what else the silence may mean. */
async function joinUnwatched(request: ReachRequest): Promise<JoinedBoard> {
  const wonder = setTimeout(
    () =>
      request.progress.note(
        "nothing of the board yet; a device that is online already has no AP, which the broker would tell (--mqtt-ca, --mqtt-cert, --mqtt-key)",
      ),
    request.wonderMs ?? WONDER_MS,
  );
  try {
    return await joinBoard({ ...request, onSeen: () => clearTimeout(wonder) });
  } catch (error) {
    throw explain(error, request);
  } finally {
    clearTimeout(wonder);
  }
}

/** The end of the look, shown as work only where it has to be waited for. */
async function lastOf(look: Promise<Look>, { progress, manifest }: ReachRequest): Promise<Look> {
  const already = await Promise.race([look, Promise.resolve(undefined)]);
  if (already) return already;
  const label = `wait for its status message, one every ${manifest.mqtt.statusIntervalSeconds} s`;
  return asTask(progress, label, () => look);
}

/** An AP that is not there may be that of a device without power, or of one that is online. */
function explain(
  error: unknown,
  { broker, port }: Pick<ReachRequest, "broker" | "port">,
  reason?: string,
): unknown {
  if (!(error instanceof ProvError) || !NO_AP.has(error.code)) return error;
  const { code, message, cause, details } = error;
  const known =
    reason === undefined ? "" : `; the broker does not know the device as online: ${reason}`;
  const others = broker
    ? ""
    : ", and so does the broker with --mqtt-ca, --mqtt-cert and --mqtt-key";
  const hint =
    "It has no power, is out of reach or not in AP_MODE; or it is online already, and then has no AP. " +
    `\`prov monitor --reset --port ${port ?? "PORT"}\` tells which${others}. ${howToReset(port)}`;
  return new ProvError(code, `${message}${known}`, { hint, cause, details });
}

/** What a command over the AP has to say of a device that is online. */
export function onlineInstead(
  { outcome }: LiveDevice,
  manifest: DeviceManifest,
  port: string | undefined,
): ProvError {
  const by = outcome.evidence.map(({ witness, detail }) => `${witness}: ${detail}`).join(", ");
  return new ProvError(
    "device_online",
    `${manifest.id} is online (${by}), and a device that is online has no AP; nothing was sent to it`,
    { hint: howToReset(port), details: { evidence: outcome.evidence } },
  );
}
