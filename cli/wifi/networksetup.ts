import { ProvError } from "../errors.js";
import { deadline } from "../time/deadline.js";
import { abortsAs, pause } from "../time/wait.js";
import { apNotFound, DEFAULT_BASE_URL, joinTooSlow, SCAN_TOO_SLOW } from "./access-point.js";
import { type CommandRunner, runCommand } from "./command.js";
import type { AccessPoint, ApTarget, HostWifi, JoinedAp, RestoreReport } from "./host-wifi.js";
import { type NetworksetupEntry, removeJournal, writeJournal } from "./journal.js";
import {
  isForgotten,
  type JoinFailure,
  type MacWifiState,
  parseAirport,
  parseJoinFailure,
  parsePreferred,
  parseWifiDevice,
} from "./networksetup-parse.js";
import { checkPassphrase } from "./passphrase.js";
import {
  type AdapterOptions,
  backOn,
  hostSession,
  orNotRestored,
  RESTORE_LIMIT_MS,
} from "./session.js";

/** How often a join is tried whose failure macOS does not explain. */
const UNCLEAR_ATTEMPTS = 3;

interface Context {
  run: CommandRunner;
  stateDir: string;
  iface: string;
  signal: AbortSignal;
  pollIntervalMs: number;
}

/**
 * The host's WiFi on macOS, with the tools that come with it. macOS has no temporary profiles: the
 * AP is taken off the list of preferred networks again, and when the name of the previous network
 * is hidden (macOS 15), switching WiFi off and on lets macOS choose it by itself.
 */
export function networksetupWifi(options: AdapterOptions): HostWifi {
  const { stateDir, run = runCommand, pollIntervalMs = 2000 } = options;
  const session = hostSession((entry: NetworksetupEntry) =>
    restoreAndForgetMac(run, stateDir, entry, { pollIntervalMs }),
  );
  const open = async (signal: AbortSignal): Promise<Context> => {
    const iface = options.iface ?? (await findDevice(run, signal));
    return { run, stateDir, iface, signal, pollIntervalMs };
  };
  return {
    kind: "networksetup",
    scan: (signal) => abortsAs(signal, SCAN_TOO_SLOW, async () => scan(await open(signal))),
    join: (target, password, { signal: outer }) =>
      session.run(outer, (signal) =>
        abortsAs(signal, joinTooSlow(target.ssid), async () => {
          checkPassphrase(password);
          return join(await open(signal), target, password ?? "", session.begin);
        }),
      ),
    leave: session.leave,
  };
}

async function findDevice(run: CommandRunner, signal: AbortSignal): Promise<string> {
  const { stdout } = await run({ file: "networksetup", args: ["-listallhardwareports"], signal });
  const device = parseWifiDevice(stdout);
  if (device !== null) return device;
  throw new ProvError("wifi_no_adapter", "this Mac has no WiFi adapter");
}

/** Null where system_profiler does not list the adapter. */
async function readState({ run, iface, signal }: Context): Promise<MacWifiState | null> {
  const args = ["SPAirPortDataType", "-json"];
  const { stdout } = await run({ file: "system_profiler", args, signal });
  const state = parseAirport(stdout, iface);
  if (state?.isOff) {
    throw new ProvError("wifi_radio_off", "WiFi is switched off", {
      hint: `networksetup -setairportpower ${iface} on`,
    });
  }
  return state;
}

async function scan(context: Context): Promise<AccessPoint[]> {
  const state = await readState(context);
  if (state === null) {
    throw new ProvError("wifi_no_adapter", `there is no WiFi adapter ${context.iface}`);
  }
  if (state.isRedacted) {
    throw new ProvError(
      "wifi_not_permitted",
      "macOS hides the names of networks from this program",
      {
        hint: "Allow the terminal Location Services (System Settings, Privacy), or name the AP with --ap SSID.",
      },
    );
  }
  return state.accessPoints;
}

async function join(
  context: Context,
  target: ApTarget,
  password: string,
  begin: (entry: NetworksetupEntry) => void,
): Promise<JoinedAp> {
  const { run, stateDir, iface, signal } = context;
  const preferred = await run({
    file: "networksetup",
    args: ["-listpreferredwirelessnetworks", iface],
    signal,
  });
  const entry: NetworksetupEntry = {
    kind: "networksetup",
    iface,
    ssid: target.ssid,
    wasPreferred: parsePreferred(preferred.stdout).includes(target.ssid),
    // Being told no name is no failure here.
    previousSsid: (await readState(context))?.ssid ?? null,
  };
  writeJournal(stateDir, entry);
  begin(entry);
  let unclearAttempts = 0;
  for (;;) {
    const failure = await associate(context, target.ssid, password);
    if (failure === null) break;
    if (failure.isUnclear) unclearAttempts += 1;
    else if (failure.error.code !== "ap_not_found") throw failure.error;
    await pause(context.pollIntervalMs, signal);
    if (failure.isUnclear && (await hasJoined(context, target.ssid))) break;
    if (unclearAttempts === UNCLEAR_ATTEMPTS) throw failure.error;
    if (signal.aborted) throw new ProvError("ap_not_found", apNotFound(target.ssid).message);
  }
  return { ssid: target.ssid, baseUrl: DEFAULT_BASE_URL };
}

