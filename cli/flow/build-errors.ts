import { statfsSync } from "node:fs";
import { ProvError } from "../errors.js";

/** Ninja's line about a step that begins: `[7/964] Building C object …`. */
export const NINJA_STEP = /^\[(\d+)\/(\d+)\]\s+(.*)$/;

/**
 * How the tools of a build begin to tell of an error: gcc, as ("Error:", "Fatal error:"), ninja and Kconfig; idf.py and
 * the component manager ("ERROR: …"); a Python exception; esptool; CMake; the linker, whose own lines have no such word.
 */
const FIRST_ERROR = [
  /\berror: /i,
  /^error\b(?![.:]?$|\.)/i,
  /^(?:\w+\.)*\w+Error: /,
  /^A fatal error occurred: /,
  /^ninja: fatal: /,
  /^CMake Error/,
  /undefined reference|multiple definition|will not fit in region|overflowed by \d+/,
  /\bcannot find -l|final link failed|relocation truncated to fit|dangerous relocation/,
];
const WARNING = /\bwarning: /i;
/** What ends a message of several lines, besides an empty one. */
const NEXT = /^(?:Call Stack|-- |CMake |HINT: |ninja: |FAILED: |\[\d+\/\d+\] )/;
const MESSAGE_LINES_MAX = 8;
/** No build has room in less, not even its first step. */
const FREE_BYTES_MIN = 1024 * 1024;

/** What the system tells a tool when the disk is the trouble, with the name of the error; strerror(3). */
const DISK_TROUBLE: Readonly<Record<string, string>> = {
  "No space left on device": "no space left on the device (ENOSPC)",
  "Disk quota exceeded": "the disk quota is used up (EDQUOT)",
  "Read-only file system": "the file system is read-only (EROFS)",
};

/** Finds the first error in what a build prints. One that ends in a colon goes on in the paragraph that follows. */
export function createErrorFinder() {
  let firstError: string | undefined;
  let linesLeft = 0;
  return {
    onLine(line: string): void {
      const text = line.trim();
      if (firstError === undefined) {
        if (WARNING.test(line) || !FIRST_ERROR.some((pattern) => pattern.test(text))) return;
        firstError = text;
        linesLeft = text.endsWith(":") ? MESSAGE_LINES_MAX : 0;
      } else if (linesLeft > 0) {
        const isOver = text === "" ? !firstError.endsWith(":") : NEXT.test(text);
        linesLeft = isOver ? 0 : linesLeft - 1;
        if (!isOver && text !== "") firstError += ` ${text}`;
      }
    },
    /** The first error that was printed, on one line, if any. */
    firstError: () => firstError,
  };
}

/**
 * The error for a tool that failed: what it printed first of it, or a full disk, which is no error of the code.
 * @param buildDir where it wrote; CMake's own tests fail there for want of space without a word of it
 */
export function buildFailed(
  tool: string,
  exitCode: number,
  lines: readonly string[],
  firstError: string | undefined,
  buildDir?: string,
): ProvError {
  const cause = new Error(lines.slice(-60).join("\n"));
  const hint =
    "Free some space, or use a folder that can be written to; then run the same command again.";
  for (const [words, trouble] of Object.entries(DISK_TROUBLE)) {
    const line = lines.find((text) => text.includes(words));
    if (line !== undefined)
      return new ProvError("file_inaccessible", `${tool} failed: ${trouble}: ${line.trim()}`, {
        hint,
        cause,
      });
  }
  const reason = firstError ?? failedStep(lines) ?? lastWords(lines) ?? "no output";
  if (buildDir !== undefined && isFull(buildDir))
    return new ProvError(
      "file_inaccessible",
      `${tool} failed: ${buildDir}: next to no space is left on the device: ${reason}`,
      { hint, cause },
    );
  return new ProvError("build_failed", `${tool} failed (exit ${exitCode}): ${reason}`, { cause });
}

function isFull(dir: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize < FREE_BYTES_MIN;
  } catch {
    return false;
  }
}

/** Ninja prints a failed step as "FAILED: <product>", its command, and then what that had to say. */
function failedStep(lines: readonly string[]): string | undefined {
  const begin = lines.findIndex((line) => line.startsWith("FAILED: "));
  if (begin < 0) return undefined;
  const output = lines.slice(begin + 2);
  const end = output.findIndex((line) => NINJA_STEP.test(line) || line.startsWith("ninja: "));
  return lastWords(end < 0 ? output : output.slice(0, end));
}

function lastWords(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => line.trim() !== "")?.trim();
}
