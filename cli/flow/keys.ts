import type { DeviceManifest } from "../../codegen/manifest.js";
import { deviceWorkspace } from "../config/workspace.js";
import { ensureIdentity, type Identity } from "../pki/identity.js";

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
