import { ProvError } from "../errors.js";
import { withTemporaryFile } from "../files/temporary.js";
import { deadline } from "../time/deadline.js";
import { abortsAs, pause, poll } from "../time/wait.js";
import { apNotFound, DEFAULT_BASE_URL, joinTooSlow, SCAN_TOO_SLOW } from "./access-point.js";
import { type CommandResult, type CommandRunner, runCommand } from "./command.js";
import type { AccessPoint, ApTarget, HostWifi, JoinedAp, RestoreReport } from "./host-wifi.js";
import { type NetshEntry, removeJournal, writeJournal } from "./journal.js";
import {
  parseInterfaces,
  parseNetworks,
  parseRefusal,
  profileXml,
  type WindowsInterface,
} from "./netsh-parse.js";
import { checkPassphrase } from "./passphrase.js";
import {
  type AdapterOptions,
  backOn,
  hostSession,
  orNotRestored,
  RESTORE_LIMIT_MS,
} from "./session.js";
import { newProfileName } from "./temporary-profile.js";

/** Windows never reports a failed connection; after this long without one it has failed. */
const CONNECT_LIMIT_MS = 20_000;

interface Context {
  run: CommandRunner;
  stateDir: string;
  iface: WindowsInterface;
  signal: AbortSignal;
  pollIntervalMs: number;
  connectLimitMs: number;
}

/** The host's WiFi on Windows, through `netsh wlan` and a temporary profile. */
export function netshWifi(options: AdapterOptions & { connectLimitMs?: number }): HostWifi {
  const { stateDir, run = runCommand, pollIntervalMs = 1000 } = options;
  const connectLimitMs = options.connectLimitMs ?? CONNECT_LIMIT_MS;
  const session = hostSession((entry: NetshEntry) =>
    restoreAndForgetWindows(run, stateDir, entry, { pollIntervalMs }),
  );
  const open = async (signal: AbortSignal): Promise<Context> => {
    const iface = await chooseInterface(run, options.iface, signal);
    return { run, stateDir, iface, signal, pollIntervalMs, connectLimitMs };
  };
  return {
    kind: "netsh",
    scan: (signal) =>
      abortsAs(signal, SCAN_TOO_SLOW, async () => {
        const { iface } = await open(signal);
        return showNetworks(run, iface, signal);
      }),
    join: (target, password, { signal: outer }) =>
      session.run(outer, (signal) =>
        abortsAs(signal, joinTooSlow(target.ssid), async () => {
          checkPassphrase(password);
          return join(await open(signal), target, password || null, session.begin);
        }),
      ),
    leave: session.leave,
  };
}

/**
 * The list that `parse` finds in what netsh shows. Only an empty one is a refusal: another adapter
 * may be off. Lists come in the console's code page; only UTF-8 keeps names whole.
 */
async function show<T>(
  run: CommandRunner,
  what: "interfaces" | "networks mode=bssid",
  signal: AbortSignal,
  parse: (stdout: string) => T[],
): Promise<T[]> {
  const line = `chcp 65001 >nul & netsh wlan show ${what}`;
  const result = await run({ file: "cmd.exe", args: ["/d", "/s", "/c", line], signal });
  const list = parse(result.stdout);
  if (list.length === 0) throwIfRefused(result, `show ${what}`);
  return list;
}

function showInterfaces(run: CommandRunner, signal: AbortSignal): Promise<WindowsInterface[]> {
  return show(run, "interfaces", signal, parseInterfaces);
}

function showNetworks(
  run: CommandRunner,
  iface: WindowsInterface,
  signal: AbortSignal,
): Promise<AccessPoint[]> {
  return show(run, "networks mode=bssid", signal, (stdout) => parseNetworks(stdout, iface.name));
}

/** @throws ProvError for what netsh says instead of doing it, whatever its exit status */
function throwIfRefused({ code, stdout, stderr }: CommandResult, what: string): void {
  const text = `${stdout}${stderr}`.trim();
  switch (parseRefusal(text)) {
    case "service_down":
      throw new ProvError("wifi_service_down", "Windows' WLAN AutoConfig service is not running", {
        hint: "Start it: net start wlansvc",
      });
    case "no_location":
      throw new ProvError("wifi_not_permitted", "Windows hides the WiFi: location is off", {
        hint:
          "Switch on Location services and desktop apps' access to it (start ms-settings:privacy-location), " +
          `or join the board's AP by hand and add --url ${DEFAULT_BASE_URL}`,
      });
    case "powered_down":
      throw new ProvError("wifi_radio_off", "WiFi is switched off");
    case "no_adapter":
      throw new ProvError("wifi_no_adapter", "Windows has no such WiFi adapter");
    case null:
      if (code === 0) return;
      throw new ProvError(
        /denied|elevat/i.test(text) ? "wifi_not_permitted" : "wifi_failed",
        `netsh wlan ${what} failed: ${text}`,
      );
  }
}

