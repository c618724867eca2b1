import type { GlobalOptions, WorkContext } from "../context.js";
import { ProvError } from "../errors.js";
import { secretsOfRun } from "../secrets.js";
import { type BacktraceDecoder, createBacktraceDecoder } from "../serial/backtrace.js";
import { builtImage } from "./build.js";
import { openProject } from "./project.js";

/** What helps to show a device's log. */
export interface LogAids {
  readonly decoder?: BacktraceDecoder | undefined;
  /** What must not be shown. */
  readonly secrets: readonly string[];
}

/**
 * What the manifest adds to a log: the ELF for backtraces, and its secrets. A log without a manifest is fine too.
 * @throws ProvError of a manifest's neighbourhood: path_unsupported, identity_invalid
 */
export async function logAids(options: GlobalOptions, context: WorkContext): Promise<LogAids> {
  const { env } = context;
  try {
    const { manifest, workspace } = await openProject(options, context);
    const secrets = secretsOfRun({ env, manifest });
    if (manifest.target === "host") return { secrets };
    const chip = manifest.target;
    const { elf } = builtImage(workspace, chip);
    return { secrets, decoder: createBacktraceDecoder({ elf, chip }) };
  } catch (error) {
    if (
      error instanceof ProvError &&
      (error.stage === "manifest" || error.code === "device_unknown")
    )
      return { secrets: secretsOfRun({ env }) };
    throw error;
  }
}
