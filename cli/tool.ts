import { $ } from "zx/core";
import { ProvError } from "./errors.js";

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

export interface ToolOutcome {
  exitCode: number;
  lines: string[];
}

const KILL_AFTER_MS = 3_000;
/** The tail is enough to explain a failure; a build may print a hundred thousand lines. */
const LINES_KEPT = 20_000;

/**
 * Runs a tool with stdout and stderr merged, line by line. It gets a process group of its own, which
 * is ended as a whole when `signal` aborts, so that no compiler outlives a Ctrl-C.
 * @throws ProvError tool_missing when the command is not there; the abort reason when aborted
 */
export async function runTool(run: ToolRun): Promise<ToolOutcome> {
  run.signal.throwIfAborted();
  const shell = $({
    cwd: run.cwd,
    env: { ...process.env, ...run.env },
    quiet: true,
    nothrow: true,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const child = run.source
    ? shell`{ . ${run.source} >/dev/null && exec ${run.command} ${run.args}; } 2>&1`
    : shell`exec ${run.command} ${run.args} 2>&1`;
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid) process.kill(-child.pid, signal);
    } catch {
      // The group has ended already.
    }
  };
  const abort = (): void => {
    kill("SIGTERM");
    setTimeout(() => kill("SIGKILL"), KILL_AFTER_MS).unref();
  };
  run.signal.addEventListener("abort", abort, { once: true });
  const lines: string[] = [];
  try {
    for await (const line of child) {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      run.onLine?.(line);
    }
    const { exitCode } = await child;
    run.signal.throwIfAborted();
    if (exitCode === 127)
      throw new ProvError("tool_missing", `${run.command} is not installed or not on the PATH`);
    return { exitCode: exitCode ?? 1, lines };
  } finally {
    run.signal.removeEventListener("abort", abort);
  }
}
