import { closeSync, openSync, readSync, statSync } from "node:fs";
import { looksLikePem } from "../../codegen/pem-content.js";
import { ProvError } from "../errors.js";
import { naming, reasonOf } from "../system-error.js";

/** No certificate or key, nor any bundle of them, is as large; a device that never ends is. */
const MAX_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** The content of a file that somebody named for its certificates or its key, or why it cannot be read, in a sentence. */
export function readNamedFile(path: string): Buffer | string {
  try {
    return requireNamedFile(path);
  } catch (error) {
    return reasonOf(error);
  }
}

/** The same. @throws ProvError file_inaccessible */
export function requireNamedFile(path: string): Buffer {
  if (looksLikePem(path))
    throw new ProvError(
      "file_inaccessible",
      "what is given is the text of a certificate or key (not shown) and not the path of a file",
      { hint: "Write it into a file that only you may read, and give its path." },
    );
  return naming(path, () => {
    const stat = statSync(path);
    // A pipe is fine: that is what a shell's <(…) is.
    const isSmall = !stat.isCharacterDevice() && !stat.isBlockDevice() && stat.size <= MAX_BYTES;
    const content = isSmall ? readUpTo(path, MAX_BYTES) : undefined;
    if (content) return content;
    throw new ProvError("file_inaccessible", `${path}: it is no file of certificates or keys`, {
      hint: "Name the PEM file itself.",
    });
  });
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
