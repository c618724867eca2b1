import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../helpers/prov.js";

const TIMEOUT_MS = 240_000;

/**
 * Debian packages, unpacked below `.cache` and not installed: nothing is configured, no service starts, and no
 * root is needed. Without their dependencies, which are the caller's to know.
 * @param name of the folder
 * @returns the folder that stands for `/`, or why there is none
 */
export function unpackDebian(
  name: string,
  packages: readonly string[],
): { root: string } | { missing: string } {
  const root = join(REPOSITORY, ".cache", `debian-${name}`);
  if (existsSync(root)) return { root };
  const dir = mkdtempSync(join(tmpdir(), "prov-debian-"));
  const unpacked = join(dir, "root");
  mkdirSync(unpacked);
  try {
    const problem = download(dir, packages) ?? unpack(dir, unpacked);
    if (problem !== undefined) return { missing: problem };
    mkdirSync(join(REPOSITORY, ".cache"), { recursive: true });
    const copied = run("cp", ["-a", unpacked, `${root}.new`]);
    if (copied !== undefined) return { missing: copied };
    renameSync(`${root}.new`, root);
    return { root };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The packages that one needs, itself included, whose names begin with one of `prefixes`. */
export function debianDependencies(name: string, prefixes: readonly string[]): string[] {
  const only = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
  const args = ["depends", "--recurse", ...only.map((kind) => `--no-${kind}`), name];
  const { stdout } = spawnSync("apt-cache", args, { encoding: "utf8" });
  const names = (stdout ?? "").split("\n").filter((line) => /^[a-z0-9]/.test(line));
  return [...new Set(names)].filter((each) => prefixes.some((prefix) => each.startsWith(prefix)));
}

function download(dir: string, packages: readonly string[]): string | undefined {
  const args = ["download", "-q", ...packages];
  const problem = run("apt-get", args, dir);
  if (problem === undefined || process.getuid?.() !== 0) return problem;
  // A machine may have come without apt's lists.
  return run("apt-get", ["update", "-q"]) ?? run("apt-get", args, dir);
}

function unpack(dir: string, root: string): string | undefined {
  for (const file of readdirSync(dir).filter((each) => each.endsWith(".deb"))) {
    const problem = run("dpkg-deb", ["-x", join(dir, file), root]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function run(command: string, args: readonly string[], cwd = "/"): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout: TIMEOUT_MS,
  });
  if (status === 0) return undefined;
  const why = error?.message ?? stderr.trim().split("\n").at(-1) ?? "it failed";
  return `${command} ${args.slice(0, 3).join(" ")}: ${why}`;
}
