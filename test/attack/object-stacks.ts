import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { firmwareFiles, firmwareFolders } from "../helpers/firmware-main.js";

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const OUT = join(REPOSITORY, ".cache", "stacks");

/** A function of ours: its own stack frame in bytes, and what it calls. */
interface Frame {
  readonly bytes: number;
  readonly calls: readonly string[];
}

/** By gcc's name of the function. */
export type Frames = ReadonlyMap<string, Frame>;

/** Compiles firmware/main with gcc for this machine, whose pointers are wider than the chips'. */
export async function compileForStacks(): Promise<Frames> {
  mkdirSync(OUT, { recursive: true });
  // The key is the device's, not the code's: an empty one stands in for it.
  const keys = ["DEVICE_ID", "DEVICE_PRIVATE_KEY_PEM", "DEVICE_CSR_PEM"];
  writeFileSync(join(OUT, "device_keys.h"), keys.map((name) => `#define ${name} ""\n`).join(""));
  const given = [OUT, join(REPOSITORY, "test/golden"), join(REPOSITORY, "firmware/host/include")];
  const include = [...firmwareFolders(), ...given];
  const options = [
    "-std=gnu11",
    "-Os",
    "-c",
    "-D_GNU_SOURCE",
    "-fcallgraph-info=su",
    "-fno-asynchronous-unwind-tables",
    "-fcf-protection=none",
    "-fno-stack-protector",
  ];
  const flags = [...options, ...include.flatMap((dir) => ["-I", dir])];
  await run("gcc", [...flags, ...firmwareFiles(".c")], { cwd: OUT });
  return readFrames();
}

/** What gcc's graph cannot follow: functions that call through a table, and the names of those that are in it. */
const CALLS_BY_TABLE: Readonly<Record<string, RegExp>> = { prov_actions_run: /^prov_do_/ };
const INDIRECT = "__indirect_call";

const NODE = /^node: \{ title: "([^"]+)" label: "[^"]*?\\n(\d+) bytes/;
const EDGE = /^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/;

/** gcc's call graph: static functions are named `file.c:function`. */
function readFrames(): Frames {
  const lines = readdirSync(OUT)
    .filter((name) => name.endsWith(".ci"))
    .flatMap((name) => readFileSync(join(OUT, name), "utf8").split("\n"));
  const calls = new Map<string, string[]>();
  for (const line of lines) {
    const [, from, to] = EDGE.exec(line) ?? [];
    if (from !== undefined && to !== undefined) calls.set(from, [...(calls.get(from) ?? []), to]);
  }
  const frames = new Map<string, Frame>();
  for (const line of lines) {
    const [, name, bytes] = NODE.exec(line) ?? [];
    if (name !== undefined)
      frames.set(name, { bytes: Number(bytes), calls: calls.get(name) ?? [] });
  }
  for (const [caller, inTable] of Object.entries(CALLS_BY_TABLE)) {
    const name = nameOf(frames, caller);
    const frame = frames.get(name);
    const called = [...frames.keys()].filter((each) => inTable.test(short(each)));
    if (!frame?.calls.includes(INDIRECT) || called.length === 0)
      throw new Error(`${caller} calls through no table`);
    frames.set(name, { bytes: frame.bytes, calls: [...frame.calls, ...called] });
  }
  return frames;
}

function nameOf(frames: Frames, wanted: string): string {
  const found = [...frames.keys()].find((name) => short(name) === wanted);
  if (found === undefined) throw new Error(`no function ${wanted}`);
  return found;
}

export interface TaskStack {
  /** The largest single frame of ours that the task can reach, and whose it is. */
  readonly largest: { readonly name: string; readonly bytes: number };
  /** The deepest chain of our own frames. */
  readonly deepest: number;
}

/** What a task needs of its stack for our own code, from the functions where it enters. */
export function stackOf(frames: Frames, entries: readonly string[]): TaskStack {
  const names = entries.map((entry) => nameOf(frames, entry));
  const reached = new Set<string>();
  const depthOf = (name: string, above: ReadonlySet<string>): number => {
    const frame = frames.get(name);
    if (frame === undefined || above.has(name)) return 0; // not ours, or a recursion
    reached.add(name);
    const path = new Set(above).add(name);
    return frame.bytes + Math.max(0, ...frame.calls.map((callee) => depthOf(callee, path)));
  };
  const deepest = Math.max(...names.map((name) => depthOf(name, new Set())));
  const largest = [...reached]
    .map((name) => ({ name: short(name), bytes: frames.get(name)?.bytes ?? 0 }))
    .reduce((most, each) => (each.bytes > most.bytes ? each : most));
  return { largest, deepest };
}

/** Without the path of the file, and without the suffix of a part that gcc split off. */
function short(name: string): string {
  return (name.split(":").at(-1) ?? name).replace(/\..*$/, "");
}
