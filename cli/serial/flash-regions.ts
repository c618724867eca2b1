import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { CHIPS, type Chip } from "../../codegen/chips.js";
import {
  decodePartitionTable,
  PARTITION_TYPE_APP,
  PARTITION_TYPE_BOOTLOADER,
  SECTOR,
} from "../../codegen/partitions.js";
import { ProvError } from "../errors.js";
import { systemError } from "../system-error.js";
import { type EspImage, parseEspImage } from "./esp-image.js";
import type { FlasherArgs } from "./flasher-args.js";

/** The unit of comparison: what is the same in flash is not written again. */
export const COMPARE_BLOCK = 0x1_0000;
/** One compressed stream: small enough that a lost one is soon sent again. */
const MAX_RUN = 4 * COMPARE_BLOCK;
/** What ESP-IDF's build calls the files that ROM and bootloader read as firmware images, and the partition table. */
const IMAGE_NAMES: readonly string[] = ["bootloader", "app"];
const TABLE_NAME = "partition-table";
const IMAGE_PARTITIONS: readonly number[] = [PARTITION_TYPE_APP, PARTITION_TYPE_BOOTLOADER];

export interface Region {
  readonly name: string;
  readonly offset: number;
  /** Padded with 0xFF to 4 bytes. */
  readonly data: Buffer;
  /** A bootloader or an application; undefined for data, whatever its bytes look like. */
  readonly image: EspImage | undefined;
}

/** A stretch of a region that is written in one go. */
export interface Run {
  readonly offset: number;
  readonly data: Buffer;
}

/**
 * Reads the files and checks all that can be checked without a chip. Which of them are firmware images follows
 * from their names and from the partition table among them: one data image in 256 begins as a firmware image does.
 * @throws ProvError image_missing, file_inaccessible, image_invalid (overlap, misplaced, empty, no image)
 */
export function loadRegions(args: FlasherArgs): Region[] {
  const files = args.files.map((entry) => ({ ...entry, data: readRegion(entry.file) }));
  const table = files.find(({ name }) => name === TABLE_NAME)?.data;
  const partitions = table === undefined ? [] : decodePartitionTable(table);
  const imageOffsets = new Set([
    ...files.filter(({ name }) => IMAGE_NAMES.includes(name ?? "")).map(({ offset }) => offset),
    ...partitions.filter(({ type }) => IMAGE_PARTITIONS.includes(type)).map(({ offset }) => offset),
  ]);
  for (const [index, { offset, file, data }] of files.entries()) {
    if (offset % SECTOR !== 0) throw invalid(`${file} would start inside of a sector`);
    const next = files[index + 1];
    if (next && offset + data.length > next.offset)
      throw invalid(`${path.basename(file)} reaches into ${path.basename(next.file)}`);
  }
  return files.map(({ offset, file, data }) => ({
    name: path.basename(file),
    offset,
    data,
    image: imageOffsets.has(offset) ? readImage(file, data) : undefined,
  }));
}

function readImage(file: string, data: Buffer): EspImage {
  try {
    return parseEspImage(data);
  } catch (error) {
    if (!(error instanceof ProvError)) throw error;
    throw invalid(`${file}: ${error.message}`);
  }
}

/** @throws ProvError image_too_big */
export function checkBounds(regions: readonly Region[], flashBytes: number): void {
  for (const region of regions) {
    if (endOf(region) <= flashBytes) continue;
    const size = `${flashBytes / 1024 / 1024} MB`;
    throw new ProvError("image_too_big", `${region.name} ends beyond the chip's flash of ${size}`, {
      hint: "This board has less flash than the build expects: use a larger module or a smaller partition table.",
    });
  }
}

/**
 * The chip that is connected against the manifest, the build and each image's own header.
 * @throws ProvError chip_mismatch
 */
export function checkChip(
  found: Chip,
  expected: { target?: Chip | undefined; args: FlasherArgs; regions: readonly Region[] },
): void {
  const refuse = (wanted: Chip, who: string): never => {
    const message = `this is an ${CHIPS[found].label}, but ${who} is for an ${CHIPS[wanted].label}`;
    throw new ProvError("chip_mismatch", message);
  };
  const { target, args, regions } = expected;
  if (target !== undefined && target !== found) refuse(target, "the manifest");
  if (args.chip !== undefined && args.chip !== found) refuse(args.chip, "the build");
  for (const { name, image } of regions) {
    if (image === undefined || image.chipId === CHIPS[found].chipId) continue;
    if (image.chip) refuse(image.chip, name);
    throw new ProvError("chip_mismatch", `${name} is for an unknown chip (id ${image.chipId})`);
  }
}

/** The blocks of a region, in order. */
export function blocksOf(region: Region): Run[] {
  const blocks: Run[] = [];
  for (let at = 0; at < region.data.length; at += COMPARE_BLOCK) {
    blocks.push({ offset: region.offset + at, data: region.data.subarray(at, at + COMPARE_BLOCK) });
  }
  return blocks;
}

/** Joins neighbouring blocks of a region into runs. */
export function joinRuns(region: Region, blocks: readonly Run[]): Run[] {
  const spans: { start: number; end: number }[] = [];
  for (const { offset, data } of blocks) {
    const last = spans.at(-1);
    const isNeighbour = last?.end === offset && offset + data.length - last.start <= MAX_RUN;
    if (last && isNeighbour) last.end = offset + data.length;
    else spans.push({ start: offset, end: offset + data.length });
  }
  return spans.map(({ start, end }) => ({
    offset: start,
    data: region.data.subarray(start - region.offset, end - region.offset),
  }));
}

export function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

function endOf(region: Region): number {
  return region.offset + region.data.length;
}

function readRegion(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const isAbsent = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const known = isAbsent ? undefined : systemError(cause, file);
    throw known ?? new ProvError("image_missing", `there is no ${file}`, { cause });
  }
  if (bytes.length === 0) throw invalid(`${file} is empty`);
  const padding = (4 - (bytes.length % 4)) % 4;
  return padding === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(padding, 0xff)]);
}

function invalid(why: string): ProvError {
  return new ProvError("image_invalid", why);
}
