import { stripVTControlCharacters } from "node:util";
import { $ } from "zx/core";
import { ProvError } from "../errors.js";
import { visibleLine } from "../terminal/foreign-text.js";
import { childEnvironment } from "./child-environment.js";
import { requireProgram } from "./on-path.js";

export interface ToolRun {
  command: string;
  args: readonly string[];
  cwd: string;
  env?: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** A shell script to source first, such as ESP-IDF's export.sh. */
  source?: string;
  onLine?: (line: string) => void;
}

const KILL_AFTER_MS = 3_000;
/** The tail is enough to explain a failure; a build may print a hundred thousand lines. */
const LINES_KEPT = 20_000;
/** An installation that lacks one tool may lack all of them. */
const COMPLAINTS_SHOWN = 4;
/** Last words of the shell; an exit code alone could be the tool's own. */
const NO_COMMAND = "prov: the command is not on the PATH";
const NOT_SOURCED = "prov: the script to source failed";

/**
 * Runs a tool with stdout and stderr merged, line by line, without colours. It gets a process group of its own, which
 * is ended as a whole when `signal` aborts, so that no compiler outlives a Ctrl-C. The secrets that
 * prov takes from its environment are not handed on, and what it writes is the user's alone: a
 * firmware image holds the device's private key.
 * @throws ProvError tool_missing when the command or its shell is not there or `source` fails; the abort reason when aborted
 */
export async function runTool(run: ToolRun): Promise<{ exitCode: number; lines: string[] }> {
  run.signal.throwIfAborted();
  if (process.platform !== "win32") requireProgram("bash", process.env);
  const child = start(run);
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid) process.kill(-child.pid, signal);
    } catch {
      // The group has ended already.
    }
  };
  const killNow = (): void => kill("SIGKILL");
  let timer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    kill("SIGTERM");
    timer = setTimeout(killNow, KILL_AFTER_MS);
  };
  run.signal.addEventListener("abort", abort, { once: true });
  process.once("exit", killNow);
  const lines: string[] = [];
  let ended = false;
  try {
    for await (const raw of child) {
      const line = visibleLine(stripVTControlCharacters(raw));
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      run.onLine?.(line);
    }
    const { exitCode } = await child;
    run.signal.throwIfAborted();
    ended = true;
    refuseShellFailure(run, lines);
    return { exitCode: exitCode ?? 1, lines };
  } finally {
    run.signal.removeEventListener("abort", abort);
    process.removeListener("exit", killNow);
    clearTimeout(timer);
    // A straggler that closed its output but ignored SIGTERM is still in the group.
    if (!ended) killNow();
  }
}

function start({ command, args, cwd, env, source }: ToolRun) {
  const shell = $({
    cwd,
    env: { ...childEnvironment(), ...env },
    // zx's own prefix sets -eu, which ESP-IDF's export.sh is not written for.
    prefix: "",
    quiet: true,
    nothrow: true,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (source === undefined)
    return shell`umask 077; exec 2>&1; command -v ${command} >/dev/null || { echo ${NO_COMMAND}; exit 127; }; exec ${command} ${args}`;
  return shell`umask 077; exec 2>&1; . ${source} || { echo ${NOT_SOURCED}; exit 1; }; command -v ${command} >/dev/null || { echo ${NO_COMMAND}; exit 127; }; exec ${command} ${args}`;
}

function refuseShellFailure({ command, source }: ToolRun, lines: readonly string[]): void {
  const last = lines.at(-1);
  if (last !== NO_COMMAND && last !== NOT_SOURCED) return;
  if (source === undefined)
    throw new ProvError("tool_missing", `${command} is not installed or not on the PATH`);
  // From 5.4 on ESP-IDF's export.sh returns 0 whatever became of it: then the command alone is missing.
  const reason = complaints(lines.slice(0, -1));
  throw new ProvError("tool_missing", `${source} failed${reason ? `: ${reason}` : ""}`, {
    hint: "Run that script by hand; it says what its installation lacks.",
    cause: new Error(lines.slice(-60).join("\n")),
  });
}

/** What a script says of its failure: its errors, else its last words. */
function complaints(lines: readonly string[]): string {
  const words = lines.map((line) => line.trim()).filter(Boolean);
  const errors = [...new Set(words.filter((line) => /^(error|fatal)\b/i.test(line)))];
  return (errors.length > 0 ? errors.slice(0, COMPLAINTS_SHOWN) : words.slice(-1)).join("\n");
}