/** A hidden name cannot be compared; whether the Mac is on the board then shows at its address. */
async function hasJoined(context: Context, ssid: string): Promise<boolean> {
  const state = await readState(context);
  return state?.isConnected === true && (state.ssid === null || state.ssid === ssid);
}

interface AssociateFailure {
  error: ProvError;
  /** The Mac may have joined all the same. */
  isUnclear: boolean;
}

/** networksetup(8): "Any flag that takes a password will accept - to read it from stdin". */
async function associate(
  context: Context,
  ssid: string,
  password: string,
): Promise<AssociateFailure | null> {
  const { run, iface, signal } = context;
  const args = ["-setairportnetwork", iface, ssid];
  const result = await run(
    password === ""
      ? { file: "networksetup", args, signal }
      : { file: "networksetup", args: [...args, "-"], stdin: `${password}\n`, signal },
  );
  const text = `${result.stdout}${result.stderr}`.trim();
  const failure = parseJoinFailure(text) ?? (result.code === 0 ? null : "other");
  if (failure === null) return null;
  return { error: joinError(failure, { iface, ssid, text }), isUnclear: failure === "unclear" };
}

function joinError(
  failure: JoinFailure,
  { iface, ssid, text }: { iface: string; ssid: string; text: string },
): ProvError {
  const name = JSON.stringify(ssid);
  switch (failure) {
    case "not_found":
      return new ProvError("ap_not_found", `macOS does not see ${name}`);
    case "refused":
      return new ProvError("ap_wrong_password", `${name} refused the password`);
    case "no_adapter":
      return new ProvError("wifi_no_adapter", `there is no WiFi adapter ${iface}`);
    case "not_permitted":
      return new ProvError("wifi_not_permitted", `macOS does not allow joining ${name}: ${text}`, {
        hint: "Run as an administrator of this Mac.",
      });
    case "unclear":
      return new ProvError("ap_unreachable", `macOS did not get into ${name}: ${text}`, {
        hint: "macOS does not say why: check softAp.password in the manifest, and move closer.",
      });
    case "other":
      return new ProvError("wifi_failed", `macOS could not join ${name}: ${text}`);
  }
}

/** Restores what a journal entry says and removes the journal once that succeeded. Never throws. */
export async function restoreAndForgetMac(
  run: CommandRunner,
  stateDir: string,
  entry: NetworksetupEntry,
  options: { pollIntervalMs?: number; limitMs?: number } = {},
): Promise<RestoreReport> {
  const signal = deadline(options.limitMs ?? RESTORE_LIMIT_MS);
  const pollIntervalMs = options.pollIntervalMs ?? 2000;
  return orNotRestored("the WiFi", "; choose your network in the menu bar", async () => {
    const context = { run, stateDir, iface: entry.iface, signal, pollIntervalMs };
    const report = await restore(context, entry);
    removeJournal(stateDir);
    return report;
  });
}

async function restore(context: Context, entry: NetworksetupEntry): Promise<RestoreReport> {
  const { run, iface, signal, pollIntervalMs } = context;
  const networksetup = async (...args: string[]) => {
    const { code, stdout, stderr } = await run({ file: "networksetup", args, signal });
    return { failed: code !== 0, text: `${stdout}${stderr}`.trim() };
  };
  let leftover = "";
  if (!entry.wasPreferred) {
    const { text } = await networksetup("-removepreferredwirelessnetwork", iface, entry.ssid);
    if (!isForgotten(text)) {
      leftover = `; ${JSON.stringify(entry.ssid)} is still among the known networks (${text})`;
    }
  }
  for (const power of ["off", "on"]) {
    const { failed, text } = await networksetup("-setairportpower", iface, power);
    if (failed || text.startsWith("** Error")) {
      throw new ProvError("wifi_not_permitted", `macOS did not switch WiFi ${power}: ${text}`);
    }
  }
  while (!signal.aborted) {
    const args = ["SPAirPortDataType", "-json"];
    const { stdout } = await run({ file: "system_profiler", args, signal });
    const state = parseAirport(stdout, iface);
    const isBack = entry.previousSsid === null || state?.ssid === entry.previousSsid;
    if (state?.isConnected && isBack) {
      const idle = "WiFi was switched off and on, so that macOS chose its network by itself";
      const report = backOn(entry.previousSsid, idle);
      return { ...report, network: state.ssid, message: report.message + leftover };
    }
    await pause(pollIntervalMs, signal);
  }
  throw new ProvError("wifi_failed", "macOS has not joined a network again");
}
