import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHIPS, type Chip, isLoaderChip } from "../../../codegen/chips.js";
import { ProvError } from "../../errors.js";
import { ensurePrivateDir } from "../../files/private-dir.js";
import { optional } from "../../optional.js";
import { readFlasherArgs } from "../../serial/flasher-args.js";
import { reasonOf } from "../../system-error.js";
import { forgetAnnouncement } from "../air/air.js";
import { type AnnouncedAp, APS_FOLDER, readAnnouncedAp } from "../air/air-file.js";
import { type EventSink, labEvent } from "../events.js";
import type { BoardState } from "../lab-info.js";
import { type FlashChip, openFlashChip } from "../loader/flash-chip.js";
import { sectorsAround } from "../loader/protocol.js";
import { createSerialFront } from "../loader/serial-front.js";
import { createStream } from "../stream.js";
import { loadBootImage } from "./boot-image.js";
import {
  type FirmwareExit,
  type FirmwareProcess,
  type ResetReason,
  startFirmware,
} from "./firmware-process.js";

const LOG_LINES_KEPT = 4_000;
/** This many crashes in a row, each soon after boot, and the board stays down. */
const MAX_QUICK_CRASHES = 5;
const QUICK_CRASH_MS = 10_000;

export interface VirtualBoardOptions {
  /** Holds flash.bin and the extracted program; made private. */
  readonly dir: string;
  readonly chip: Chip;
  readonly airDir: string;
  /** Base MAC, 12 hex digits; the SoftAP's is one more. */
  readonly mac: string;
  readonly clock?: "unset" | "real";
  /** Variables for the firmware's process (sanitizer options …). */
  readonly environment?: Readonly<Record<string, string>>;
  /** The serial line takes as long as a real one; default false. */
  readonly throttle?: boolean;
  readonly onEvent?: EventSink;
}

export type VirtualBoard = ReturnType<typeof createVirtualBoard>;

