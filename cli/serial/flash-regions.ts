import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { ProvError } from "../errors.js";
import { CHIPS, type ChipName } from "./chips.js";
import { parseEspImage } from "./esp-image.js";
import type { FlasherArgs } from "./flasher-args.js";

/** The unit of comparison: what is the same in flash is not written again. */
export const COMPARE_BLOCK = 0x1_0000;
/** One compressed stream: small enough that a lost one is soon sent again. */
const MAX_RUN = 4 * COMPARE_BLOCK;
const SECTOR = 0x1000;
const IMAGE_MAGIC = 0xe9;

export interface Region {
  readonly name: string;
  readonly offset: number;
  /** Padded with 0xFF to 4 bytes. */
  readonly data: Buffer;
}

/** A stretch of a region that is written in one go. */
export interface Run {
  readonly offset: number;
  readonly data: Buffer;
}

/**
 * Reads the files and checks all that can be checked without a chip.
 * @throws ProvError image_missing, image_invalid (overlap, misplaced, empty)
 */
export function loadRegions(args: FlasherArgs): Region[] {
  const regions = args.files.map(({ offset, file }) => {
    if (offset % SECTOR !== 0) throw invalid(`${file} would start inside of a sector`);
    return { name: path.basename(file), offset, data: readRegion(file) };
  });
  for (const [index, region] of regions.entries()) {
    const next = regions[index + 1];
    if (next && endOf(region) > next.offset)
      throw invalid(`${region.name} reaches into ${next.name}`);
  }
  return regions;
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
  found: ChipName,
  expected: { target?: ChipName | undefined; args: FlasherArgs; regions: readonly Region[] },
): void {
  const refuse = (wanted: ChipName, who: string): never => {
    const message = `this is an ${CHIPS[found].label}, but ${who} is for an ${CHIPS[wanted].label}`;
    throw new ProvError("chip_mismatch", message);
  };
  const { target, args, regions } = expected;
  if (target !== undefined && target !== found) refuse(target, "the manifest");
  if (args.chip !== undefined && args.chip !== found) refuse(args.chip, "the build");
  for (const { name, data } of regions) {
    if (data[0] !== IMAGE_MAGIC) continue;
    const { chip, chipId } = parseEspImage(data);
    if (chipId === CHIPS[found].chipId) continue;
    if (chip) refuse(chip, name);
    throw new ProvError("chip_mismatch", `${name} is for an unknown chip (id ${chipId})`);
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
    throw new ProvError("image_missing", `there is no ${file}`, { cause });
  }
  if (bytes.length === 0) throw invalid(`${file} is empty`);
  const padding = (4 - (bytes.length % 4)) % 4;
  return padding === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(padding, 0xff)]);
}

function invalid(why: string): ProvError {
  return new ProvError("image_invalid", why);
}
