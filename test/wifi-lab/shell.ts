import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { slowly } from "./pace.js";

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
  seconds: number;
}

/** Runs a program to its end; a failure is an outcome, not an exception. */
export function run(file: string, ...args: string[]): Promise<Outcome> {
  const started = performance.now();
  return new Promise((resolve) => {
    const env = { ...process.env, LC_ALL: "C" };
    execFile(file, args, { env, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr, seconds: (performance.now() - started) / 1000 });
    });
  });
}

/** Runs a program that has to succeed and returns its stdout. */
export async function must(file: string, ...args: string[]): Promise<string> {
  const outcome = await run(file, ...args);
  if (outcome.code === 0) return outcome.stdout;
  throw new Error(`${file} ${args.join(" ")}: status ${outcome.code}: ${outcome.stderr}`);
}

/** Starts a program that stays; its output goes to a log file in /tmp. */
export function daemon(name: string, file: string, ...args: string[]): ChildProcess {
  const log = openSync(`/tmp/${name}.log`, "a");
  const child = spawn(file, args, { stdio: ["ignore", log, log] });
  closeSync(log);
  return child;
}

/** Ends a program and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

/** Waits until `probe` gives something; throws with `what` after `limitS` seconds, or more on a slow machine. */
export async function until<T>(
  what: string,
  limitS: number,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const allowedS = slowly(limitS);
  const limit = performance.now() + allowedS * 1000;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > limit) throw new Error(`${what}: not within ${allowedS} s`);
    await delay(150);
  }
}
