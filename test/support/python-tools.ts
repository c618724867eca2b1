import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { longer } from "../helpers/longer.js";
import { REPOSITORY } from "../helpers/prov.js";

const INSTALL_MS = 240_000;

/**
 * A Python with these PyPI packages, in a virtual environment below `.cache` that is made when it is missing.
 * @param name of the environment
 * @returns the interpreter, or why there is none (PyPI out of reach)
 */
export function findPython(
  name: string,
  packages: readonly string[],
): { python: string } | { missing: string } {
  const venv = path.join(REPOSITORY, ".cache", `venv-${name}`);
  const python = path.join(venv, "bin", "python");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages];
  if (!existsSync(python)) {
    const problem = run("python3", ["-m", "venv", venv]);
    if (problem) return { missing: problem };
  }
  // Of several names pip is content with one that is there.
  const isThere = (name: string): boolean =>
    run(python, ["-m", "pip", "show", "--quiet", bareName(name)]) === undefined;
  const problem = packages.every(isThere) ? undefined : run(python, pip);
  return problem ? { missing: problem } : { python };
}

function bareName(requirement: string): string {
  return requirement.split(/[<>=~!]/, 1)[0] ?? requirement;
}

function run(command: string, args: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: longer(INSTALL_MS),
  });
  if (status === 0) return undefined;
  const why = error?.message ?? stderr.trim().split("\n").at(-1) ?? "it failed";
  return `${path.basename(command)} ${args.join(" ")}: ${why}`;
}
