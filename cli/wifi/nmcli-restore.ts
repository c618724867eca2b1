import { ProvError } from "../errors.js";
import { deadline } from "../time/deadline.js";
import { pause } from "../time/wait.js";
import type { RestoreReport } from "./host-wifi.js";
import type { NmcliEntry } from "./journal.js";
import type { NmcliClient } from "./nmcli-client.js";
import { backOn, orNotRestored } from "./session.js";

/** A home network came back after 21–24 s in the lab, after its radio had been away. */
const RESTORE_LIMIT_MS = 75_000;
const UP_WAIT_S = 30;
const RETRY_INTERVAL_MS = 1000;

/**
 * Removes the temporary profile and brings the previous connection back. Never throws; it has its
 * own time limit, because it runs when the caller's signal has aborted already.
 */
export async function restoreNmcli(
  client: NmcliClient,
  entry: NmcliEntry,
  options: { limitMs?: number; retryIntervalMs?: number } = {},
): Promise<RestoreReport> {
  const signal = deadline(options.limitMs ?? RESTORE_LIMIT_MS);
  const name = entry.previous?.name ?? null;
  const wayOut =
    entry.previous === null ? "" : `; try: nmcli connection up uuid ${entry.previous.uuid}`;
  return orNotRestored(name === null ? entry.iface : JSON.stringify(name), wayOut, async () => {
    if (!entry.autoconnect) await client.setAutoconnect(entry.iface, false, signal);
    // First of all: an activation that is still under way ends with its profile, so the state that
    // is read below is the final one.
    await client.deleteProfile(entry.profile, signal);
    if (entry.previous !== null) {
      await bringBack(client, entry.iface, entry.previous.uuid, {
        signal,
        retryIntervalMs: options.retryIntervalMs ?? RETRY_INTERVAL_MS,
      });
    }
    return backOn(name, `${entry.iface} is idle again`);
  });
}

async function bringBack(
  client: NmcliClient,
  iface: string,
  uuid: string,
  options: { signal: AbortSignal; retryIntervalMs: number },
): Promise<void> {
  const { signal } = options;
  for (;;) {
    const device = (await client.devices(signal)).find((candidate) => candidate.name === iface);
    if (device === undefined) throw new ProvError("wifi_no_adapter", `${iface} is gone`);
    if (device.connection?.uuid === uuid && device.state === "connected") return;
    try {
      return await client.up({ uuid }, iface, { waitS: UP_WAIT_S, signal });
    } catch (error) {
      if (!(error instanceof ProvError) || !isTransient(error)) throw error;
      await pause(options.retryIntervalMs, signal);
      if (signal.aborted) throw error;
    }
  }
}

/** The home AP may be out of sight for a while after the radio was on another channel. */
function isTransient(error: ProvError): boolean {
  return error.stage === "join" && error.code !== "wifi_failed";
}
