import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { childEnvironment } from "../../cli/processes/child-environment.js";
import { REPOSITORY } from "../helpers/prov.js";

const BUILD_MS = 1_800_000;

/** A program that is built with Go, once; its checksum is looked up by Go. @returns its path, or why there is none */
export function buildGoProgram(
  path: string,
  version: string,
): { program: string } | { missing: string } {
  const name = path.split("/").at(-1) ?? path;
  const dir = join(REPOSITORY, ".cache", "go-programs", `${name}-${version}`);
  const program = join(dir, name);
  if (existsSync(program)) return { program };
  process.stderr.write(`building ${name} ${version}, which takes minutes\n`);
  const { error, status, stderr } = spawnSync("go", ["install", `${path}@v${version}`], {
    cwd: REPOSITORY,
    encoding: "utf8",
    timeout: BUILD_MS,
    // What they have in C is for hardware and databases.
    env: { ...childEnvironment(), GOBIN: dir, CGO_ENABLED: "0" },
  });
  if (status === 0) return { program };
  return { missing: `go: ${error?.message ?? stderr.trim().split("\n").at(-1)}` };
}
