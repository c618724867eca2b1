import { StringDecoder } from "node:string_decoder";

/** A line longer than this is cut: a log is for people, and a runaway writer must not fill memory. */
const MAX_LINE = 8192;

/** Splits bytes into lines of UTF-8 text, without `\n` and `\r\n`. */
export function createLineSplitter(onLine: (line: string) => void) {
  const decoder = new StringDecoder("utf8");
  let pending = "";

  const take = (text: string): void => {
    const lines = (pending + text).split("\n");
    pending = (lines.pop() ?? "").slice(0, MAX_LINE);
    for (const line of lines) onLine(line.replace(/\r$/, "").slice(0, MAX_LINE));
  };

  return {
    feed(chunk: Uint8Array): void {
      take(decoder.write(Buffer.from(chunk)));
    },
    /** Hands out a last line that has no newline. */
    end(): void {
      take(decoder.end());
      if (pending !== "") onLine(pending);
      pending = "";
    },
  };
}