async function chooseInterface(
  run: CommandRunner,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<WindowsInterface> {
  const present = await showInterfaces(run, signal);
  const chosen = wanted === undefined ? present[0] : present.find(({ name }) => name === wanted);
  if (chosen === undefined) {
    const names = present.map(({ name }) => name).join(", ") || "none";
    throw new ProvError("wifi_no_adapter", `no such WiFi adapter (there are: ${names})`);
  }
  if (chosen.radioOn === false) throw new ProvError("wifi_radio_off", "WiFi is switched off");
  return chosen;
}

async function join(
  context: Context,
  target: ApTarget,
  password: string | null,
  begin: (entry: NetshEntry) => void,
): Promise<JoinedAp> {
  const { run, stateDir, iface, signal, pollIntervalMs: intervalMs } = context;
  const onTimeout = apNotFound(target.ssid);
  const seen = async () =>
    (await showNetworks(run, iface, signal)).find(({ ssid }) => ssid === target.ssid);
  const ap = await abortsAs(signal, onTimeout, () => poll(seen, { intervalMs, signal, onTimeout }));
  if (ap.secure && password === null) {
    throw new ProvError("ap_wrong_password", `${JSON.stringify(target.ssid)} needs a password`);
  }
  const profile = newProfileName();
  const entry = {
    kind: "netsh",
    iface: iface.name,
    profile,
    previousProfile: iface.profile,
  } as const;
  writeJournal(stateDir, entry);
  begin(entry);
  await addProfile(context, {
    name: profile,
    ssid: target.ssid,
    password: ap.secure ? password : null,
  });
  await netsh(context, "connect", `name=${profile}`, `interface=${iface.name}`);
  await waitConnected(context, target.ssid);
  return { ssid: target.ssid, baseUrl: DEFAULT_BASE_URL };
}

/** The profile goes to netsh in a private file that is deleted at once; never in an argument. */
async function addProfile(
  context: Context,
  profile: { name: string; ssid: string; password: string | null },
): Promise<void> {
  const iface = `interface=${context.iface.name}`;
  await withTemporaryFile("profile.xml", profileXml(profile), (file) =>
    netsh(context, "add", "profile", `filename=${file}`, iface, "user=current"),
  );
}

async function netsh(
  context: { run: CommandRunner; signal: AbortSignal },
  ...args: string[]
): Promise<void> {
  const { run, signal } = context;
  throwIfRefused(await run({ file: "netsh", args: ["wlan", ...args], signal }), args[0] ?? "");
}

async function waitConnected(context: Context, ssid: string): Promise<void> {
  const limit = deadline(context.connectLimitMs);
  while (!limit.aborted) {
    context.signal.throwIfAborted();
    const interfaces = await showInterfaces(context.run, context.signal);
    const now = interfaces.find(({ name }) => name === context.iface.name);
    if (now?.ssid === ssid) return;
    await pause(context.pollIntervalMs, AbortSignal.any([context.signal, limit]));
  }
  throw new ProvError("ap_unreachable", `Windows did not get into ${JSON.stringify(ssid)}`, {
    hint: "Windows does not say why: check softAp.password in the manifest, and move closer.",
  });
}

/** Restores what a journal entry says and removes the journal once that succeeded. Never throws. */
export async function restoreAndForgetWindows(
  run: CommandRunner,
  stateDir: string,
  entry: NetshEntry,
  options: { pollIntervalMs?: number; limitMs?: number } = {},
): Promise<RestoreReport> {
  const signal = deadline(options.limitMs ?? RESTORE_LIMIT_MS);
  const iface = `interface=${entry.iface}`;
  const previous = entry.previousProfile;
  return orNotRestored(JSON.stringify(previous), "; choose it in the taskbar", async () => {
    // A profile that is gone already is no failure.
    await run({
      file: "netsh",
      args: ["wlan", "delete", "profile", `name=${entry.profile}`, iface],
      signal,
    });
    if (previous !== null) {
      await netsh({ run, signal }, "connect", `name=${previous}`, iface);
      await waitProfile(run, entry, previous, options.pollIntervalMs ?? 1000, signal);
    }
    removeJournal(stateDir);
    return backOn(previous, "the adapter is idle again");
  });
}

async function waitProfile(
  run: CommandRunner,
  entry: NetshEntry,
  profile: string,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  const isBack = async (): Promise<true | undefined> => {
    const interfaces = await showInterfaces(run, signal);
    const now = interfaces.find(({ name }) => name === entry.iface);
    return now?.profile === profile || undefined;
  };
  const onTimeout = { code: "wifi_failed", message: "it took too long" } as const;
  await poll(isBack, { intervalMs, signal, onTimeout });
}
