import type { VirtualBoard } from "../../cli/lab/board/virtual-board.js";
import { longer } from "../helpers/longer.js";

const WAIT_MS = 60_000;

/** The end of the board's log, for a message about what went wrong. */
export function tail(board: VirtualBoard): string {
  return board.log.recent(25).join("\n");
}

/** The next line of the log that matches; rejects with the log when none comes, or the board goes off. */
export async function nextLine(board: VirtualBoard, pattern: RegExp): Promise<string> {
  try {
    return await board.log.waitFor((line) => pattern.test(line), {
      futureOnly: true,
      signal: AbortSignal.timeout(longer(WAIT_MS)),
    });
  } catch (cause) {
    throw new Error(`the board did not say ${pattern}; it said\n${tail(board)}`, { cause });
  }
}
