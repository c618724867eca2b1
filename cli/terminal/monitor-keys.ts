import type { Output } from "./output.js";

const CTRL_C = 0x03;
const CTRL_R = 0x12;
const CTRL_RIGHT_BRACKET = 0x1d;

/** What the keys act on: the port that is open right now. */
interface Resettable {
  reset(): Promise<void>;
}

/** Ctrl-R resets the board, Ctrl-] leaves, as in ESP-IDF's monitor. */
export function createMonitorKeys(leave: AbortController, out: Pick<Output, "note" | "warn">) {
  let current: Resettable | undefined;
  const { stdin } = process;
  const onKey = (bytes: Buffer): void => {
    if (bytes.includes(CTRL_C)) process.kill(process.pid, "SIGINT");
    else if (bytes.includes(CTRL_RIGHT_BRACKET)) leave.abort();
    else if (bytes.includes(CTRL_R))
      void current?.reset().catch((error: unknown) => out.warn(String(error)));
  };
  return {
    attach(control: Resettable): void {
      if (!stdin.isTTY) return;
      if (!current) {
        stdin.setRawMode(true);
        stdin.on("data", onKey);
        out.note("Ctrl-R resets the board, Ctrl-] leaves");
      }
      current = control;
    },
    detach(): void {
      if (!current) return;
      stdin.off("data", onKey);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
