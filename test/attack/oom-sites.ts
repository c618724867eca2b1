import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A call stack that ends in an allocation. */
export interface Site {
  /** As host_oom.h has it. */
  readonly name: string;
  /** Innermost first, without those of the allocator itself. */
  readonly functions: readonly string[];
  /** The source file of the innermost function that is not the allocator's; a library's name where that is all. */
  readonly place: string;
}

const FRAME = /^(.+)\+([0-9a-f]+)$/;
const ALLOCATOR =
  /^(libasan\.so.*|judge|host_oom_fails|may_take|__wrap_\w+|counted_malloc|backtrace)$/;

/** The sites of a `seen` file. Those of the port's own start, before the firmware has a task, are left out. */
export async function readSites(seenFile: string, elf: string): Promise<readonly Site[]> {
  const lines = readFileSync(seenFile, "utf8").trimEnd().split("\n");
  const frames = lines.map((line) => line.split(" "));
  const functions = await symbolize(
    elf,
    frames.flatMap((each) => each.slice(1)),
  );
  const sites = frames.map(([name = "", ...stack]): Site => {
    const named = stack.map((frame) => functions.get(frame) ?? { name: frame, file: frame });
    const own = named.filter((each) => !ALLOCATOR.test(each.name));
    return {
      name,
      functions: own.map((each) => each.name),
      place: own[0]?.file ?? "?",
    };
  });
  return sites.filter(({ functions: stack }) => stack.includes("run_task"));
}

interface Place {
  readonly name: string;
  readonly file: string;
}

async function symbolize(elf: string, frames: readonly string[]): Promise<Map<string, Place>> {
  const own = [...new Set(frames)].filter((frame) => frame.startsWith("program+"));
  // A return address may be the first of the next function.
  const addresses = own.map((frame) => (Number.parseInt(frame.slice(8), 16) - 1).toString(16));
  const places = new Map<string, Place>();
  const args = ["-f", "-s", "-e", elf, ...addresses];
  const { stdout } = await run("addr2line", args, { maxBuffer: 1 << 26 });
  const lines = stdout.split("\n");
  for (const [index, frame] of own.entries()) {
    const file = (lines[2 * index + 1] ?? "?").replace(/:.*/, "");
    places.set(frame, { name: lines[2 * index] ?? "?", file });
  }
  for (const frame of frames) {
    const library = FRAME.exec(frame)?.[1];
    if (!places.has(frame) && library !== undefined)
      places.set(frame, { name: library, file: library });
  }
  return places;
}

/** The stack in one line, as far as a person needs it. */
export function describeSite({ name, functions }: Site): string {
  const end = functions.indexOf("run_task");
  return `${name} ${functions.slice(0, end < 0 ? undefined : end).join(" < ")}`;
}
