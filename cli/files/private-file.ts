import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { naming } from "../system-error.js";
import { ensurePrivateDir } from "./private-dir.js";

/**
 * Replaces `file` at once: a reader sees the old or the new content, never a mixture, and nobody but
 * the owner can read it at any moment.
 */
export function writePrivateFile(file: string, content: string | Uint8Array, mode = 0o600): void {
  ensurePrivateDir(dirname(file));
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    naming(file, () => {
      writeFileSync(temporary, content, { mode, flag: "wx" });
      renameSync(temporary, file);
    });
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The text of `file`, or null when there is none. */
export function readTextFile(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
