import type { DeviceManifest } from "../../codegen/manifest.js";
import { deviceWorkspace } from "../config/workspace.js";
import { ProvError } from "../errors.js";
import { ensureIdentity, type Identity, readIdentity } from "../pki/identity.js";

/**
 * The stage of `prov keys`: the device's key and CSR, made when missing.
 * @param root the folder that holds `.prov`
 * @throws ProvError identity_invalid
 */
export function makeKeys(
  root: string,
  manifest: DeviceManifest,
  force: boolean,
): Promise<Identity> {
  return ensureIdentity(deviceWorkspace(root, manifest.id), manifest, { force });
}

/**
 * The device's key and CSR as they are, for a check that must write nothing.
 * @param root the folder that holds `.prov`
 * @throws ProvError identity_invalid; codegen_stale when the key is missing or the CSR is not its own
 */
export function requireKeys(root: string, manifest: DeviceManifest): Identity {
  const workspace = deviceWorkspace(root, manifest.id);
  const identity = readIdentity(workspace, manifest);
  if (identity !== undefined) return identity;
  throw new ProvError(
    "codegen_stale",
    `the key of ${manifest.id} is missing or its CSR does not match (${workspace.identityDir})`,
  );
}
