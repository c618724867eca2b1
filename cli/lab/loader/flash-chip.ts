import { closeSync, existsSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { ensurePrivateDir } from "../../files/private-dir.js";
import { naming } from "../../system-error.js";

export const FLASH_SIZE = 4 * 1024 * 1024;

export type FlashChip = ReturnType<typeof openFlashChip>;

/**
 * The board's flash chip as a file. It is read and written in place, because the running firmware
 * has the same file open: its NVS lives there, and an erase by the loader must reach it.
 * @param path a new file is an erased chip
 * @param size in bytes
 */
export function openFlashChip(path: string, size = FLASH_SIZE) {
  ensurePrivateDir(dirname(path));
  const isNew = !existsSync(path);
  const fd = openSync(path, isNew ? "wx+" : "r+", 0o600);
  const actual = fstatSync(fd).size;
  const writeAll = (bytes: Uint8Array, offset: number): void =>
    naming(path, () => writeFully(fd, bytes, offset));
  if (actual < size) writeAll(Buffer.alloc(size - actual, 0xff), actual);

  const check = (offset: number, length: number): void => {
    const isInside = offset >= 0 && length >= 0 && offset + length <= size;
    if (!isInside) throw new RangeError(`flash range ${offset}+${length} is outside ${size} bytes`);
  };

  return {
    path,
    size,
    /** Throws RangeError outside the chip, as do `write` and `erase`. */
    read(offset: number, length: number): Buffer {
      check(offset, length);
      const bytes = Buffer.alloc(length);
      for (let done = 0; done < length; ) {
        const count = readSync(fd, bytes, done, length - done, offset + done);
        if (count === 0) throw new RangeError("the flash file was truncated");
        done += count;
      }
      return bytes;
    },
    /** Stores the bytes as they are (the loader has erased before; NOR's AND is not modelled). */
    write(offset: number, bytes: Uint8Array): void {
      check(offset, bytes.length);
      writeAll(bytes, offset);
    },
    /** Sets a range to 0xFF. */
    erase(offset: number, length: number): void {
      check(offset, length);
      writeAll(Buffer.alloc(length, 0xff), offset);
    },
    close(): void {
      closeSync(fd);
    },
  };
}

function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
  }
}
