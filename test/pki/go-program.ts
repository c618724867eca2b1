import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildWithGo } from "../helpers/go.js";
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
  return buildWithGo(program, ["install", `${path}@v${version}`], {
    cwd: REPOSITORY,
    timeoutMs: BUILD_MS,
    // What they have in C is for hardware and databases.
    environment: { GOBIN: dir, CGO_ENABLED: "0" },
  });
}
