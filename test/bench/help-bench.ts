import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { REPOSITORY } from "../helpers/prov.js";
import { median } from "./median.js";

/** Medians in milliseconds of wall-clock time, from spawning the process to its end. */
export interface HelpFigures {
  readonly runs: number;
  /** `node -e 0`. */
  readonly bareNodeMs: number;
  /** `prov --help`. */
  readonly helpMs: number;
  /** Median of the pairs' differences: what prov adds. */
  readonly overheadMs: number;
}

/** What prov may add to a bare start of Node, in milliseconds. */
export const HELP_OVERHEAD_LIMIT_MS = 60;

/**
 * Times `prov --help` against `node -e 0`, one after the other in pairs, so that whatever else the machine
 * does weighs on both alike.
 */
export async function benchHelp(runs = 15): Promise<HelpFigures> {
  const main = join(REPOSITORY, "dist", "cli", "main.js");
  const bare: number[] = [];
  const help: number[] = [];
  await time(main, "--help"); // reads the files into the page cache
  for (let run = 0; run < runs; run += 1) {
    bare.push(await time("-e", "0"));
    help.push(await time(main, "--help"));
  }
  return {
    runs,
    bareNodeMs: median(bare),
    helpMs: median(help),
    overheadMs: median(help.map((ms, run) => ms - (bare[run] ?? 0))),
  };
}

async function time(...args: string[]): Promise<number> {
  const begin = performance.now();
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`node ${args.join(" ")} ended with ${code}`);
  return performance.now() - begin;
}
