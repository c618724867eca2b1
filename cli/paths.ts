import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that prov itself was installed to (it holds `firmware/` and `package.json`). */
export function installRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, "firmware", "CMakeLists.txt"))) {
    const parent = dirname(dir);
    if (parent === dir)
      throw new Error(`no firmware folder above ${fileURLToPath(import.meta.url)}`);
    dir = parent;
  }
  return dir;
}

/** The text of a file of the firmware's sources. */
export function readFirmwareFile(name: string): string {
  return readFileSync(join(installRoot(), "firmware", name), "utf8");
}

/** The version of prov. */
export function readVersion(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(join(installRoot(), "package.json"), "utf8"),
  );
  return manifest.version;
}
