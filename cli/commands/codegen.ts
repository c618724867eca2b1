import type { CommandContext, GlobalOptions } from "../context.js";
import { generateConfig } from "../flow/codegen.js";
import { makeKeys, requireKeys } from "../flow/keys.js";
import { openProject } from "../flow/project.js";
import type { CommandResult } from "../terminal/output.js";

export interface CodegenOptions extends GlobalOptions {
  check?: boolean;
}

/** `prov codegen`: device_keys.h and sdkconfig; `--check` fails when they are stale. */
export function codegenCommand(
  options: CodegenOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
    const check = options.check ?? false;
    const { root, manifest, workspace } = await openProject(options, context, check);
    const identity = check ? requireKeys(root, manifest) : await makeKeys(root, manifest, false);
    const config = generateConfig(manifest, identity, workspace, { check });
    for (const warning of config.warnings) context.out.warn(warning);
    const changed = config.changedFiles.map((file) => `wrote ${file}`);
    return {
      json: {
        device: manifest.id,
        dir: config.dir,
        changed: config.changedFiles,
        warnings: config.warnings,
      },
      text: changed.length > 0 ? changed.join("\n") : `${config.dir} is current`,
    };
  };
}
