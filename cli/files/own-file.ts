import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { hasCode, systemError } from "../system-error.js";

/** Larger than anything that prov notes. */
const MAX_BYTES = 64 * 1024;
const WRITABLE_BY_OTHERS = 0o022;

export type OwnFile =
  | { readonly text: string }
  | { readonly distrust: string; readonly cause?: unknown }
  | null;

/**
 * The text of a file that nobody but this user can have written, for what is acted on without asking: file and
 * folder are the user's own, no symbolic links, and nobody else may write to them. Windows has no such modes; there
 * the user's profile folder protects the file.
 * @returns null when there is no such file; `distrust` tells why it is not believed or cannot be read
 */
export function readOwnFile(path: string): OwnFile {
  let file: number;
  try {
    file = openSync(
      path,
      // A link is not followed, and a pipe that somebody put there is not waited for.
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    if (hasCode(error, "ELOOP")) return { distrust: `${path}: it is a symbolic link` };
    return { distrust: systemError(error, path)?.message ?? `${path}: ${error}`, cause: error };
  }
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) return { distrust: `${path}: it is a folder` };
    if (!stat.isFile()) return { distrust: `${path}: it is no ordinary file` };
    const distrust = foreignFolder(dirname(path)) ?? foreign(path, stat);
    if (distrust !== undefined) return { distrust };
    if (stat.size > MAX_BYTES) return { distrust: `${path}: it is no note of prov's` };
    return { text: readFileSync(file, "utf8") };
  } catch (error) {
    return { distrust: systemError(error, path)?.message ?? `${path}: ${error}`, cause: error };
  } finally {
    closeSync(file);
  }
}

/** Why others could have put something into a folder that exists; undefined when they could not. */
export function foreignFolder(dir: string): string | undefined {
  const link = lstatSync(dir);
  // A link of the user's own making leads where the user wants.
  const owner = link.isSymbolicLink() ? foreignOwner(dir, link.uid) : undefined;
  return owner ?? foreign(dir, statSync(dir));
}

function foreign(path: string, { uid, mode }: { uid: number; mode: number }): string | undefined {
  if (process.getuid === undefined) return undefined;
  const owner = foreignOwner(path, uid);
  if (owner !== undefined) return owner;
  if ((mode & WRITABLE_BY_OTHERS) === 0) return undefined;
  return `${path}: others may write to it (mode ${(mode & 0o7777).toString(8)})`;
}

function foreignOwner(path: string, uid: number): string | undefined {
  const self = process.getuid?.();
  return self === undefined || self === uid
    ? undefined
    : `${path}: it belongs to another user (uid ${uid})`;
}
