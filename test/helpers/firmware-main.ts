import { readdirSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./prov.js";

export const FIRMWARE_MAIN = join(REPOSITORY, "firmware", "main");

/** `firmware/main` and its folders: what a compiler has to be given with -I. */
export function firmwareFolders(): string[] {
  const entries = readdirSync(FIRMWARE_MAIN, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return [FIRMWARE_MAIN, ...folders.sort().map((name) => join(FIRMWARE_MAIN, name))];
}

/** Its files of one kind, as absolute paths. */
export function firmwareFiles(extension: ".c" | ".h"): string[] {
  return firmwareFolders().flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(extension))
      .sort()
      .map((name) => join(folder, name)),
  );
}

/** The file with that name, wherever it lies; names are unique, as headers are included by them. */
export function firmwareFile(name: string): string {
  const all = [...firmwareFiles(".c"), ...firmwareFiles(".h")];
  const [path, ...others] = all.filter((each) => each.endsWith(`/${name}`));
  if (path === undefined || others.length > 0) throw new Error(`not exactly one file ${name}`);
  return path;
}
