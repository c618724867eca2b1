import { promisify } from "node:util";
import { deflate } from "node:zlib";
import type { ESPLoader } from "esptool-js/lib/esploader.js";
import { ProvError } from "../errors.js";
import type { Run } from "./flash-regions.js";
import { checksumOf, OP, perMegabyte, refusalCode, sendCommand, words } from "./loader-commands.js";

const deflateAsync = promisify(deflate);

const RUN_ATTEMPTS = 3;
const BLOCK_ATTEMPTS = 3;
const ERASE_MS_PER_MB = 40_000;
const CHIP_ERASE_MS = 120_000;
/** The stub's codes for a block that was damaged on the way: it has forgotten it, send it again. */
const DAMAGED = [0xc0, 0xc1, 0xc8, 0xc9];

/**
 * Writes one run as a compressed stream: with a loop of our own, because esptool-js inflates the
 * stream byte by byte to count it. A run that fails is begun again.
 * @param onBytes called with the growing count of bytes (uncompressed) that are written
 * @returns the bytes sent (compressed)
 */
export async function writeRun(
  loader: ESPLoader,
  run: Run,
  onBytes: (written: number) => void,
): Promise<number> {
  const compressed = await deflateAsync(run.data, { level: 9 });
  // Of several failures a refusal tells more than a silence.
  let refused: unknown;
  for (let attempt = 1; ; attempt++) {
    try {
      await sendRun(loader, run, compressed, onBytes);
      return compressed.length;
    } catch (error) {
      if (error instanceof ProvError) throw error;
      const isRefusal = refusalCode(error) !== undefined;
      if (isRefusal) refused ??= error;
      if (attempt === RUN_ATTEMPTS || !(isRefusal || (await isStillThere(loader)))) {
        throw refused ?? error;
      }
    }
  }
}

/** Erases the whole chip; the ROM loader has no such command, but its BEGIN erases what it announces. */
export async function eraseChip(loader: ESPLoader, flashBytes: number): Promise<void> {
  const options = { timeoutMs: CHIP_ERASE_MS };
  if (loader.IS_STUB) {
    await sendCommand(loader, "erase the flash", OP.eraseFlash, new Uint8Array(), options);
    return;
  }
  await sendCommand(
    loader,
    "erase the flash",
    OP.flashBegin,
    beginWords(loader, flashBytes, 0, 0),
    options,
  );
}

async function sendRun(
  loader: ESPLoader,
  run: Run,
  compressed: Buffer,
  onBytes: (written: number) => void,
): Promise<void> {
  const blockSize = loader.FLASH_WRITE_SIZE;
  const blocks = Math.ceil(compressed.length / blockSize);
  const timeoutMs = perMegabyte(ERASE_MS_PER_MB, run.data.length);
  // The ROM wants the size in whole blocks; it erases here, the stub while it writes.
  const size = loader.IS_STUB
    ? run.data.length
    : Math.ceil(run.data.length / blockSize) * blockSize;
  const begin = beginWords(loader, size, blocks, run.offset);
  await sendCommand(
    loader,
    "begin writing",
    OP.deflBegin,
    begin,
    loader.IS_STUB ? {} : { timeoutMs },
  );
  for (let sequence = 0; sequence < blocks; sequence++) {
    const block = compressed.subarray(sequence * blockSize, (sequence + 1) * blockSize);
    await sendBlock(loader, block, sequence, timeoutMs);
    onBytes(Math.round((run.data.length * (sequence + 1)) / blocks));
  }
  // The stub answers END when the last block is in flash, so its late errors come out here. In the
  // ROM, END would be a way out of the loader.
  if (loader.IS_STUB)
    await sendCommand(loader, "finish writing", OP.deflEnd, words(1), { timeoutMs });
}

function beginWords(loader: ESPLoader, size: number, blocks: number, offset: number): Uint8Array {
  const begin = [size, blocks, loader.FLASH_WRITE_SIZE, offset];
  // "Not encrypted", where the ROM knows of encryption; the ESP32's does not and the stub needs none.
  const isLong = !loader.IS_STUB && loader.chip.CHIP_NAME !== "ESP32";
  return words(...begin, ...(isLong ? [0] : []));
}

async function sendBlock(
  loader: ESPLoader,
  block: Uint8Array,
  sequence: number,
  timeoutMs: number,
): Promise<void> {
  const data = Buffer.concat([words(block.length, sequence, 0, 0), block]);
  const options = { checksum: checksumOf(block), timeoutMs };
  for (let attempt = 1; ; attempt++) {
    try {
      await sendCommand(loader, "take a block", OP.deflData, data, options);
      return;
    } catch (error) {
      const isDamaged = DAMAGED.includes(refusalCode(error) ?? 0);
      if (!isDamaged || !loader.IS_STUB || attempt === BLOCK_ATTEMPTS) throw error;
    }
  }
}

/** After a silence: is there still a loader? */
async function isStillThere(loader: ESPLoader): Promise<boolean> {
  const ATTEMPTS = 3;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      await loader.transport.drainInput();
      await loader.sync();
      return true;
    } catch (error) {
      if (error instanceof ProvError) throw error;
    }
  }
  return false;
}
