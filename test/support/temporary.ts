import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** All temporary files of a run, its children's too, lie in one folder that goes away with it. */
export function setup(): () => void {
  const dir = mkdtempSync(join(tmpdir(), "prov-t-"));
  process.env.TMPDIR = dir;
  return () => rmSync(dir, { recursive: true, force: true });
}
