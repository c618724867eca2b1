import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CHIPS, type Chip } from "../../../codegen/chips.js";
import {
  decodePartitionTable,
  PARTITION_TABLE_BYTES,
  PARTITION_TABLE_OFFSET,
  PARTITION_TYPE_APP,
} from "../../../codegen/partitions.js";
import { replaceFile } from "../../files/files.js";
import { ensurePrivateDir } from "../../files/private-dir.js";
import { verifyEspImage } from "../../serial/esp-image.js";
import { reasonOf } from "../../system-error.js";
import type { FlashChip } from "../loader/flash-chip.js";
import { hostElfOf } from "./host-image.js";

/** Enough for the stand-in bootloader; the real one ends before the table as well. */
const BOOTLOADER_MAX = 0x7000;

/** What the boot ROM and the second-stage bootloader would find in flash. */
export type BootResult =
  | { readonly kind: "boot"; readonly program: string }
  /** The lines that a chip prints before it gives up. */
  | { readonly kind: "halt"; readonly lines: readonly string[] };

/**
 * Does what ROM and bootloader do: bootloader image, partition table, application image, each
 * checked. The application must hold a host build; it is put into `dir` (ours alone), named by its
 * content, so that an unchanged one is not written again. It holds the device's key: 0700, and no
 * older ones are kept.
 */
export function loadBootImage(flash: FlashChip, chip: Chip, dir: string): BootResult {
  const { bootloaderOffset, chipId } = CHIPS[chip];
  const firstWord = flash.read(bootloaderOffset, 4).readUInt32LE(0);
  const bootloader = readImage(flash, bootloaderOffset, BOOTLOADER_MAX);
  if ("problem" in bootloader) {
    return halt(`invalid header: 0x${firstWord.toString(16).padStart(8, "0")}`);
  }
  const app = findAppPartition(flash);
  if (app === null) {
    return halt(
      `E (30) flash_parts: partition 0 invalid magic number 0x${tableMagic(flash).toString(16)}`,
      "E (31) boot: Failed to verify partition table",
      "E (32) boot: load partition table error!",
    );
  }
  const image = readImage(flash, app.offset, app.size);
  if ("problem" in image) {
    return halt(
      `E (40) esp_image: image at 0x${app.offset.toString(16)}: ${image.problem}`,
      "E (41) boot: No bootable app partitions in the partition table",
    );
  }
  if (image.chipId !== chipId) {
    return halt(`E (40) boot_comm: mismatch chip ID, expected ${chipId}, found ${image.chipId}`);
  }
  const elf = hostElfOf(image);
  if (elf === undefined) {
    return halt(`E (40) boot: this image is for silicon; a virtual board runs host builds only`);
  }
  return { kind: "boot", program: placeProgram(elf, dir) };
}

/** The first application partition, or null when the table is not valid. */
function findAppPartition(flash: FlashChip): { offset: number; size: number } | null {
  const table = flash.read(PARTITION_TABLE_OFFSET, PARTITION_TABLE_BYTES);
  const app = decodePartitionTable(table).find(({ type }) => type === PARTITION_TYPE_APP);
  return app !== undefined && app.offset + app.size <= flash.size ? app : null;
}

function tableMagic(flash: FlashChip): number {
  return flash.read(PARTITION_TABLE_OFFSET, 2).readUInt16LE(0);
}

function readImage(flash: FlashChip, offset: number, size: number) {
  try {
    return verifyEspImage(flash.read(offset, size));
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

function placeProgram(elf: Uint8Array, dir: string): string {
  ensurePrivateDir(dir);
  const hash = createHash("sha256").update(elf).digest("hex").slice(0, 16);
  const program = join(dir, `prov_firmware-${hash}`);
  if (existsSync(program)) return program;
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { force: true });
  replaceFile(program, elf, 0o700);
  return program;
}

function halt(...lines: string[]): BootResult {
  return { kind: "halt", lines };
}
