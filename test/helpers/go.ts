import { spawnSync } from "node:child_process";
import { childEnvironment } from "../../cli/processes/child-environment.js";

/** How one calls Go. */
export interface GoCall {
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Builds a program. @returns its path, or why there is none */
export function buildWithGo(
  program: string,
  args: readonly string[],
  { cwd, timeoutMs, environment }: GoCall,
): { program: string } | { missing: string } {
  const { error, status, stderr } = spawnSync("go", args, {
    ...{ cwd, encoding: "utf8", timeout: timeoutMs },
    env: { ...childEnvironment(), ...environment },
  });
  if (status === 0) return { program };
  return { missing: `go: ${error?.message ?? stderr.trim().split("\n").at(-1)}` };
}
