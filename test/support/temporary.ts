import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const PREFIX = "prov-t-";

/** All temporary files of a run, its children's too, lie in one folder that goes away with it. */
export function setup(): () => void {
  // Each of vitest's projects runs the set-up.
  if (basename(tmpdir()).startsWith(PREFIX)) return () => {};
  const dir = mkdtempSync(join(tmpdir(), PREFIX));
  process.env.TMPDIR = dir;
  // The developer's own may tell of a WiFi that is to be put back.
  process.env.PROV_STATE_DIR = join(dir, "state");
  return () => rmSync(dir, { recursive: true, force: true });
}
