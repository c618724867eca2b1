import { fileURLToPath } from "node:url";
import { MAIN, run } from "./prov.js";

export const AT_TERMINAL = fileURLToPath(new URL("../support/at-terminal.py", import.meta.url));
export const ESCAPE = "\u001b";

/** `prov`, for a shell. */
export const PROV = `'${process.execPath}' '${MAIN}'`;

/** Runs a shell command at a terminal, with a clean slate as to colour. */
export async function atTerminal(command: string, env: Record<string, string> = {}, columns = 80) {
  const clear = ["NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "CI"].flatMap((name) => ["-u", name]);
  const set = Object.entries({ TERM: "xterm", ...env }).map(([name, value]) => `${name}=${value}`);
  return run("env", [
    ...clear,
    ...set,
    "python3",
    AT_TERMINAL,
    String(columns),
    "sh",
    "-c",
    command,
  ]);
}
