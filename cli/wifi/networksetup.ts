import { ProvError } from "../errors.js";
import { type CommandRunner, runCommand } from "./command.js";
import type { ApTarget, HostWifi, JoinedAp, RestoreReport } from "./host-wifi.js";
import { type NetworksetupEntry, removeJournal, writeJournal } from "./journal.js";
import {
  type MacWifiState,
  parseAirport,
  parseJoinFailure,
  parsePreferred,
  parseWifiDevice,
} from "./networksetup-parse.js";
import { checkPassphrase } from "./passphrase.js";
import { hostSession } from "./session.js";
import { abortsAs, apNotFound, DEFAULT_BASE_URL, joinTooSlow, pause } from "./wait.js";

export interface NetworksetupOptions {
  /** Where the restore journal goes. */
  stateDir: string;
  iface?: string;
  run?: CommandRunner;
  pollIntervalMs?: number;
}

const RESTORE_LIMIT_MS = 45_000;
const SCAN_TOO_SLOW = { code: "ap_not_found", message: "the scan took too long" } as const;

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
export function networksetupWifi(options: NetworksetupOptions): HostWifi {
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
    scan: (signal) =>
      abortsAs(
        signal,
        SCAN_TOO_SLOW,
        async () => (await readState(await open(signal))).accessPoints,
      ),
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

async function readState({ run, iface, signal }: Omit<Context, "stateDir">): Promise<MacWifiState> {
  const args = ["SPAirPortDataType", "-json"];
  const { stdout } = await run({ file: "system_profiler", args, signal });
  const state = parseAirport(stdout, iface);
  if (state === null) throw new ProvError("wifi_no_adapter", `there is no WiFi adapter ${iface}`);
  if (state.isOff) {
    throw new ProvError("wifi_radio_off", "WiFi is switched off", {
      hint: `networksetup -setairportpower ${iface} on`,
    });
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
  return state;
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
    previousSsid: await currentSsid(context),
  };
  writeJournal(stateDir, entry);
  begin(entry);
  for (;;) {
    const failure = await associate(context, target.ssid, password);
    if (failure === null) return { ssid: target.ssid, baseUrl: DEFAULT_BASE_URL };
    if (failure.code !== "ap_not_found") throw failure;
    await pause(context.pollIntervalMs, signal);
    if (signal.aborted) throw new ProvError("ap_not_found", apNotFound(target.ssid).message);
  }
}

/** The current network's name, where macOS tells it; being told nothing is no failure here. */
async function currentSsid(context: Context): Promise<string | null> {
  const args = ["SPAirPortDataType", "-json"];
  const { stdout } = await context.run({ file: "system_profiler", args, signal: context.signal });
  return parseAirport(stdout, context.iface)?.ssid ?? null;
}

/** networksetup(8): "Any flag that takes a password will accept - to read it from stdin". */
async function associate(
  context: Context,
  ssid: string,
  password: string,
): Promise<ProvError | null> {
  const { run, iface, signal } = context;
  const args = ["-setairportnetwork", iface, ssid];
  const result = await run(
    password === ""
      ? { file: "networksetup", args, signal }
      : { file: "networksetup", args: [...args, "-"], stdin: `${password}\n`, signal },
  );
  const name = JSON.stringify(ssid);
  switch (parseJoinFailure(`${result.stdout}${result.stderr}`)) {
    case null:
      return null;
    case "not_found":
      return new ProvError("ap_not_found", `macOS does not see ${name}`);
    case "refused":
      return new ProvError("ap_wrong_password", `${name} refused the password`);
    case "other":
      return new ProvError("wifi_failed", `macOS could not join ${name}: ${result.stdout.trim()}`);
  }
}

/** Restores what a journal entry says and removes the journal once that succeeded. Never throws. */
export async function restoreAndForgetMac(
  run: CommandRunner,
  stateDir: string,
  entry: NetworksetupEntry,
  options: { pollIntervalMs?: number; limitMs?: number } = {},
): Promise<RestoreReport> {
  const signal = AbortSignal.timeout(options.limitMs ?? RESTORE_LIMIT_MS);
  const context = { run, stateDir, iface: entry.iface, signal };
  try {
    const report = await restore(
      { ...context, pollIntervalMs: options.pollIntervalMs ?? 2000 },
      entry,
    );
    if (report.restored) removeJournal(stateDir);
    return report;
  } catch (error) {
    const why = error instanceof ProvError ? error.message : "it took too long";
    return {
      changed: true,
      restored: false,
      network: null,
      message: `could not restore the WiFi: ${why}; choose your network in the menu bar`,
    };
  }
}

async function restore(context: Context, entry: NetworksetupEntry): Promise<RestoreReport> {
  const { run, iface, signal, pollIntervalMs } = context;
  const networksetup = (...args: string[]) => run({ file: "networksetup", args, signal });
  if (!entry.wasPreferred) {
    await networksetup("-removepreferredwirelessnetwork", iface, entry.ssid);
  }
  await networksetup("-setairportpower", iface, "off");
  await networksetup("-setairportpower", iface, "on");
  while (!signal.aborted) {
    const args = ["SPAirPortDataType", "-json"];
    const { stdout } = await run({ file: "system_profiler", args, signal });
    const state = parseAirport(stdout, iface);
    const isBack = entry.previousSsid === null || state?.ssid === entry.previousSsid;
    if (state?.isConnected && isBack) {
      const message =
        entry.previousSsid === null
          ? "WiFi was switched off and on, so that macOS chose its network by itself"
          : `back on ${JSON.stringify(entry.previousSsid)}`;
      return { changed: true, restored: true, network: state.ssid, message };
    }
    await pause(pollIntervalMs, signal);
  }
  throw new ProvError("wifi_failed", "macOS has not joined a network again");
}
