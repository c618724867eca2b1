import { join } from "node:path";
import { PROV_FOLDER } from "../files/private-dir.js";

export type Workspace = Readonly<ReturnType<typeof deviceWorkspace>>;

/**
 * Where everything of one device lies, below `.prov/` of the project.
 * @param root the folder that holds the manifest and `.prov`, absolute
 */
export function deviceWorkspace(root: string, deviceId: string) {
  const device = join(root, PROV_FOLDER, "devices", deviceId);
  const identityDir = join(device, "identity");
  return {
    root,
    identityDir,
    keyPath: join(identityDir, "key.pem"),
    csrPath: join(identityDir, "csr.pem"),
    /** The AP's password, where the manifest wants one for each device. */
    apPasswordPath: join(identityDir, "ap-password"),
    configDir: join(device, "config"),
    buildDir: join(device, "build"),
    /** CMake file that tells a plain `idf.py build` where the generated configuration is. */
    firmwareCmake: join(root, PROV_FOLDER, "firmware.cmake"),
  };
}
