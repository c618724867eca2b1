import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { ProvError } from "../errors.js";
import { hasCode, reasonOf, systemError } from "../system-error.js";
import { ensurePrivateDir, hasMode, makeFolder } from "./private-dir.js";

export const SECRET_FILE = 0o600;
export const PLAIN_FILE = 0o644;

/**
 * The text of a file, or undefined when there is no such file.
 * @throws ProvError file_inaccessible
 */
export function readIfPresent(path: string): string | undefined {
  return readBytesIfPresent(path)?.toString("utf8");
}

/**
 * The content of a file that may be of any kind, or undefined when there is no such file.
 * @throws ProvError file_inaccessible
 */
export function readBytesIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw inaccessible(path, error);
  }
}

/**
 * The text of a file that somebody named.
 * @throws ProvError file_inaccessible
 */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw inaccessible(path, error);
  }
}

/** The names in a folder; none where it is not there or cannot be read. */
export function listFolder(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** Whether `writeIfChanged` would leave the file alone. */
export function isCurrent(path: string, text: string, mode: number): boolean {
  return readIfPresent(path) === text && hasMode(path, mode);
}

/**
 * Writes a file unless it already has this text and mode, so that builds stay incremental. A reader,
 * or a power cut, finds either the old or the new file. Returns whether it wrote.
 * @throws ProvError file_inaccessible
 */
export function writeIfChanged(path: string, text: string, mode: number): boolean {
  if (isCurrent(path, text, mode)) return false;
  throughTemporary(path, (temporary) => renameSync(temporary, path), { content: text, mode });
  return true;
}

/**
 * Replaces a file: a reader finds either the old or the new one. A power cut may cost both: it is for what can be
 * made again.
 * @throws ProvError file_inaccessible
 */
export function replaceFile(path: string, content: string | Uint8Array, mode = SECRET_FILE): void {
  const written = { content, mode, isFlushed: false };
  throughTemporary(path, (temporary) => renameSync(temporary, path), written);
}

/**
 * Writes a file that must not exist yet; as a whole or not at all, also when two processes try at once.
 * Returns false, and changes nothing, when it exists.
 * @param makeDir what becomes of its folder
 * @throws ProvError file_inaccessible
 */
export function writeNew(
  path: string,
  text: string,
  mode: number,
  makeDir = ensurePrivateDir,
): boolean {
  let created = true;
  const publish = (temporary: string): void => {
    try {
      // Unlike a rename, a link never replaces what is there.
      linkSync(temporary, path);
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
      created = false;
    }
  };
  throughTemporary(path, publish, { content: text, mode, makeDir });
  return created;
}

/**
 * Makes sure, before the work that a file is to tell of, that it can be written. Its folder is made, and what
 * an earlier run left in it is gone.
 * @throws ProvError file_inaccessible
 */
export function prepareOutput(path: string): void {
  try {
    makeFolder(resolve(dirname(path)));
    closeSync(openSync(path, "w"));
  } catch (error) {
    throw inaccessible(path, error);
  }
}

/**
 * Writes a file that somebody named, where it is: it may be a pipe or a device.
 * @throws ProvError file_inaccessible
 */
export function writeOutput(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw inaccessible(path, error);
  }
}

/**
 * Copies a file to a name that is free, flushed to the disk.
 * @param nameOf the n-th name to try, from 1 on
 * @returns the copy's path; undefined when there is no such file
 * @throws ProvError file_inaccessible
 */
export function keepCopy(path: string, nameOf: (attempt: number) => string): string | undefined {
  for (let attempt = 1; ; attempt++) {
    const copy = nameOf(attempt);
    try {
      writeWhole(copy, readFileSync(path), SECRET_FILE, true);
      return copy;
    } catch (error) {
      if (hasCode(error, "EEXIST")) continue;
      if (hasCode(error, "ENOENT")) return undefined;
      throw inaccessible(path, error);
    }
  }
}

/** Takes away every right to a file but its owner's; a key may have been copied in with more. */
export function protectFile(path: string): void {
  if (!hasMode(path, SECRET_FILE)) chmodSync(path, SECRET_FILE);
}

interface Written {
  readonly content: string | Uint8Array;
  readonly mode: number;
  /** Default true: on the disk before anybody finds it. */
  readonly isFlushed?: boolean;
  readonly makeDir?: (dir: string) => void;
}

function throughTemporary(
  path: string,
  publish: (temporary: string) => void,
  { content, mode, isFlushed = true, makeDir = ensurePrivateDir }: Written,
): void {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    makeDir(dirname(path));
    writeWhole(temporary, content, mode, isFlushed);
    publish(temporary);
  } catch (error) {
    throw inaccessible(path, error);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function writeWhole(
  path: string,
  content: string | Uint8Array,
  mode: number,
  isFlushed: boolean,
): void {
  // "wx" follows no link that somebody put there, and the mode holds from the first byte on.
  const file = openSync(path, "wx", mode);
  try {
    writeFileSync(file, content);
    if (isFlushed) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  // The umask may have taken bits away.
  chmodSync(path, mode);
}

function inaccessible(path: string, error: unknown): ProvError {
  if (error instanceof ProvError) return error;
  const reason = reasonOf(error);
  return (
    systemError(error, path) ??
    new ProvError("file_inaccessible", `${path}: ${reason}`, { cause: error })
  );
}
