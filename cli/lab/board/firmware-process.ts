import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Writable } from "node:stream";
import type { Chip } from "../../../codegen/chips.js";
import { ProvError } from "../../errors.js";
import { createLineSplitter } from "../../lines.js";
import { spawnBound, stopChild } from "../../processes/child.js";

/** Why the chip starts, as `esp_reset_reason()` tells the firmware. */
export type ResetReason = "poweron" | "ext" | "sw" | "panic" | "brownout";

/** The exit status that stands for `esp_restart()`. */
const RESTART_STATUS = 88;
/** How long a powered-off firmware may take to say goodbye before it is cut off. */
const POWER_OFF_GRACE_MS = 2_000;

export interface FirmwareOptions {
  /** The host build of the firmware, as it was found in flash. */
  readonly program: string;
  readonly flashPath: string;
  readonly airDir: string;
  /** The chip whose limits its drivers have. */
  readonly chip: Chip;
  /** Base MAC, 12 hex digits. */
  readonly mac: string;
  /** `unset` boots in 1970 as a board without a battery does. */
  readonly clock: "unset" | "real";
  readonly resetReason: ResetReason;
  /** Power fails in the middle of the n-th (from 1) write to the NVS. */
  readonly nvsCutAt?: number;
  /** Further variables for the process (sanitizer options …). */
  readonly environment?: Readonly<Record<string, string>>;
  /** A line of its UART log. */
  readonly onLine: (line: string) => void;
  /** A line that the firmware did not write itself: a sanitizer's report, the loader's complaint. */
  readonly onDiagnostic: (line: string) => void;
}

export type FirmwareExit =
  | { readonly kind: "restart" }
  | { readonly kind: "powered_off" }
  /** Power went away by itself: the cut at the n-th NVS write. */
  | { readonly kind: "power_cut" }
  | { readonly kind: "crash"; readonly detail: string };

export type FirmwareProcess = Awaited<ReturnType<typeof startFirmware>>;

/**
 * Runs the firmware once, from one boot to the next. No secret is in its arguments or environment.
 * @throws ProvError lab_failed when the program cannot be executed
 */
export async function startFirmware(options: FirmwareOptions) {
  const child = spawnBound(options.program, [], {
    env: environment(options),
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  if (child.pid === undefined) {
    const [cause] = await once(child, "error");
    throw new ProvError("lab_failed", "the firmware in flash cannot be executed", { cause });
  }
  let isStopping = false;
  const exited = watch(child, options, () => isStopping);
  const end = async (graceMs: number): Promise<void> => {
    isStopping = true;
    await stopChild(child, graceMs);
    await exited;
  };
  const control = child.stdio[3];
  // The firmware may be gone before it read what was written: that is no error of the lab.
  if (control instanceof Writable) control.on("error", () => {});

  return {
    pid: child.pid,
    /** Resolves when the process is gone and its last line was handed out. */
    exited,
    /** SIGTERM, then SIGKILL: the firmware may finish what it is at. */
    powerOff: () => end(POWER_OFF_GRACE_MS),
    /** SIGKILL: as if the plug were pulled. */
    cutPower: () => end(0),
    setGpio(pin: number, level: 0 | 1): void {
      if (control instanceof Writable) control.write(`gpio ${pin} ${level}\n`);
    },
  };
}

function environment(options: FirmwareOptions): NodeJS.ProcessEnv {
  return {
    // Only what a program needs to run: the lab's own environment may hold secrets.
    PATH: process.env.PATH ?? "",
    LANG: "C.UTF-8",
    ...options.environment,
    PROV_HOST_FLASH: options.flashPath,
    PROV_HOST_AIR: options.airDir,
    PROV_HOST_CHIP: options.chip,
    PROV_HOST_MAC: options.mac,
    PROV_HOST_CLOCK: options.clock,
    PROV_HOST_RESET_REASON: options.resetReason,
    PROV_HOST_CONTROL_FD: "3",
    ...(options.nvsCutAt === undefined ? {} : { PROV_HOST_NVS_CUT_AT: String(options.nvsCutAt) }),
  };
}

async function watch(
  child: ChildProcess,
  options: FirmwareOptions,
  isStopping: () => boolean,
): Promise<FirmwareExit> {
  const log = createLineSplitter(options.onLine);
  const diagnostics = createLineSplitter(options.onDiagnostic);
  child.stdout?.on("data", log.feed);
  child.stderr?.on("data", diagnostics.feed);
  // 'close', not 'exit': only then have both pipes been read to their end.
  const [status, signal] = await once(child, "close");
  log.end();
  diagnostics.end();
  return classify(status, signal, isStopping(), options.nvsCutAt !== undefined);
}

function classify(
  status: unknown,
  signal: unknown,
  isStopping: boolean,
  isCutPlanned: boolean,
): FirmwareExit {
  if (isStopping) return { kind: "powered_off" };
  if (status === RESTART_STATUS) return { kind: "restart" };
  if (signal === "SIGKILL" && isCutPlanned) return { kind: "power_cut" };
  const detail = typeof signal === "string" ? `signal ${signal}` : `exit status ${status}`;
  return { kind: "crash", detail };
}
