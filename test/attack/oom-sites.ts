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
  /** The same for those that differ above the function of ours that called mbedTLS. */
  readonly key: string;
}

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
    const named = stack.map((frame) => functions.get(frame) ?? frame);
    const functionsOf = named.filter((each) => !ALLOCATOR.test(each));
    const entry = named.findLastIndex((each) => each.startsWith("mbedtls_"));
    const key = entry < 0 ? name : stack.slice(0, entry + 2).join(" ");
    return { name, functions: functionsOf, key };
  });
  return sites.filter(({ functions: stack }) => stack.includes("run_task"));
}

/** The names of the functions where the return addresses lie, or of their libraries. */
async function symbolize(elf: string, frames: readonly string[]): Promise<Map<string, string>> {
  const own = [...new Set(frames)].filter((frame) => frame.startsWith("program+"));
  // A return address may be the first of the next function.
  const addresses = own.map((frame) => (Number.parseInt(frame.slice(8), 16) - 1).toString(16));
  const { stdout } = await run("addr2line", ["-f", "-e", elf, ...addresses], {
    maxBuffer: 1 << 26,
  });
  const lines = stdout.split("\n"); // two for each: function, and place in the sources
  const names = new Map(frames.map((frame) => [frame, frame.replace(/\+.*/, "")]));
  for (const [index, frame] of own.entries()) names.set(frame, lines[2 * index] ?? "?");
  return names;
}

/** A failure there ends no more than a handshake, or the look at a certificate. */
export function isOfMbedtls({ functions }: Site): boolean {
  return functions.some((name) => name.startsWith("mbedtls_"));
}

/** The stack in one line, as far as a person needs it. */
export function describeSite({ name, functions }: Site): string {
  const end = functions.indexOf("run_task");
  return `${name} ${functions.slice(0, end < 0 ? undefined : end).join(" < ")}`;
}
