import { ProvError } from "../errors.js";
import { asTask, type Progress } from "../progress.js";
import { monitor } from "../serial/monitor.js";
import type { FlashedBoard } from "./flash.js";

/** A board whose state machine has settled. */
export interface BootedBoard {
  readonly port: string;
  /** The state that it settled in. */
  readonly state: "AP_MODE" | "WIFI_CONNECTING";
}

/** The board's log tells every transition: `state CHECK_PROVISIONING -> AP_MODE`. */
const SETTLED = /state \w+ -> (AP_MODE|WIFI_CONNECTING)\b/;

interface BootOptions {
  readonly timeoutMs: number;
  /**
   * How long the board may take that boots for the first time and burns eFuses: cut short, it may never boot
   * again, so it is not reset before. 0 when it burns none.
   */
  readonly firstBootMs?: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly secrets: readonly string[];
}

/**
 * Resets the board and reads its log until it has found out whether it is provisioned.
 * @throws ProvError boot_timeout, port_*
 */
export async function waitForBoot(
  board: Pick<FlashedBoard, "port">,
  options: BootOptions,
): Promise<BootedBoard> {
  const { timeoutMs, firstBootMs = 0, signal, progress } = options;
  return asTask(progress, "boot", async () => {
    if (firstBootMs > 0) {
      progress.note("the first boot burns eFuses and may take minutes: leave the board its power");
      const settled = await watch(board.port, options, { reset: false, withinMs: firstBootMs });
      if ("state" in settled) return settled;
      signal.throwIfAborted();
    }
    const settled = await watch(board.port, options, { reset: true, withinMs: timeoutMs });
    if ("state" in settled) return settled;
    throw new ProvError(
      "boot_timeout",
      `the board on ${board.port} did not report AP_MODE within ${timeoutMs / 1000} s; its last line: ${settled.last === "" ? "none" : settled.last}`,
    );
  });
}

async function watch(
  port: string,
  { signal, progress, secrets }: BootOptions,
  how: { reset: boolean; withinMs: number },
): Promise<BootedBoard | { last: string }> {
  let last = "";
  try {
    const result = await monitor({
      port,
      reset: how.reset,
      until: SETTLED,
      timeoutMs: how.withinMs,
      signal,
      secrets,
      onLine: (line) => {
        last = line.text;
        progress.detail(`board: ${line.text}`);
      },
    });
    signal.throwIfAborted();
    const state = result.reason === "matched" ? SETTLED.exec(result.line.text)?.[1] : undefined;
    return { port, state: state === "AP_MODE" ? "AP_MODE" : "WIFI_CONNECTING" };
  } catch (error) {
    if (!(error instanceof ProvError) || error.code !== "monitor_timeout") throw error;
    return { last };
  }
}
