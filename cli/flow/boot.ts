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

/**
 * Resets the board and reads its log until it has found out whether it is provisioned.
 * @throws ProvError boot_timeout, port_*
 */
export async function waitForBoot(
  board: Pick<FlashedBoard, "port">,
  options: {
    timeoutMs: number;
    signal: AbortSignal;
    progress: Progress;
    secrets: readonly string[];
  },
): Promise<BootedBoard> {
  const { timeoutMs, signal, progress } = options;
  return asTask(progress, "boot", async () => {
    let last = "";
    const result = await monitor({
      port: board.port,
      reset: true,
      until: SETTLED,
      timeoutMs,
      signal,
      secrets: options.secrets,
      onLine: (line) => {
        last = line.text;
        progress.detail(`board: ${line.text}`);
      },
    }).catch((error: unknown) => {
      if (!(error instanceof ProvError) || error.code !== "monitor_timeout") throw error;
      throw new ProvError(
        "boot_timeout",
        `the board on ${board.port} did not report AP_MODE within ${timeoutMs / 1000} s; its last line: ${last === "" ? "none" : last}`,
      );
    });
    signal.throwIfAborted();
    const state = result.reason === "matched" ? SETTLED.exec(result.line.text)?.[1] : undefined;
    return { port: board.port, state: state === "AP_MODE" ? "AP_MODE" : "WIFI_CONNECTING" };
  });
}
