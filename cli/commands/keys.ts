import type { Verb } from "../verb.js";

/** `prov keys`: the device's private key and CSR; an existing key stays unless --force. */
export const keys: Verb<{ force?: boolean }> = {
  name: "keys",
  summary: "make the device's private key and CSR, once",
  options: (command) =>
    command.option("--force", "replace an existing key, which is kept beside the new one"),
  async action(options, context) {
    const { readIfPresent } = await import("../files/files.js");
    const { makeKeys } = await import("../flow/keys.js");
    const { openProject } = await import("../flow/project.js");
    const { asTask } = await import("../terminal/progress.js");
    const { root, manifest, workspace } = await openProject(options, context);
    const identity = await asTask(context.out, `key and CSR of ${manifest.id}`, () =>
      makeKeys(root, manifest, options.force ?? false),
    );
    const { password } = manifest.softAp;
    const isOwn = readIfPresent(workspace.apPasswordPath)?.trimEnd() === password;
    const made = `${identity.created ? "made" : "kept"} ${identity.keyPath} (${manifest.key.algorithm})`;
    const kept = identity.kept.map((path) => `the old one is kept: ${path}`);
    const lines = [
      made,
      ...kept,
      ...(isOwn ? [`AP password: ${password}`] : []),
      identity.csrPem.trimEnd(),
    ];
    return {
      json: {
        device: manifest.id,
        algorithm: manifest.key.algorithm,
        created: identity.created,
        keyPath: identity.keyPath,
        csr: identity.csrPem,
        ...(identity.kept.length > 0 ? { kept: identity.kept } : {}),
        ...(isOwn ? { apPassword: password } : {}),
      },
      text: lines.join("\n"),
    };
  },
};
