import { SECTOR } from "../../../codegen/partitions.js";
import { OP } from "../../serial/loader-commands.js";

/* The loader protocol (Espressif, "Serial Protocol"), as far as ROM and stub share it. */

/** What the ROM still takes in Secure Download Mode (Espressif, "Serial Protocol"). */
export const SECURE_DOWNLOAD_OPS: readonly number[] = [
  OP.sync,
  OP.spiAttach,
  OP.spiSetParams,
  OP.changeBaud,
  OP.flashBegin,
  OP.flashData,
  OP.flashEnd,
  OP.securityInfo,
];

/** How often one SYNC is answered. */
export const SYNC_REPLIES = 8;
/** DATA frames: length, sequence number and two words of zero come before the block. */
export const BLOCK_HEADER = 16;
export const REQUEST_HEADER = 8;

export interface Request {
  readonly direction: number;
  readonly op: number;
  readonly length: number;
  readonly checksum: number;
  readonly data: Buffer;
}

/** Reads a request; fields that a short frame lacks read as zero, as they do in the ROM's buffer. */
export function parseRequest(frame: Uint8Array): Request {
  const bytes = Buffer.alloc(Math.max(frame.length, REQUEST_HEADER));
  bytes.set(frame);
  return {
    direction: bytes.readUInt8(0),
    op: bytes.readUInt8(1),
    length: bytes.readUInt16LE(2),
    checksum: bytes.readUInt32LE(4),
    data: bytes.subarray(REQUEST_HEADER),
  };
}

export function formatReply(op: number, value: number, body: Uint8Array): Buffer {
  const reply = Buffer.alloc(REQUEST_HEADER + body.length);
  reply[0] = 1;
  reply[1] = op;
  reply.writeUInt16LE(body.length, 2);
  reply.writeUInt32LE(value >>> 0, 4);
  reply.set(body, REQUEST_HEADER);
  return reply;
}

/** The n-th 32-bit word of the data, zero where there is none. */
export function word(data: Buffer, index: number): number {
  return data.length >= 4 * index + 4 ? data.readUInt32LE(4 * index) : 0;
}

export function sectorsAround(offset: number, size: number): { start: number; length: number } {
  const start = Math.floor(offset / SECTOR) * SECTOR;
  const end = Math.ceil((offset + size) / SECTOR) * SECTOR;
  return { start, length: end - start };
}
