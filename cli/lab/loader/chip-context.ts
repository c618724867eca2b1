import { createHash } from "node:crypto";
import type { LoaderProfile } from "./chip-profile.js";
import type { LoaderFaults } from "./faults.js";
import type { FlashChip } from "./flash-chip.js";
import type { Registers } from "./registers.js";

/** What ROM loader and stub share: the chip around them. */
export interface ChipContext {
  readonly profile: LoaderProfile;
  readonly flash: FlashChip;
  readonly registers: Registers;
  readonly faults: LoaderFaults;
  sendFrame(payload: Uint8Array): void;
  /** Takes effect after the replies that were sent before. */
  setBaud(baud: number): void;
  /** Leaves the loader for the application. */
  bootApp(): void;
  /** The stub gives way to the ROM loader. */
  enterRom(): void;
  /** Code in RAM runs from `entry`; the chip falls silent unless that is a stub. */
  runFromRam(entry: number): void;
}

/** One of the two programs that can have the line. */
export interface LoaderProgram {
  /** Handles one frame from the host; the next one waits for the result. */
  handle(frame: Uint8Array): Promise<void>;
  stop(): void;
}

export function isInside(context: ChipContext, offset: number, size: number): boolean {
  return offset + size <= context.flash.size;
}

/** The MD5 of a stretch of flash; the fault makes it another one. */
export function flashMd5(context: ChipContext, offset: number, size: number): Buffer {
  const digest = createHash("md5").update(context.flash.read(offset, size)).digest();
  if (context.faults.wrongMd5) digest[0] = (digest[0] ?? 0) ^ 0xff;
  return digest;
}
