import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { ProvError } from "../errors.js";
import { reasonOf, systemError } from "../system-error.js";

/** The file that a log is kept in besides. */
export interface LogFile {
  write(text: string): void;
  /** Resolves when all of it is in the file. @throws ProvError file_inaccessible */
  close(): Promise<void>;
}

/** @param onError told when a write fails: a log with holes in it is worse than none */
export async function openLog(file: string, onError: (error: ProvError) => void): Promise<LogFile> {
  const stream = createWriteStream(file, { flags: "a", mode: 0o600 });
  let trouble: ProvError | undefined;
  stream.on("error", (error) => {
    trouble = systemError(error, file) ?? unwritable(file, error);
    onError(trouble);
  });
  try {
    await once(stream, "open");
  } catch (error) {
    throw trouble ?? unwritable(file, error);
  }
  return {
    write: (text) => void stream.write(text),
    async close() {
      stream.end();
      await finished(stream).catch(() => {}); // its error has been told to the listener above
      if (trouble) throw trouble;
    },
  };
}

function unwritable(file: string, cause: unknown): ProvError {
  const reason = reasonOf(cause);
  return new ProvError("file_inaccessible", `${file}: ${reason}`, { cause });
}
