import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, sep } from "node:path";
import { hasCode, naming, systemError } from "../system-error.js";

/** The folder beside the manifest in which prov keeps everything; private keys lie there. */
export const PROV_FOLDER = ".prov";

const PRIVATE_DIR = 0o700;
const IGNORE_ALL = "*\n";

/**
 * Makes a folder (and those above it that are missing) that only its owner can enter, and that git ignores
 * when it lies in `.prov`.
 */
export function ensurePrivateDir(dir: string): void {
  makeFolder(dir, PRIVATE_DIR);
  if (!hasMode(dir, PRIVATE_DIR)) chmodSync(dir, PRIVATE_DIR);
  keepFromGit(dir);
}

/**
 * Makes a folder and those above it that are missing. On a read-only file system Node's own way of doing that fails
 * with "no such file" (libuv knows no other reason for going up); making the first missing one alone tells the truth.
 */
export function makeFolder(dir: string, mode?: number): void {
  try {
    mkdirSync(dir, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  } catch (error) {
    if (hasCode(error, "ENOENT")) mkdirSync(firstMissing(dir), mode);
    throw error;
  }
}

function firstMissing(dir: string): string {
  const parent = dirname(dir);
  return existsSync(parent) || parent === dir ? dir : firstMissing(parent);
}

/**
 * Writes `.prov/.gitignore` for the `.prov` that `dir` is or lies in, so that no `git add` takes a key along. One
 * that is there and not empty is the user's own.
 */
export function keepFromGit(dir: string): void {
  const parts = dir.split(sep);
  const at = parts.lastIndexOf(PROV_FOLDER);
  if (at < 0) return;
  const file = join(parts.slice(0, at + 1).join(sep), ".gitignore");
  try {
    writeFileSync(file, IGNORE_ALL, { flag: "wx" });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) {
      // An empty one would do nothing.
      rmSync(file, { force: true });
      throw systemError(error, file) ?? error;
    }
    fillBlank(file);
  }
}

/** One in which nothing is, of a full disk or a crash, is nobody's wish. */
function fillBlank(file: string): void {
  const stat = lstatSync(file);
  if (stat.isFile() && stat.size === 0) naming(file, () => writeFileSync(file, IGNORE_ALL));
}

/** Windows has no such modes; there the user's profile folder protects the files. */
export function hasMode(path: string, mode: number): boolean {
  return process.platform === "win32" || (statSync(path).mode & 0o777) === mode;
}
