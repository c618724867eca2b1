import { type CommandRunner, runCommand } from "./command.js";
import type { RestoreReport } from "./host-wifi.js";
import { readStaleEntry } from "./journal.js";
import { restoreAndForgetWindows } from "./netsh.js";
import { restoreAndForgetMac } from "./networksetup.js";
import { restoreAndForget } from "./nmcli.js";
import { nmcliClient } from "./nmcli-client.js";

/**
 * Puts back the host's WiFi that a run before this one left changed (crash, SIGKILL, reboot). Costs
 * one look at a file when there is nothing to do.
 * @returns what was restored; null when there was nothing to do
 * @throws ProvError file_inaccessible when the journal says nothing to this prov
 */
export async function repairFromJournal(
  stateDir: string,
  run: CommandRunner = runCommand,
): Promise<RestoreReport | null> {
  const entry = readStaleEntry(stateDir);
  switch (entry?.kind) {
    case "nmcli":
      return restoreAndForget(nmcliClient(run), stateDir, entry);
    case "networksetup":
      return restoreAndForgetMac(run, stateDir, entry);
    case "netsh":
      return restoreAndForgetWindows(run, stateDir, entry);
    default:
      return null;
  }
}
