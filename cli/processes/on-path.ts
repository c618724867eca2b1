import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { ProvError } from "../errors.js";

/** Whether a program can be started by its name. */
export function isOnPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env.PATH ?? "").split(delimiter).some((dir) => isExecutable(join(dir, program)));
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What cannot be started, and where it comes from; `setpriv` and `cmake` would tell of it in words of their own. */
const PACKAGES = {
  bash: "bash",
  cmake: "cmake",
  ninja: "ninja-build (apt) or ninja (brew)",
  mosquitto: "mosquitto",
  socat: "socat",
} as const;

/** @throws ProvError tool_missing with the package that brings it */
export function requireProgram(program: keyof typeof PACKAGES, env: NodeJS.ProcessEnv): void {
  if (isOnPath(program, env)) return;
  throw new ProvError("tool_missing", `${program} is not installed or not on the PATH`, {
    hint: `Install the package ${PACKAGES[program]}, and run the same command again; \`prov doctor\` tells what else is missing.`,
  });
}
