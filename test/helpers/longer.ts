import { pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/** `npm run test:long`: also what takes long and is the sibling of something that `npm test` tries. */
export const WITH_ALL = process.env.PROV_TEST_LONG === "1";
/** `npm run test:brokers`: every way in which a broker can fail, for which `npm test` has no time. */
export const WITH_ALL_BROKERS = WITH_ALL || process.env.PROV_TEST_BROKERS === "1";

/** A piece of work, and how long it takes on a small machine; the quickest of a few was not interrupted. */
const WORK = () => pbkdf2Sync("speed", "of this machine", 20_000, 32, "sha256");
const WORK_MS = 10;
const TRIES = 4;
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
    measured = { at: now, slowness: Math.min(SLOWEST, workRatio() * waitRatio()) };
  return measured.slowness;
}

/** How much slower this machine works than a small one, or 1. */
function workRatio(): number {
  const times = Array.from({ length: TRIES }, () => {
    const begin = performance.now();
    WORK();
    return performance.now() - begin;
  });
  return Math.max(1, Math.min(...times) / WORK_MS);
}

/** How much longer each waits for its turn than beside the suite alone, by the kernel's count of who wants to run, or 1. */
function waitRatio(): number {
  const wanting = Math.max(runnable(), loadavg()[0] ?? 0);
  return Math.max(1, wanting / (OWN_LOAD * availableParallelism()));
}

function runnable(): number {
  try {
    return Number(/ (\d+)\/\d+ /.exec(readFileSync("/proc/loadavg", "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // not Linux
  }
}
