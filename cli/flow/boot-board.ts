import type { DeviceManifest } from "../../codegen/manifest.js";
import { LOG_LEVELS } from "../../codegen/manifest-fields.js";
import { irreversibleSteps } from "../../codegen/security.js";
import type { WorkContext } from "../context.js";
import { type BootReport, waitForBoot } from "./boot.js";
import { DEFAULT_BOUND_S, FIRST_BOOT_MS } from "./timeouts.js";

/**
 * Restarts the board on a port and reads from its log how it is.
 * @param timeoutS bound on the boot; never less than what a first boot needs that burns eFuses
 * @returns nothing of a board whose log does not tell
 * @throws ProvError boot_timeout, port_*
 */
export async function bootBoard(
  port: string,
  manifest: DeviceManifest,
  { out, signal }: Pick<WorkContext, "out" | "signal">,
  secrets: readonly string[],
  timeoutS?: number,
): Promise<BootReport> {
  if (LOG_LEVELS.indexOf(manifest.logLevel) < LOG_LEVELS.indexOf("info")) {
    out.note(`logLevel is ${manifest.logLevel}: the board's log will not tell when it has booted`);
    return {};
  }
  const firstBootMs = firstBootMsOf(manifest);
  return waitForBoot(
    { port },
    {
      timeoutMs: (timeoutS ?? DEFAULT_BOUND_S.boot) * 1000,
      firstBootMs: firstBootMs === 0 ? 0 : Math.max(firstBootMs, (timeoutS ?? 0) * 1000),
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
