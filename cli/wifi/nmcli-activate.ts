import { ProvError } from "../errors.js";
import { type CommandResult, type CommandRunner, SECRET_PATH } from "./command.js";
import { passwdFileLine, stripControls } from "./nmcli-parse.js";

const PSK = "802-11-wireless-security.psk";
/** A handshake can fail on a bad link; a second failure in a row is taken for a wrong password. */
const HANDSHAKES = 2;

/**
 * `nmcli … up` with the password on a descriptor. nmcli answers every request for it from there, so
 * with a wrong one it would try again until its own time is up (recorded: `Timeout expired`). The
 * adapter's states tell sooner: it first needs authentication because the profile holds no password,
 * and once more after each failed handshake.
 * @throws ProvError ap_wrong_password, besides what the signal's reason is
 */
export async function activateWithPassword(
  run: CommandRunner,
  iface: string,
  upArgs: readonly string[],
  password: string,
  signal: AbortSignal | undefined,
): Promise<CommandResult> {
  const end = new AbortController();
  const signals = signal === undefined ? [end.signal] : [end.signal, signal];
  const either = AbortSignal.any(signals);
  let requests = 0;
  const onLine = (line: string) => {
    if (!stripControls(line).includes("need authentication")) return;
    requests += 1;
    if (requests > HANDSHAKES) end.abort(new ProvError("ap_wrong_password", REFUSED));
  };
  const monitor = run({
    file: "nmcli",
    args: ["device", "monitor", iface],
    onLine,
    signal: either,
  });
  const watched = monitor.catch(() => undefined); // it only ever ends by being ended
  try {
    return await run({
      file: "nmcli",
      args: [...upArgs, "passwd-file", SECRET_PATH],
      secret: passwdFileLine(PSK, password),
      signal: either,
    });
  } finally {
    end.abort(new ProvError("interrupted", "the activation has ended"));
    await watched;
  }
}

const REFUSED = `the AP refused the password ${HANDSHAKES} times`;
