import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { REPOSITORY } from "./prov.js";

/** Each file with the project's files that it names, as paths relative to the root. */
export type Graph = ReadonlyMap<string, readonly string[]>;

// Static, dynamic and re-exporting; the shapes that Biome's formatter leaves.
const IMPORT = /\bfrom\s+"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"\s*\)|^import\s+"(\.[^"]+)"/gm;
const INCLUDE = /^[ \t]*#[ \t]*include "([^"]+)"/gm;

export function importsOf(source: string): string[] {
  return [...source.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

export function includesOf(source: string): string[] {
  return [...source.matchAll(INCLUDE)].map(([, name = ""]) => name);
}

/** The files below a folder, of one kind, or the file itself. */
export function filesIn(place: string, kind: RegExp): string[] {
  if (kind.test(place)) return [place];
  return readdirSync(join(REPOSITORY, place), { recursive: true, encoding: "utf8" })
    .filter((name) => kind.test(name))
    .map((name) => join(place, name));
}

export function source(file: string): string {
  return readFileSync(join(REPOSITORY, file), "utf8");
}

export function importGraph(...places: readonly string[]): Graph {
  const files = places.flatMap((place) => filesIn(place, /\.ts$/));
  return new Map(
    files.map((file) => [
      file,
      importsOf(source(file)).map((specifier) =>
        relative(REPOSITORY, resolve(REPOSITORY, dirname(file), specifier)).replace(/\.js$/, ".ts"),
      ),
    ]),
  );
}

/**
 * The C files of folders. A name is looked for among the files of the includer's own folder first; what none of them has
 * is ESP-IDF's, generated, or a library's, and left out.
 */
export function includeGraph(...folders: readonly string[]): Graph {
  const files = folders.map((folder) => filesIn(folder, /\.(c|h|inc)$/));
  return new Map(
    files.flatMap((own) =>
      own.map((file) => [
        file,
        includesOf(source(file)).flatMap((name) => {
          const [found] = [own, ...files].flatMap((all) =>
            all.filter((other) => basename(other) === basename(name)),
          );
          return found ?? [];
        }),
      ]),
    ),
  );
}
