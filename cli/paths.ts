import { existsSync } from "node:fs";
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
