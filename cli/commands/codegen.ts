import type { Verb } from "../verb.js";

/** `prov codegen`: device_keys.h and sdkconfig; `--check` fails when they are stale. */
export const codegen: Verb<{ check?: boolean }> = {
  name: "codegen",
  summary: "write device_keys.h and sdkconfig from the manifest",
  options: (command) => command.option("--check", "write nothing; fail when files are stale"),
  async action(options, context) {
    const { generateConfig } = await import("../flow/codegen.js");
    const { makeKeys, requireKeys } = await import("../flow/keys.js");
    const { openProject } = await import("../flow/project.js");
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
  },
};
