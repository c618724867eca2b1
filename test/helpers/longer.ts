import { pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/** `npm run test:brokers`: every way in which a broker can fail, for which `npm test` has no time. */
export const WITH_ALL_BROKERS = process.env.PROV_TEST_BROKERS === "1";

/** A piece of work, and how long it takes on a small machine that has nothing to do but the suite. */
const WORK = () => pbkdf2Sync("speed", "of this machine", 100_000, 32, "sha256");
const WORK_MS = 40;
/** As many of the suite's own threads and processes want to run at once, for each CPU. */
const OWN_LOAD = 2;
const MEASURED_FOR_MS = 5_000;
/** More than that is not slow but stuck. */
const SLOWEST = 10;

let measured = { at: Number.NEGATIVE_INFINITY, slowness: 1 };

/**
 * A bound for what takes `ms` at most where nothing but the suite runs, with the time that this machine needs now:
 * other programs take their share of it. For bounds that keep a test from hanging, and for times
 * that a verdict has to wait for; what can be an event is better one.
 */
export function longer(ms: number): number {
  return Math.ceil(ms * slowness());
}

/** The same for an option of prov: seconds, as text. */
export function longerSeconds(seconds: number): string {
  return String(Math.ceil(longer(seconds * 1000) / 1000));
}

function slowness(): number {
  const now = performance.now();
  if (now - measured.at > MEASURED_FOR_MS)
    measured = { at: now, slowness: Math.min(SLOWEST, Math.max(1, slowdown(), waiting())) };
  return measured.slowness;
}

/** By a piece of work: how fast the machine is, and what else it does at this moment. */
function slowdown(): number {
  const begin = performance.now();
  WORK();
  return (performance.now() - begin) / WORK_MS;
}

/** By the kernel's count of those who want to run, now and in the last minute: how long each waits for its turn. */
function waiting(): number {
  return Math.max(runnable(), loadavg()[0] ?? 0) / (OWN_LOAD * availableParallelism());
}

function runnable(): number {
  try {
    return Number(/ (\d+)\/\d+ /.exec(readFileSync("/proc/loadavg", "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // not Linux
  }
}
