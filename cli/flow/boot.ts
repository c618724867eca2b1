import { parseTransition } from "../../codegen/states.js";
import { ProvError } from "../errors.js";
import { optional } from "../optional.js";
import { monitor } from "../serial/monitor.js";
import { asTask, type Progress } from "../terminal/progress.js";
import type { FlashedBoard } from "./flash.js";

/** What a board's log tells of its boot. */
export interface BootReport {
  /** The state that it settled in; missing where the log tells none. */
  readonly state?: BootedState;
  /** The digest of the network that it joins, if its log told one. */
  readonly network?: string;
  /** Whose firmware it runs, if its log told. */
  readonly device?: string;
}

/** Waiting for credentials; provisioned but not online (yet); online. */
type BootedState = "AP_MODE" | "WIFI_CONNECTING" | "MQTT_CONNECTED";

/** prov_do_connect() in prov_actions_join.c. */
const JOINING = /joining the network ([0-9a-f]{16})\b/;
/** main.c. */
const DEVICE = /\bprov: device (\S+), firmware /;

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
 * Resets the board and reads its log until it waits for credentials or, if it has some, is online. A board
 * that has credentials but does not get online in time has booted all the same.
 * @throws ProvError boot_timeout, port_*
 */
export async function waitForBoot(
  board: Pick<FlashedBoard, "port">,
  options: BootOptions,
): Promise<BootReport> {
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
): Promise<(BootReport & { state: BootedState }) | { last: string }> {
  let last = "";
  let isConnecting = false;
  let network: string | undefined;
  let device: string | undefined;
  const told = () => optional({ network, device });
  try {
    const result = await monitor({
      port,
      reset: how.reset,
      until: (line) => settledIn(line) !== undefined,
      timeoutMs: how.withinMs,
      signal,
      secrets,
      onNote: progress.note,
      onLine: (line) => {
        last = line.text;
        isConnecting ||= parseTransition(line.text)?.to === "WIFI_CONNECTING";
        network = JOINING.exec(line.text)?.[1] ?? network;
        device = DEVICE.exec(line.text)?.[1] ?? device;
        progress.detail(`board: ${line.text}`);
      },
    });
    signal.throwIfAborted();
    const state = result.reason === "matched" ? settledIn(result.line.text) : undefined;
    if (state !== undefined) return { state, ...told() };
  } catch (error) {
    if (!(error instanceof ProvError) || error.code !== "monitor_timeout") throw error;
  }
  return isConnecting ? { state: "WIFI_CONNECTING", ...told() } : { last };
}

/** The state in which nothing more happens by itself. */
function settledIn(line: string): "AP_MODE" | "MQTT_CONNECTED" | undefined {
  const state = parseTransition(line)?.to;
  return state === "AP_MODE" || state === "MQTT_CONNECTED" ? state : undefined;
}