/** A board whose silicon is a process. It is off at first. */
export function createVirtualBoard(options: VirtualBoardOptions) {
  ensurePrivateDir(options.dir);
  const flash = openFlashChip(join(options.dir, "flash.bin"));
  const log = createStream<string>(LOG_LINES_KEPT);
  const { bootButtonGpio } = CHIPS[options.chip];
  const apMac = softApMac(options.mac);
  const apFile = join(options.airDir, APS_FOLDER, `${apMac}.json`);
  const report = (what: string, outcome: string, detail?: string): void =>
    options.onEvent?.(labEvent("board", null, what, outcome, detail));

  let state: BoardState = "off";
  let running: FirmwareProcess | null = null;
  let nvsCutAt: number | null = null;
  let quickCrashes = 0;
  let isPressed = false;

  // Power, reset and the firmware's own exit come from different sides; they take effect one by one.
  let queue: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(action: () => Promise<T>): Promise<T> => {
    const result = queue.then(action);
    queue = result.catch(() => {});
    return result;
  };

  // The modem lines decide what a reset leads to; without a serial side it is always the firmware.
  let nextReason: ResetReason = "poweron";
  const onBoot = (): void => {
    const reason = nextReason;
    nextReason = "ext";
    void inOrder(async () => {
      await stopFirmware("cut");
      await boot(reason);
    }).catch(failBoot);
  };
  const onDownload = (): void => {
    void inOrder(async () => {
      await stopFirmware("cut");
      state = "download";
      report("download", "ok");
    });
  };
  const serial = isLoaderChip(options.chip)
    ? createSerialFront({
        chip: options.chip,
        mac: options.mac,
        flash,
        throttle: options.throttle ?? false,
        onBoot,
        onDownload,
      })
    : null;
  log.subscribe((line) => serial?.write(`${line}\r\n`));

  const boot = async (reason: ResetReason): Promise<void> => {
    log.push(`rst:${RESET_TEXT[reason]},boot:0xc (SPI_FAST_FLASH_BOOT)`);
    const image = loadBootImage(flash, options.chip, join(options.dir, "program"));
    if (image.kind === "halt") {
      for (const line of image.lines) log.push(line);
      state = "halted";
      report("boot", "halted", image.lines[0]);
      return;
    }
    const startedAt = Date.now();
    const firmware = await startFirmware({
      program: image.program,
      flashPath: flash.path,
      airDir: options.airDir,
      chip: options.chip,
      mac: options.mac,
      clock: options.clock ?? "unset",
      resetReason: reason,
      ...optional({ nvsCutAt: nvsCutAt ?? undefined, environment: options.environment }),
      onLine: log.push,
      onDiagnostic: log.push,
    });
    nvsCutAt = null;
    running = firmware;
    state = "running";
    report("boot", "ok", reason);
    if (isPressed) firmware.setGpio(bootButtonGpio, 0);
    firmware.exited
      .then((exit) => inOrder(() => afterExit(firmware, exit, Date.now() - startedAt)))
      .catch(failBoot);
  };

  const afterExit = async (
    firmware: FirmwareProcess,
    exit: FirmwareExit,
    lifetimeMs: number,
  ): Promise<void> => {
    if (running !== firmware) return; // it was stopped on purpose, and something else runs by now
    running = null;
    forgetAnnouncement(options.airDir, apMac);
    if (exit.kind === "restart") return boot("sw");
    if (exit.kind === "powered_off" || exit.kind === "power_cut") {
      serial?.powerOff();
      state = "off";
      return report("power_cut", "ok");
    }
    report("crash", exit.kind, exit.detail);
    log.push(`Guru Meditation Error: the firmware's process ended with ${exit.detail}`);
    quickCrashes = lifetimeMs < QUICK_CRASH_MS ? quickCrashes + 1 : 1;
    if (quickCrashes < MAX_QUICK_CRASHES) return boot("panic");
    state = "halted";
    log.push(`prov: ${quickCrashes} crashes in a row; the board stays down until a reset`);
  };

  const failBoot = (error: unknown): void => {
    state = "halted";
    log.push(`prov: ${reasonOf(error)}`);
    report("boot", "failed");
  };

  const stopFirmware = async (how: "off" | "cut"): Promise<void> => {
    const firmware = running;
    running = null;
    if (firmware !== null) await (how === "cut" ? firmware.cutPower() : firmware.powerOff());
    forgetAnnouncement(options.airDir, apMac);
    quickCrashes = 0;
  };

  const switchOff = (how: "off" | "cut"): Promise<void> => {
    serial?.powerOff();
    return inOrder(async () => {
      await stopFirmware(how);
      if (state !== "off") report(how === "cut" ? "power_cut" : "power_off", "ok");
      state = "off";
    });
  };

  return {
    chip: options.chip,
    mac: options.mac,
    flash,
    /** Its serial side, for more ports and faults; null for a chip whose ROM loader is not modelled. */
    serial,
    /** Its UART, line by line, with the ROM's and the loader's own. */
    log,
    state: (): BoardState => state,
    /** The SoftAP that it announces now, or null. */
    announcedAp: (): AnnouncedAp | null => (running === null ? null : readAnnouncedAp(apFile)),
    /** Where its HTTP API answers now, or null while the AP is down. */
    baseUrl: (): string | null =>
      running === null ? null : (readAnnouncedAp(apFile)?.baseUrl ?? null),
    /** Does nothing when it is on. */
    async powerOn(): Promise<void> {
      await queue; // a power-off that is under way comes first
      if (state !== "off") return;
      nextReason = "poweron";
      if (serial === null) onBoot();
      else serial.powerOn();
      await queue;
    },
    /** Lets the firmware end by itself. */
    powerOff: () => switchOff("off"),
    /** Pulls the plug. */
    cutPower: () => switchOff("cut"),
    /** The EN pin: the same as the RESET button. */
    async reset(): Promise<void> {
      await queue;
      if (state === "off") return; // EN does nothing on a board without power
      if (serial === null) onBoot();
      else serial.reset({});
      await queue;
    },
    setButton(pressed: boolean): void {
      isPressed = pressed;
      running?.setGpio(bootButtonGpio, pressed ? 0 : 1);
    },
    /** The next boot loses power in the middle of its n-th NVS write. */
    cutAtNvsWrite(n: number): void {
      nvsCutAt = n;
    },
    /** Puts the files of a flasher_args.json into flash, past the serial loader; the board must be off. */
    placeImage(flasherArgsPath: string): void {
      if (state !== "off") throw new ProvError("lab_failed", "switch the board off first");
      placeImage(flash, flasherArgsPath);
    },
    /** Resolves when it is off and its files are closed. */
    async stop(): Promise<void> {
      await switchOff("off");
      await serial?.close();
      flash.close();
    },
  };
}

/** As the ROM prints them. */
const RESET_TEXT: Record<ResetReason, string> = {
  poweron: "0x1 (POWERON)",
  ext: "0x1 (POWERON)", // the ROM sees no difference between power and EN
  sw: "0x3 (RTC_SW_SYS_RST)",
  panic: "0xc (RTC_SW_CPU_RST)",
  brownout: "0xf (BROWNOUT_RST)",
};

function placeImage(flash: FlashChip, flasherArgsPath: string): void {
  for (const { offset, file } of readFlasherArgs(flasherArgsPath).files) {
    const bytes = readFileSync(file);
    const { start, length } = sectorsAround(offset, bytes.length);
    flash.erase(start, length);
    flash.write(offset, bytes);
  }
}

/** The SoftAP's MAC address of a chip: one more in the last octet, which wraps, as in ESP-IDF. @param mac 12 hex digits */
export function softApMac(mac: string): string {
  const last = (Number.parseInt(mac.slice(10), 16) + 1) & 0xff;
  return mac.slice(0, 10) + last.toString(16).padStart(2, "0");
}
