import type { ESPLoader } from "esptool-js/lib/esploader.js";
import { ProvError } from "../errors.js";

/** The loader protocol's commands (Espressif, "Serial Protocol"), for the flasher and the virtual board. */
export const OP = {
  flashBegin: 0x02,
  flashData: 0x03,
  flashEnd: 0x04,
  memBegin: 0x05,
  memEnd: 0x06,
  memData: 0x07,
  sync: 0x08,
  writeReg: 0x09,
  readReg: 0x0a,
  spiSetParams: 0x0b,
  spiAttach: 0x0d,
  readFlashSlow: 0x0e,
  changeBaud: 0x0f,
  deflBegin: 0x10,
  deflData: 0x11,
  deflEnd: 0x12,
  md5: 0x13,
  securityInfo: 0x14,
  eraseFlash: 0xd0,
  eraseRegion: 0xd1,
  readFlash: 0xd2,
  runUserCode: 0xd3,
} as const;

const STATUS_BYTES = 2;
const DEFAULT_TIMEOUT_MS = 3_000;

/** The loader answered, and the answer is no: for the flasher, which tries again or gives up. */
function refusal(what: string, code: number): Error {
  const why = CODES[code] ?? "error";
  const message = `the loader refused to ${what}: ${why} (0x${code.toString(16)})`;
  return Object.assign(new Error(message), { refusalCode: code });
}

/** The loader's error code, or undefined when the error is something else than a refusal. */
export function refusalCode(error: unknown): number | undefined {
  const isRefusal = error instanceof Error && "refusalCode" in error;
  return isRefusal && typeof error.refusalCode === "number" ? error.refusalCode : undefined;
}

/** ROM codes are below 0x10, the stub's above 0xc0. */
const CODES: Readonly<Record<number, string>> = {
  5: "it did not understand the message",
  6: "the operation failed",
  7: "wrong checksum",
  9: "outside of the flash",
  10: "wrong length",
  11: "corrupt compressed data",
  192: "wrong length",
  193: "wrong checksum",
  195: "unknown command",
  196: "the flash chip failed or the range is outside of it",
  198: "not in flash mode",
  199: "corrupt compressed data",
  200: "too little data",
  201: "too much data",
  255: "unknown command",
};

/**
 * Sends one command and checks its status.
 * @returns the reply's body without the status
 * @throws a refusal (refusalCode), or esptool-js's ESPError when no answer came in time
 */
export async function sendCommand(
  loader: ESPLoader,
  what: string,
  op: number,
  data: Uint8Array,
  options: { checksum?: number; replyBytes?: number; timeoutMs?: number } = {},
): Promise<Uint8Array> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const [, reply] = await loader.command(op, data, options.checksum ?? 0, true, timeoutMs);
  const wanted = options.replyBytes ?? 0;
  const isWhole = reply.length >= wanted + STATUS_BYTES;
  const [failed = 0, reason = 0] = reply.subarray(isWhole ? wanted : 0);
  // The ROM's second byte is stale unless the first says failure; the stub has its code in the first.
  if (failed !== 0) throw refusal(what, loader.IS_STUB ? failed : reason);
  if (!isWhole) throw refusal(what, 0xc8);
  return reply.subarray(0, wanted);
}

/** Little-endian 32-bit words. */
export function words(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, index * 4);
  return bytes;
}

/** XOR from 0xEF. */
export function checksumOf(block: Uint8Array): number {
  let sum = 0xef;
  for (const byte of block) sum ^= byte;
  return sum;
}

const MD5_MS_PER_MB = 8_000;

/** The MD5 of a stretch of flash, as hex: the ROM answers in hex already, the stub in bytes. */
export async function flashMd5(loader: ESPLoader, offset: number, size: number): Promise<string> {
  const reply = await sendCommand(loader, "checksum the flash", OP.md5, words(offset, size, 0, 0), {
    replyBytes: loader.IS_STUB ? 16 : 32,
    timeoutMs: perMegabyte(MD5_MS_PER_MB, size),
  });
  return Buffer.from(reply)
    .toString(loader.IS_STUB ? "hex" : "latin1")
    .toLowerCase();
}

/** At least the default, and in proportion to the size. */
export function perMegabyte(ms: number, bytes: number): number {
  return Math.max(DEFAULT_TIMEOUT_MS, (ms * bytes) / 1e6);
}

/** What a failed command means for the user. */
export function asFlashError(error: unknown, what: string): ProvError {
  if (error instanceof ProvError) return error;
  if (error instanceof Error && refusalCode(error) !== undefined) {
    return new ProvError("flash_rejected", error.message, { cause: error });
  }
  return new ProvError("chip_silent", `the chip stopped answering while ${what}`, {
    hint: "Check the cable, lower --baud and run the same command again.",
    cause: error,
  });
}
