import { ProvError } from "../errors.js";

/**
 * CMake takes `;` for the end of a list's item, and writes paths unescaped into files in which quotes,
 * backslashes and `${` mean something; its globs read `*`, `?`, brackets; its generators end at `|` and line breaks.
 */
const NOT_FOR_CMAKE = /[;"*?[\]|\r\n]|\$\w*\{/;
const BACKSLASH = /\\/;

/**
 * Refuses a path that a build cannot have anywhere in it, before CMake fails at something else because of it.
 * @throws ProvError path_unsupported
 */
export function refuseForBuild(...paths: readonly string[]): void {
  for (const path of paths) {
    refuse(path, NOT_FOR_CMAKE, "CMake");
    refuseBackslash(path, "CMake");
  }
}

/**
 * Refuses a path with a backslash where that is a character like any other, for readers that hold it for a separator.
 * @throws ProvError path_unsupported
 */
export function refuseBackslash(path: string, reader: string): void {
  if (process.platform !== "win32") refuse(path, BACKSLASH, reader);
}

function refuse(path: string, unsupported: RegExp, reader: string): void {
  const found = unsupported.exec(path)?.[0];
  if (found !== undefined)
    throw new ProvError(
      "path_unsupported",
      `the path ${path} contains ${JSON.stringify(found)}, which ${reader} cannot take`,
    );
}
