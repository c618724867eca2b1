import { createSlipDecoder, encodeSlip } from "../../serial/slip.js";
import type { ChipContext, LoaderProgram } from "./chip-context.js";
import type { LoaderProfile, ResetCircuit } from "./chip-profile.js";
import type { LoaderFaults } from "./faults.js";
import type { FlashChip } from "./flash-chip.js";
import { createRegisters } from "./registers.js";
import { createRomLoader } from "./rom.js";
import { createStub } from "./stub.js";

/** From the release of EN until the ROM listens; what the host sends before is lost. */
const ROM_START_MS = 60;
/** The RTC watchdog as esptool sets it bites after about this time. */
const WATCHDOG_MS = 50;
export const ROM_BAUD = 115_200;

/**
 * `starting`: the ROM does not listen yet. `held`: EN is low. `silent`: code from RAM that is not a
 * stub has the chip.
 */
export type LoaderMode = "off" | "held" | "starting" | "rom" | "stub" | "app" | "silent";

export interface LoaderHooks {
  /** The chip's bytes to the host. */
  toHost(bytes: Uint8Array): void;
  /** A reset starts the application: stop what runs, start it anew. */
  onBoot(): void;
  /** A reset entered the loader: stop what runs. */
  onDownload(): void;
  /** What the host sends while the application runs. */
  onInput(bytes: Uint8Array): void;
  onBaud(baud: number): void;
}

export type Loader = ReturnType<typeof createLoader>;

/** The chip between its line and its flash, without any transport. It is off at first. */
export function createLoader(
  options: {
    profile: LoaderProfile;
    flash: FlashChip;
    circuit: ResetCircuit;
    faults: LoaderFaults;
  },
  hooks: LoaderHooks,
) {
  const { profile, circuit, faults } = options;
  let mode: LoaderMode = "off";
  let program: LoaderProgram | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lines = { dtr: false, rts: false };
  let downloadFlag = false;
  let epoch = 0;
  let queue: Uint8Array[] = [];
  let isBusy = false;
  const ram: { start: number; end: number }[] = [];

  const registers = createRegisters(profile, options.flash.size, () => {
    const current = epoch;
    setTimeout(() => {
      if (current === epoch) reset();
    }, WATCHDOG_MS).unref();
  });

  const stop = (): void => {
    epoch += 1;
    clearTimeout(timer);
    program?.stop();
    program = undefined;
    queue = [];
    decoder.reset();
  };

  const run = (next: "rom" | "stub"): void => {
    stop();
    mode = next;
    program = next === "rom" ? createRomLoader(context(epoch)) : createStub(context(epoch));
  };

  /** A program that was stopped must not speak any more: its context belongs to one epoch. */
  const context = (current: number): ChipContext => {
    const ifCurrent = (action: () => void): void => {
      if (current === epoch) action();
    };
    return {
      profile,
      flash: options.flash,
      registers,
      faults,
      sendFrame: (payload) => ifCurrent(() => sendFrame(payload)),
      setBaud: (baud) => ifCurrent(() => hooks.onBaud(baud)),
      bootApp: () => ifCurrent(reset),
      enterRom: () => ifCurrent(() => run("rom")),
      runFromRam: (entry) => ifCurrent(() => runFromRam(entry)),
    };
  };

  const sendFrame = (payload: Uint8Array): void => {
    if (faults.mute) return;
    if (faults.noise) hooks.toHost(faults.noise);
    hooks.toHost(encodeSlip(payload));
  };

  const runFromRam = (entry: number): void => {
    const isUploaded = ram.some(({ start, end }) => entry >= start && entry < end);
    if (isUploaded) {
      run("stub");
    } else {
      stop();
      mode = "silent";
    }
  };

  const handleFrames = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      for (let frame = queue.shift(); frame; frame = queue.shift()) {
        if (mode === "rom") noteRam(frame, ram);
        await program?.handle(frame);
      }
    } finally {
      isBusy = false;
    }
  };

  const decoder = createSlipDecoder((frame) => {
    queue.push(frame);
    void handleFrames();
  });

  const reset = ({ download = false }: { download?: boolean } = {}): void => {
    if (mode === "off") return;
    stop();
    ram.length = 0;
    hooks.onBaud(ROM_BAUD);
    const stays = faults.stickInDownload && !download;
    if (stays) faults.stickInDownload = false;
    if (download || stays) {
      mode = "starting";
      timer = setTimeout(() => {
        run("rom");
        if (!faults.mute) hooks.toHost(Buffer.from(profile.downloadBanner, "latin1"));
      }, ROM_START_MS);
      hooks.onDownload();
    } else {
      mode = "app";
      hooks.onBoot();
    }
  };

  /** RTS alone pulls EN low, DTR alone pulls IO0 low; the capacitor at EN bridges their hand-over. */
  const setUartLines = (): void => {
    if (lines.rts && !lines.dtr) {
      stop();
      mode = "held";
    } else if (mode === "held" && !lines.rts) {
      mode = "starting";
      reset({ download: lines.dtr });
    }
  };

  /** Without RTS, DTR is the download flag; RTS alone resets with the flag as it is. */
  const setUsbLines = (wasReset: boolean): void => {
    if (!lines.rts) downloadFlag = lines.dtr;
    else if (!lines.dtr && !wasReset) reset({ download: downloadFlag });
  };

  return {
    feed(bytes: Uint8Array): void {
      if (mode === "app") hooks.onInput(bytes);
      else if (mode === "rom" || mode === "stub") decoder.feed(bytes);
    },
    /** The modem lines as the host sets them; true is asserted (low on the wire). */
    setLines(change: { dtr?: boolean; rts?: boolean }): void {
      if (mode === "off") return;
      const wasReset = lines.rts && !lines.dtr;
      lines = { ...lines, ...change };
      if (circuit === "usb") setUsbLines(wasReset);
      else setUartLines();
    },
    /** The buttons: RESET, with BOOT held for `download`. */
    reset,
    powerOn(how: { download?: boolean } = {}): void {
      if (mode !== "off") return;
      mode = "starting";
      reset(how);
    },
    powerOff(): void {
      stop();
      mode = "off";
      lines = { dtr: false, rts: false };
      downloadFlag = false;
    },
    mode: (): LoaderMode => mode,
  };
}

/** Remembers where MEM_BEGIN put code, so that a jump to it can be told from a jump into nothing. */
function noteRam(frame: Uint8Array, ram: { start: number; end: number }[]): void {
  const MEM_BEGIN = 0x05;
  if (frame[0] !== 0 || frame[1] !== MEM_BEGIN || frame.length < 24) return;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const start = view.getUint32(20, true);
  ram.push({ start, end: start + view.getUint32(8, true) });
}
