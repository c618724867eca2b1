import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Chip } from "../../codegen/manifest.js";
import { ProvError } from "../errors.js";

/** The ESP-IDF release that prov suggests to whoever has none. */
export const SUGGESTED_IDF = "v5.5.1";

const USUAL_FOLDERS = ["esp/esp-idf", "esp-idf", ".espressif/esp-idf", "esp/v5.5/esp-idf"];
const SYSTEM_FOLDERS = ["/opt/esp-idf", "/opt/esp/idf"];

/**
 * The folder of an installed ESP-IDF: $IDF_PATH, else the usual install folders.
 * @throws ProvError idf_missing with the commands that install it for `chip`
 */
export function findIdf(env: NodeJS.ProcessEnv, chip: Chip): string {
  const candidates = [
    env.IDF_PATH,
    ...USUAL_FOLDERS.map((folder) => join(env.HOME ?? homedir(), folder)),
    ...SYSTEM_FOLDERS,
  ];
  const found = candidates.find((dir) => dir && existsSync(join(dir, "tools", "idf.py")));
  if (found) return found;
  const where = env.IDF_PATH
    ? `IDF_PATH is ${env.IDF_PATH}, which holds no tools/idf.py`
    : "IDF_PATH is not set and the usual folders hold none";
  throw new ProvError("idf_missing", `ESP-IDF is not installed: ${where}`, {
    hint: `Install it with\n${installCommands(chip)
      .map((line) => `  ${line}`)
      .join("\n")}\nor build in a container with \`prov build --docker\`.`,
  });
}

/** The three commands that bring ESP-IDF for one chip. */
export function installCommands(chip: Chip): string[] {
  return [
    `git clone -b ${SUGGESTED_IDF} --depth 1 --recursive --shallow-submodules https://github.com/espressif/esp-idf.git ~/esp/esp-idf`,
    `~/esp/esp-idf/install.sh ${chip}`,
    "export IDF_PATH=~/esp/esp-idf",
  ];
}
