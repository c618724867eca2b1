import type { CommandContext, GlobalOptions } from "../context.js";
import { readIfPresent } from "../files/files.js";
import { makeKeys } from "../flow/keys.js";
import { openProject } from "../flow/project.js";
import type { CommandResult } from "../terminal/output.js";
import { asTask } from "../terminal/progress.js";

export interface KeysOptions extends GlobalOptions {
  force?: boolean;
}

/** `prov keys`: the device's private key and CSR; an existing key stays unless --force. */
export function keysCommand(
  options: KeysOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
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
  };
}
