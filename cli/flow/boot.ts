import { type DeviceState, phaseFrom } from "../../codegen/states.js";
import { ProvError } from "../errors.js";
import { optional } from "../optional.js";
import { monitor } from "../serial/monitor.js";
import { asTask, type Progress } from "../terminal/progress.js";
import type { FlashedBoard } from "./flash.js";

/** What a board's log tells of its boot. */
export interface BootReport {
  /** Waiting for credentials; provisioned but not online (yet); online. Missing where the log tells none. */
  readonly phase?: BootedPhase;
  /** The digest of the network that it joins, if its log told one. */
  readonly network?: string;
  /** Whose firmware it runs, if its log told. */
  readonly device?: string;
}

type BootedPhase = Exclude<DeviceState["phase"], "starting">;

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
      if ("phase" in settled) return settled;
      signal.throwIfAborted();
    }
    const settled = await watch(board.port, options, { reset: true, withinMs: timeoutMs });
    if ("phase" in settled) return settled;
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
): Promise<(BootReport & { phase: BootedPhase }) | { last: string }> {
  let last = "";
  let isWorking = false;
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
        isWorking ||= phaseFrom(line.text) === "working";
        network = JOINING.exec(line.text)?.[1] ?? network;
        device = DEVICE.exec(line.text)?.[1] ?? device;
        progress.detail(`board: ${line.text}`);
      },
    });
    signal.throwIfAborted();
    const phase = result.reason === "matched" ? settledIn(result.line.text) : undefined;
    if (phase !== undefined) return { phase, ...told() };
  } catch (error) {
    if (!(error instanceof ProvError) || error.code !== "monitor_timeout") throw error;
  }
  return isWorking ? { phase: "working", ...told() } : { last };
}

/** What the device does when nothing more happens by itself. */
function settledIn(line: string): "waiting" | "online" | undefined {
  const phase = phaseFrom(line);
  return phase === "waiting" || phase === "online" ? phase : undefined;
}
