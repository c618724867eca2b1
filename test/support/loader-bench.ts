import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import {
  type ChipSecurity,
  loaderProfile,
  type ResetCircuit,
} from "../../cli/lab/loader/chip-profile.js";
import { type LoaderFaults, noFaults } from "../../cli/lab/loader/faults.js";
import { type FlashChip, openFlashChip } from "../../cli/lab/loader/flash-chip.js";
import { createLoader, type Loader } from "../../cli/lab/loader/loader.js";
import { checksumOf } from "../../cli/serial/loader-commands.js";
import { createSlipDecoder, encodeSlip } from "../../cli/serial/slip.js";
import type { LoaderChip } from "../../codegen/chips.js";

export interface LoaderBench {
  readonly loader: Loader;
  readonly flash: FlashChip;
  readonly faults: LoaderFaults;
  /** What the resets led to, in order. */
  readonly boots: ("app" | "download")[];
  readonly bauds: number[];
  /** Everything that the chip sent outside of frames and in them, as Latin-1. */
  text(): string;
  /** The chip's next frame. */
  next(): Promise<Buffer>;
  frame(payload: Uint8Array): void;
  /** Sends a request and gives its first answer. */
  ask(op: number, data?: Uint8Array, checksum?: number): Promise<Buffer>;
  /** A DATA command with a block. */
  block(op: number, sequence: number, block: Uint8Array, checksum?: number): Promise<Buffer>;
  enterRom(): Promise<void>;
  enterStub(): Promise<void>;
}

const FLASH_BYTES = 4 * 1024 * 1024;

/** A loader without any line: what the host would send goes in, what it would get comes out. */
export function createLoaderBench(
  chip: LoaderChip = "esp32c3",
  options: { circuit?: ResetCircuit; security?: ChipSecurity } = {},
): LoaderBench {
  const circuit = options.circuit ?? "uart";
  const dir = mkdtempSync(path.join(tmpdir(), "prov-rom-"));
  const flash = openFlashChip(path.join(dir, "flash.bin"), FLASH_BYTES);
  onTestFinished(() => {
    loader.powerOff();
    flash.close();
    rmSync(dir, { recursive: true });
  });
  const faults = noFaults();
  const frames: Buffer[] = [];
  const boots: ("app" | "download")[] = [];
  const bauds: number[] = [];
  const waiting: (() => void)[] = [];
  let text = "";
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const decoder = createSlipDecoder((frame) => frames.push(Buffer.from(frame)));
  const profile = loaderProfile(chip, "7cdfa1001122", {
    circuit,
    ...(options.security ? { security: options.security } : {}),
  });
  const loader = createLoader(
    { profile, flash, circuit, faults },
    {
      toHost(bytes) {
        text += Buffer.from(bytes).toString("latin1");
        decoder.feed(bytes);
        wake();
      },
      onBoot: () => boots.push("app"),
      onDownload: () => boots.push("download"),
      onInput: () => {},
      onBaud: (baud) => bauds.push(baud),
    },
  );
  const until = async (isReached: () => boolean): Promise<void> => {
    while (!isReached()) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const next = async (): Promise<Buffer> => {
    await until(() => frames.length > 0);
    return frames.shift() ?? Buffer.alloc(0);
  };
  const ask = (op: number, data: Uint8Array = Buffer.alloc(0), checksum = 0): Promise<Buffer> => {
    loader.feed(encodeSlip(request(op, data, checksum)));
    return next();
  };
  const enterRom = async (): Promise<void> => {
    if (loader.mode() === "off") loader.powerOn({ download: true });
    else loader.reset({ download: true });
    const before = text.length;
    await until(() => /waiting for download|wait uart0 download/.test(text.slice(before)));
  };
  return {
    loader,
    flash,
    faults,
    boots,
    bauds,
    text: () => text,
    next,
    frame: (payload) => loader.feed(encodeSlip(payload)),
    ask,
    block: (op, sequence, block, checksum = checksumOf(block)) =>
      ask(op, Buffer.concat([words(block.length, sequence, 0, 0), block]), checksum),
    enterRom,
    async enterStub() {
      await enterRom();
      const code = Buffer.from("stub");
      await ask(0x05, words(code.length, 1, 0x1800, 0x4038_0000));
      await ask(0x07, Buffer.concat([words(code.length, 0, 0, 0), code]), checksumOf(code));
      await ask(0x06, words(0, 0x4038_0000));
      const greeting = await next();
      if (greeting.toString() !== "OHAI") throw new Error(`no stub: ${greeting.toString("hex")}`);
    },
  };
}

export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, index * 4);
  return bytes;
}

export function request(op: number, data: Uint8Array, checksum: number): Buffer {
  const header = Buffer.alloc(8);
  header[1] = op;
  header.writeUInt16LE(data.length, 2);
  header.writeUInt32LE(checksum, 4);
  return Buffer.concat([header, data]);
}
