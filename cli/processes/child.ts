import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { childEnvironment } from "./child-environment.js";

const SETPRIV = "/usr/bin/setpriv";
const alive = new Set<ChildProcess>();
let isGuarding = false;

/**
 * Starts a program that must not outlive this one. A normal exit kills it here; where the system can
 * (Linux), the kernel kills it too when this process dies without a chance to clean up. Without an environment
 * of its own it gets this one's, but no secret.
 */
export function spawnBound(
  program: string,
  args: readonly string[],
  given: SpawnOptions,
): ChildProcess {
  const options = { ...given, env: given.env ?? childEnvironment() };
  const isLinux = process.platform === "linux" && existsSync(SETPRIV);
  const child = isLinux
    ? spawn(SETPRIV, ["--pdeathsig", "KILL", "--", program, ...args], options)
    : spawn(program, [...args], options);
  alive.add(child);
  child.once("exit", () => alive.delete(child));
  child.once("error", () => alive.delete(child));
  guardExit();
  return child;
}

/** Asks politely, insists after `graceMs` (at once when it is 0), and resolves when the process is gone. */
export async function stopChild(child: ChildProcess, graceMs: number): Promise<void> {
  if (hasExited(child)) return;
  const exited = once(child, "exit");
  child.kill(graceMs === 0 ? "SIGKILL" : "SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await exited;
  clearTimeout(timer);
}

export function hasExited(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function guardExit(): void {
  if (isGuarding) return;
  isGuarding = true;
  process.once("exit", () => {
    for (const child of alive) child.kill("SIGKILL");
  });
}
