import { createHash } from "node:crypto";
import { chipById } from "../../codegen/chips.js";
import { ProvError } from "../errors.js";

/*
 * The ESP application image format: an 8-byte header, a 16-byte extended header, segments, an XOR
 * checksum that ends on a 16-byte boundary, and (flag in the extended header) an appended SHA-256.
 */

const MAGIC = 0xe9;
const CHECKSUM_SEED = 0xef;
const HEADER_BYTES = 24;
const SEGMENT_HEADER_BYTES = 8;
const SHA256_BYTES = 32;
/** The ROM's own bound on the segment count. */
const MAX_SEGMENTS = 16;
/** DIO, the mode that every board boots in; the second-stage bootloader may switch later. */
const SPI_MODE_DIO = 2;
/** High nibble: 4 MB; low nibble: 40 MHz. */
const FLASH_4MB_40MHZ = 0x20;

export interface EspSegment {
  /** Load address. */
  readonly address: number;
  readonly data: Uint8Array;
}

export type EspImage = ReturnType<typeof parseEspImage>;

/**
 * Reads an image from the start of `bytes` (a file, or a stretch of flash with more behind it).
 * @throws ProvError image_invalid when the structure itself is broken: no magic, or cut short.
 */
export function parseEspImage(bytes: Uint8Array) {
  const view = dataView(bytes);
  if (bytes.length < HEADER_BYTES) throw invalid("it is shorter than an image header");
  if (view.getUint8(0) !== MAGIC) {
    throw invalid(`it starts with 0x${hex(view.getUint8(0))} and not with 0xe9`);
  }
  const { segments, end } = readSegments(bytes, view);
  const checksumAt = end + (15 - (end % 16));
  if (checksumAt >= bytes.length) throw invalid("it ends before its checksum");
  const hashAppended = view.getUint8(23) === 1;
  const length = checksumAt + 1 + (hashAppended ? SHA256_BYTES : 0);
  if (length > bytes.length) throw invalid("it ends before its SHA-256");
  const chipId = view.getUint16(12, true);
  return {
    chipId,
    /** Undefined for an id that prov does not know. */
    chip: chipById(chipId),
    entry: view.getUint32(4, true),
    segments,
    hashAppended,
    checksumValid: segmentsChecksum(segments) === view.getUint8(checksumAt),
    /** Undefined when no hash is appended. */
    sha256Valid: hashAppended ? hashMatches(bytes, checksumAt + 1) : undefined,
    /** Bytes from the magic to the end of the checksum or hash; what follows in the input is not ours. */
    length,
  };
}

/**
 * Like parseEspImage, and refuses an image that the bootloader would refuse.
 * @throws ProvError image_invalid
 */
export function verifyEspImage(bytes: Uint8Array): EspImage {
  const image = parseEspImage(bytes);
  if (!image.checksumValid) throw invalid("its checksum is wrong");
  if (image.sha256Valid === false) throw invalid("its SHA-256 is wrong");
  return image;
}

/** Makes an image; segments are padded with zeros to 4 bytes, a SHA-256 is appended. */
export function packEspImage(parts: {
  chipId: number;
  entry: number;
  segments: readonly EspSegment[];
}): Uint8Array {
  const chunks = [imageHeader(parts)];
  for (const { address, data } of parts.segments) {
    const padded = new Uint8Array(Math.ceil(data.length / 4) * 4);
    padded.set(data);
    const header = new Uint8Array(SEGMENT_HEADER_BYTES);
    dataView(header).setUint32(0, address, true);
    dataView(header).setUint32(4, padded.length, true);
    chunks.push(header, padded);
  }
  const bodyLength = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const tail = new Uint8Array(16 - (bodyLength % 16));
  tail[tail.length - 1] = segmentsChecksum(parts.segments);
  const body = Buffer.concat([...chunks, tail]);
  return new Uint8Array(Buffer.concat([body, createHash("sha256").update(body).digest()]));
}

function imageHeader(parts: { chipId: number; entry: number; segments: readonly EspSegment[] }) {
  if (parts.segments.length === 0 || parts.segments.length > MAX_SEGMENTS) {
    throw invalid(`it would have ${parts.segments.length} segments; 1 to ${MAX_SEGMENTS} fit`);
  }
  const header = new Uint8Array(HEADER_BYTES);
  const view = dataView(header);
  view.setUint8(0, MAGIC);
  view.setUint8(1, parts.segments.length);
  view.setUint8(2, SPI_MODE_DIO);
  view.setUint8(3, FLASH_4MB_40MHZ);
  view.setUint32(4, parts.entry, true);
  view.setUint8(8, 0xee); // WP pin: disabled
  view.setUint16(12, parts.chipId, true);
  view.setUint16(17, 0xffff, true); // highest chip revision: any
  view.setUint8(23, 1); // SHA-256 appended
  return header;
}

function readSegments(bytes: Uint8Array, view: DataView): { segments: EspSegment[]; end: number } {
  const count = view.getUint8(1);
  if (count === 0 || count > MAX_SEGMENTS) throw invalid(`it claims ${count} segments`);
  const segments: EspSegment[] = [];
  let at = HEADER_BYTES;
  for (let index = 0; index < count; index++) {
    if (at + SEGMENT_HEADER_BYTES > bytes.length) throw invalid(`segment ${index} is cut off`);
    const address = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    at += SEGMENT_HEADER_BYTES;
    if (size > bytes.length - at) throw invalid(`segment ${index} is cut off`);
    segments.push({ address, data: bytes.subarray(at, at + size) });
    at += size;
  }
  return { segments, end: at };
}

function segmentsChecksum(segments: readonly EspSegment[]): number {
  let sum = CHECKSUM_SEED;
  for (const { data } of segments) for (const byte of data) sum ^= byte;
  return sum;
}

function hashMatches(bytes: Uint8Array, hashAt: number): boolean {
  const hash = createHash("sha256").update(bytes.subarray(0, hashAt)).digest();
  return hash.equals(bytes.subarray(hashAt, hashAt + SHA256_BYTES));
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function invalid(why: string): ProvError {
  return new ProvError("image_invalid", `the firmware image is not valid: ${why}`);
}
