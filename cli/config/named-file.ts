import { readFileSync, statSync } from "node:fs";
import { ProvError } from "../errors.js";
import { systemError } from "../system-error.js";

/** No certificate or key, nor any bundle of them, is as large; a device that never ends is. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The content of a file that somebody named for its certificates or its key, or why it cannot be read, in a sentence. */
export function readNamedFile(path: string): Buffer | string {
  try {
    const stat = statSync(path);
    // A pipe is fine: that is what a shell's <(…) is.
    if (stat.isCharacterDevice() || stat.isBlockDevice() || stat.size > MAX_BYTES)
      return `${path}: it is no file of certificates or keys`;
    return readFileSync(path);
  } catch (error) {
    return systemError(error, path)?.message ?? `${path}: ${String(error)}`;
  }
}

/** @throws ProvError file_inaccessible */
export function requireNamedFile(path: string): Buffer {
  const content = readNamedFile(path);
  if (typeof content !== "string") return content;
  throw new ProvError("file_inaccessible", content);
}
