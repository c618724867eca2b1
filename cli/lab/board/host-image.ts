import { readFileSync } from "node:fs";
import path from "node:path";
import { CHIPS, type Chip } from "../../../codegen/chips.js";
import { PARTITION_TABLE_BYTES, PARTITION_TABLE_OFFSET } from "../../../codegen/partitions.js";
import { ProvError } from "../../errors.js";
import { replaceFile } from "../../files/files.js";
import { type EspImage, packEspImage } from "../../serial/esp-image.js";
import { formatFlasherArgs } from "../../serial/flasher-args.js";

/** Where this project's partitions.csv puts the application. */
export const APP_OFFSET = 0x1_0000;

const ELF_MAGIC = Buffer.from("\x7fELF", "latin1");
/** What the virtual board's "bootloader" holds; it is never executed, only checked. */
const BOOTLOADER_TEXT = "prov virtual board: second stage bootloader\0";

export interface HostImageRequest {
  /** The host build of the firmware, an ELF executable. */
  readonly elf: string;
  readonly chip: Chip;
  /** The binary partition table. */
  readonly partitionTable: Uint8Array;
  /** Bytes that the application partition holds. */
  readonly appPartitionSize: number;
  readonly outDir: string;
}

/**
 * Wraps the host build as what a chip build leaves behind: bootloader.bin, partition-table.bin,
 * app.bin and flasher_args.json in `outDir`, so that flashing cannot tell the difference.
 * The application holds the device's private key: files are 0600, `outDir` 0700.
 * @returns the path of flasher_args.json and the application's size in bytes
 * @throws ProvError image_invalid (not an ELF), image_too_big
 */
export function packHostImage(request: HostImageRequest): {
  flasherArgs: string;
  appSize: number;
} {
  const { chipId, bootloaderOffset, dromStart } = CHIPS[request.chip];
  const elf = readFileSync(request.elf);
  if (!elf.subarray(0, 4).equals(ELF_MAGIC)) {
    throw new ProvError("image_invalid", `${request.elf} is not an ELF executable`);
  }
  const app = packEspImage({
    chipId,
    entry: dromStart,
    segments: [{ address: dromStart, data: elf }],
  });
  if (app.length > request.appPartitionSize) {
    throw new ProvError(
      "image_too_big",
      `the application has ${app.length} bytes, its partition ${request.appPartitionSize}`,
    );
  }
  if (request.partitionTable.length > PARTITION_TABLE_BYTES) {
    throw new ProvError("image_invalid", "the partition table is larger than its place in flash");
  }
  const bootloader = packEspImage({
    chipId,
    entry: dromStart,
    segments: [{ address: dromStart, data: Buffer.from(BOOTLOADER_TEXT) }],
  });
  const files = [
    { name: "bootloader", offset: bootloaderOffset, file: "bootloader.bin", data: bootloader },
    {
      name: "partition-table",
      offset: PARTITION_TABLE_OFFSET,
      file: "partition-table.bin",
      data: request.partitionTable,
    },
    { name: "app", offset: APP_OFFSET, file: "app.bin", data: app },
  ];
  for (const { file, data } of files) replaceFile(path.join(request.outDir, file), data);
  const flasherArgs = path.join(request.outDir, "flasher_args.json");
  replaceFile(flasherArgs, formatFlasherArgs({ chip: request.chip, files }));
  return { flasherArgs, appSize: app.length };
}

/** The ELF inside a host image, or undefined when the image is for a real chip. */
export function hostElfOf(image: EspImage): Uint8Array | undefined {
  const data = image.segments[0]?.data;
  if (image.segments.length !== 1 || data === undefined) return undefined;
  return ELF_MAGIC.equals(data.subarray(0, 4)) ? data : undefined;
}
