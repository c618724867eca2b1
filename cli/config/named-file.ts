import { closeSync, openSync, readSync, statSync } from "node:fs";
import { looksLikePem } from "../../codegen/pem-content.js";
import { ProvError } from "../errors.js";
import { systemError } from "../system-error.js";

/** No certificate or key, nor any bundle of them, is as large; a device that never ends is. */
const MAX_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** The content of a file that somebody named for its certificates or its key, or why it cannot be read, in a sentence. */
export function readNamedFile(path: string): Buffer | string {
  if (looksLikePem(path))
    return "what is given is the text of a certificate or key (not shown) and not the path of a file: write it into one";
  try {
    const stat = statSync(path);
    // A pipe is fine: that is what a shell's <(…) is.
    const isSmall = !stat.isCharacterDevice() && !stat.isBlockDevice() && stat.size <= MAX_BYTES;
    const content = isSmall ? readUpTo(path, MAX_BYTES) : undefined;
    return content ?? `${path}: it is no file of certificates or keys`;
  } catch (error) {
    return systemError(error, path)?.message ?? `${path}: ${String(error)}`;
  }
}

/** Undefined for more than `maxBytes`: a pipe does not tell its length beforehand. */
function readUpTo(path: string, maxBytes: number): Buffer | undefined {
  const file = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    for (let length = 0; length <= maxBytes; ) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const bytesRead = readSync(file, chunk);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** @throws ProvError file_inaccessible */
export function requireNamedFile(path: string): Buffer {
  const content = readNamedFile(path);
  if (typeof content !== "string") return content;
  throw new ProvError("file_inaccessible", content, { hint: "Name a PEM file that you may read." });
}
