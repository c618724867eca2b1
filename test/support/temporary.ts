import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const PREFIX = "prov-t-";
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** All temporary files of a run, its children's too, lie in one folder that goes away with it. */
export function setup(): () => void {
  // Each of vitest's projects runs the set-up.
  if (basename(tmpdir()).startsWith(PREFIX)) return () => {};
  const dir = mkdtempSync(join(tmpdir(), PREFIX));
  process.env.TMPDIR = dir;
  // The developer's own may tell of a WiFi that is to be put back.
  process.env.PROV_STATE_DIR = join(dir, "state");
  compileOnce();
  return () => rmSync(dir, { recursive: true, force: true });
}

/** The same sources are compiled in many folders, one a project: the compiler's work is shared where ccache is there. */
function compileOnce(): void {
  if (spawnSync("ccache", ["--version"]).status !== 0) return;
  process.env.CMAKE_C_COMPILER_LAUNCHER = "ccache";
  process.env.CCACHE_DIR = join(REPOSITORY, ".cache", "ccache");
  process.env.CCACHE_BASEDIR = REPOSITORY;
  process.env.CCACHE_NOHASHDIR = "1";
}
