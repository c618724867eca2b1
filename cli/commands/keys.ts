import type { CommandContext, GlobalOptions } from "../context.js";
import { makeKeys } from "../flow/keys.js";
import type { CommandResult } from "../output.js";
import { asTask } from "../progress.js";
import { openProject } from "./project.js";

export interface KeysOptions extends GlobalOptions {
  force?: boolean;
}

/** `prov keys`: the device's private key and CSR; an existing key stays unless --force. */
export function keysCommand(
  options: KeysOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
    const { root, manifest } = await openProject(options, context);
    const identity = await asTask(context.out, `key and CSR of ${manifest.id}`, () =>
      makeKeys(root, manifest, options.force ?? false),
    );
    return {
      json: {
        device: manifest.id,
        algorithm: manifest.key.algorithm,
        created: identity.created,
        keyPath: identity.keyPath,
        csr: identity.csrPem,
      },
      text: `${identity.created ? "made" : "kept"} ${identity.keyPath} (${manifest.key.algorithm})\n${identity.csrPem.trimEnd()}`,
    };
  };
}
