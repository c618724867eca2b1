import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "./project.js";

/** A folder in which openssl runs. */
export function opensslDir() {
  const dir = temporaryDir();

  function file(name: string, text: string | Buffer): string {
    const path = join(dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  /** Runs openssl; returns exit status and everything that it printed. */
  function openssl(...args: string[]): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync("openssl", args, { cwd: dir, encoding: "utf8" });
    return { status, output: stdout + stderr };
  }

  return { dir, file, openssl };
}
