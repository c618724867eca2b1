import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CHIPS, type Chip, isTooOldFor } from "../../codegen/chips.js";
import { ProvError } from "../errors.js";
import { listFolder } from "../files/files.js";

/** The ESP-IDF release that prov suggests to whoever has none. */
export const SUGGESTED_IDF = "v5.5.1";

const USUAL_FOLDERS = ["esp/esp-idf", "esp-idf", ".espressif/esp-idf"];
/** Installers put each release into a folder of its own, such as `v5.5.1/esp-idf`. */
const FOLDERS_OF_RELEASES = ["esp", ".espressif"];
const SYSTEM_FOLDERS = ["/opt/esp-idf", "/opt/esp/idf"];

/**
 * The folder of an installed ESP-IDF that can build for `chip`: $IDF_PATH, else the usual install folders.
 * @throws ProvError idf_missing with the commands that install it
 */
export function findIdf(env: NodeJS.ProcessEnv, chip: Chip): string {
  const named = env.IDF_PATH;
  // Whoever names one means that one.
  const candidates = named ? [named] : usualFolders(env.HOME ?? homedir());
  const found = candidates.find((dir) => existsSync(join(dir, "tools", "idf.py")));
  if (found === undefined)
    throw idfMissing(
      chip,
      named
        ? `IDF_PATH is ${named}, which holds no tools/idf.py`
        : "ESP-IDF is not installed: IDF_PATH is not set and the usual folders hold none",
    );
  const release = releaseOf(found);
  if (release && isTooOldFor(chip, release))
    throw idfMissing(
      chip,
      `${chip} needs ESP-IDF ${CHIPS[chip].firstIdf} or newer; ${found} holds ${release}`,
    );
  return found;
}

/** The three commands that bring ESP-IDF for one chip, or for all. */
function installCommands(chip: Chip | "all"): string[] {
  return [
    `git clone -b ${SUGGESTED_IDF} --depth 1 --recursive --shallow-submodules https://github.com/espressif/esp-idf.git ~/esp/esp-idf`,
    `~/esp/esp-idf/install.sh ${chip}`,
    "export IDF_PATH=~/esp/esp-idf",
  ];
}

/** The same for people. */
export function howToInstall(chip: Chip | "all"): string {
  return ["Install it with", ...installCommands(chip).map((line) => `  ${line}`)].join("\n");
}

function idfMissing(chip: Chip, message: string): ProvError {
  return new ProvError("idf_missing", message, {
    hint: `${howToInstall(chip)}\nor build in a container with \`prov build --docker\`.`,
  });
}

function usualFolders(home: string): string[] {
  const releases = FOLDERS_OF_RELEASES.flatMap((folder) =>
    subfolders(join(home, folder)).map((name) => join(home, folder, name, "esp-idf")),
  );
  return [...USUAL_FOLDERS.map((folder) => join(home, folder)), ...releases, ...SYSTEM_FOLDERS];
}

/** The newest release first. */
function subfolders(dir: string): string[] {
  return listFolder(dir).sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
}

/** Major and minor of an ESP-IDF folder; undefined where it does not tell. */
function releaseOf(dir: string): string | undefined {
  try {
    const text = readFileSync(join(dir, "tools", "cmake", "version.cmake"), "utf8");
    const [major, minor] = ["MAJOR", "MINOR"].map(
      (name) => new RegExp(`IDF_VERSION_${name}\\s+(\\d+)`).exec(text)?.[1],
    );
    return major && minor ? `${major}.${minor}` : undefined;
  } catch {
    return undefined;
  }
}
