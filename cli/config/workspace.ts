import { join } from "node:path";
import { PROV_FOLDER } from "../files/private-dir.js";

/** Where everything of one device lies, below `.prov/` of the project; absolute paths. */
export interface Workspace {
  /** The folder that holds the manifest and `.prov`. */
  readonly root: string;
  readonly identityDir: string;
  readonly keyPath: string;
  readonly csrPath: string;
  /** The AP's password, where the manifest wants one for each device. */
  readonly apPasswordPath: string;
  readonly configDir: string;
  readonly buildDir: string;
  /** CMake file that tells a plain `idf.py build` where the generated configuration is. */
  readonly firmwareCmake: string;
}

export function deviceWorkspace(root: string, deviceId: string): Workspace {
  const device = join(root, PROV_FOLDER, "devices", deviceId);
  const identityDir = join(device, "identity");
  return {
    root,
    identityDir,
    keyPath: join(identityDir, "key.pem"),
    csrPath: join(identityDir, "csr.pem"),
    apPasswordPath: join(identityDir, "ap-password"),
    configDir: join(device, "config"),
    buildDir: join(device, "build"),
    firmwareCmake: join(root, PROV_FOLDER, "firmware.cmake"),
  };
}
