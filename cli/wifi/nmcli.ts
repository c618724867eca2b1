import { ProvError } from "../errors.js";
import { abortsAs, pause, poll } from "../time/wait.js";
import { apNotFound, DEFAULT_BASE_URL, joinTooSlow, SCAN_TOO_SLOW } from "./access-point.js";
import { runCommand } from "./command.js";
import type { AccessPoint, ApTarget, HostWifi, JoinedAp, RestoreReport } from "./host-wifi.js";
import {
  hasJournal,
  type NmcliEntry,
  readStaleEntry,
  removeJournal,
  writeJournal,
} from "./journal.js";
import { chooseDevice, type NmcliClient, nmcliClient } from "./nmcli-client.js";
import type { NmAccessPoint, NmDevice } from "./nmcli-parse.js";
import { restoreNmcli } from "./nmcli-restore.js";
import { checkPassphrase, chooseKeyManagement } from "./passphrase.js";
import { type AdapterOptions, hostSession } from "./session.js";
import { isTemporaryProfile, newProfileName } from "./temporary-profile.js";

export interface NmcliOptions extends AdapterOptions {
  /** Between two scans; NetworkManager refuses much more frequent ones. */
  rescanIntervalMs?: number;
}

/** Longer than NetworkManager's own 25 s for the association plus the profile's DHCP limit. */
const UP_WAIT_S = 45;
/** A handshake can be lost on the air; losing it three times in a row is the AP's doing. */
const LINK_ATTEMPTS = 3;

interface Context {
  client: NmcliClient;
  stateDir: string;
  device: NmDevice;
  signal: AbortSignal;
  pollIntervalMs: number;
  /** Asks for a scan unless one was asked for a moment ago. */
  rescan(): Promise<void>;
}

/** The host's WiFi through NetworkManager's command line. */
export function nmcliWifi(options: NmcliOptions): HostWifi {
  const client = nmcliClient(options.run ?? runCommand);
  const { stateDir, pollIntervalMs = 1000, rescanIntervalMs = 5000 } = options;
  const session = hostSession((entry: NmcliEntry) => restoreAndForget(client, stateDir, entry));
  let rescannedAt = Number.NEGATIVE_INFINITY;
  let hasLooked = false;
  const open = async (signal: AbortSignal): Promise<Context> => {
    const device = await chooseDevice(client, options.iface, signal);
    const rescan = async () => {
      if (performance.now() - rescannedAt < rescanIntervalMs) return;
      rescannedAt = performance.now();
      await client.rescan(device.name, signal);
    };
    return { client, stateDir, device, signal, pollIntervalMs, rescan };
  };
  // The first look is at what NetworkManager knows: an association has to wait for the end of a scan.
  const scan = async (signal: AbortSignal): Promise<AccessPoint[]> => {
    const context = await open(signal);
    if (hasLooked) {
      await context.rescan();
      await pause(pollIntervalMs, signal);
    }
    hasLooked = true;
    const aps = await client.accessPoints(context.device.name, signal);
    return aps.map(({ inUse: _inUse, security: _security, ...ap }) => ap);
  };
  return {
    kind: "nmcli",
    scan: (signal) => abortsAs(signal, SCAN_TOO_SLOW, () => scan(signal)),
    join: (target, password, { signal: outer }) =>
      session.run(outer, async (signal) => {
        checkPassphrase(password);
        const stale = readStaleEntry(stateDir);
        if (stale?.kind === "nmcli") await restoreAndForget(client, stateDir, stale);
        const context = await abortsAs(signal, apNotFound(target.ssid), () => open(signal));
        return join(context, target, password, session.begin);
      }),
    leave: session.leave,
  };
}

/** Restores what a journal entry says and removes the journal once that succeeded. */
export async function restoreAndForget(
  client: NmcliClient,
  stateDir: string,
  entry: NmcliEntry,
): Promise<RestoreReport> {
  const report = await restoreNmcli(client, entry);
  if (report.restored) removeJournal(stateDir);
  return report;
}

async function join(
  context: Context,
  target: ApTarget,
  password: string | null,
  begin: (entry: NmcliEntry) => void,
): Promise<JoinedAp> {
  const { client, stateDir, device, signal } = context;
  const ap = await findAp(context, target);
  if (ap.inUse) return joined(context, target); // the person has joined it already: leave it be
  if (!hasJournal(stateDir)) refuseForeignProfile(device);
  const keyManagement = chooseKeyManagement(ap, password);
  return abortsAs(signal, joinTooSlow(target.ssid), async () => {
    const entry: NmcliEntry = {
      kind: "nmcli",
      iface: device.name,
      profile: newProfileName(),
      previous: device.connection,
      autoconnect: await client.autoconnect(device.name, signal),
    };
    writeJournal(stateDir, entry);
    begin(entry);
    await client.addProfile({
      name: entry.profile,
      iface: device.name,
      ssid: target.ssid,
      keyManagement,
    });
    await activate(context, target, entry.profile, keyManagement === null ? null : password);
    return joined(context, target);
  });
}

/**
 * A temporary profile that no journal of ours tells of is another user's run, or what is left of one that was
 * killed (`sudo prov`). It is no network to go back to.
 */
function refuseForeignProfile({ name: iface, connection }: NmDevice): void {
  if (connection === null || !isTemporaryProfile(connection.name)) return;
  throw new ProvError(
    "wifi_busy",
    `${iface} is on ${connection.name}, the temporary profile of another user's prov`,
    {
      hint: `Wait for that prov to end. If it was killed, run prov once as that user, or: nmcli connection delete id ${connection.name}`,
    },
  );
}

/** Polls NetworkManager's list until the AP is in it; a rebooted AP appeared after up to 12 s. */
async function findAp(context: Context, target: ApTarget): Promise<NmAccessPoint> {
  const { client, device, signal, pollIntervalMs: intervalMs } = context;
  const look = async (): Promise<NmAccessPoint | undefined> => {
    const aps = await client.accessPoints(device.name, signal);
    const found = aps.find((ap) => ap.ssid === target.ssid);
    if (found === undefined) await context.rescan();
    return found;
  };
  const onTimeout = apNotFound(target.ssid);
  return abortsAs(signal, onTimeout, () => poll(look, { intervalMs, signal, onTimeout }));
}

/** Brings the profile up; an AP that vanishes meanwhile is waited for until the signal aborts. */
async function activate(
  context: Context,
  target: ApTarget,
  profile: string,
  password: string | null,
): Promise<void> {
  const { client, device, signal } = context;
  const options = { waitS: UP_WAIT_S, signal, ...(password === null ? {} : { password }) };
  for (let losses = 0; ; ) {
    try {
      return await client.up({ id: profile }, device.name, options);
    } catch (error) {
      if (!(error instanceof ProvError)) throw error;
      if (error.code === "ap_lost") losses += 1;
      const isWorthAnotherTry = error.code === "ap_not_found" || losses > 0;
      if (!isWorthAnotherTry || losses === LINK_ATTEMPTS) throw about(target, error);
    }
    await pause(context.pollIntervalMs, signal);
    await findAp(context, target);
  }
}

async function joined(context: Context, target: ApTarget): Promise<JoinedAp> {
  const address = await context.client.boardAddress(context.device.name, context.signal);
  const baseUrl = address === null ? DEFAULT_BASE_URL : `http://${address}`;
  return { ssid: target.ssid, baseUrl };
}

function about(target: ApTarget, error: ProvError): ProvError {
  const message = `${JSON.stringify(target.ssid)}: ${error.message}`;
  return new ProvError(error.code, message, { hint: error.hint, cause: error });
}
