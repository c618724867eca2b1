import { type DeviceManifest, LOG_LEVELS } from "../../codegen/manifest.js";
import { irreversibleSteps } from "../../codegen/security.js";
import type { CommandContext } from "../context.js";
import { type BootedBoard, waitForBoot } from "./boot.js";

const BOOT_TIMEOUT_MS = 30_000;
/** Encrypting the whole flash takes about a minute (ESP-IDF, "Flash Encryption"); burning eFuses takes seconds. */
const FIRST_BOOT_MS = { encrypting: 180_000, burning: 20_000 };

/**
 * Restarts the board on a port and reads from its log how it is.
 * @param timeoutMs bound on the boot; never less than what a first boot needs that burns eFuses
 * @returns undefined for a board whose log does not tell
 * @throws ProvError boot_timeout, port_*
 */
export async function bootBoard(
  port: string,
  manifest: DeviceManifest,
  { out, signal }: CommandContext,
  secrets: readonly string[],
  timeoutMs?: number,
): Promise<BootedBoard | undefined> {
  if (LOG_LEVELS.indexOf(manifest.logLevel) < LOG_LEVELS.indexOf("info")) {
    out.note(`logLevel is ${manifest.logLevel}: the board's log will not tell when it has booted`);
    return undefined;
  }
  const firstBootMs = firstBootMsOf(manifest);
  return waitForBoot(
    { port },
    {
      timeoutMs: timeoutMs ?? BOOT_TIMEOUT_MS,
      firstBootMs: firstBootMs === 0 ? 0 : Math.max(firstBootMs, timeoutMs ?? 0),
      signal,
      progress: out,
      secrets,
    },
  );
}

function firstBootMsOf(manifest: DeviceManifest): number {
  if (manifest.security.flashEncryption !== false) return FIRST_BOOT_MS.encrypting;
  return irreversibleSteps(manifest).length > 0 ? FIRST_BOOT_MS.burning : 0;
}
