/** The loader protocol's numbers (Espressif, "Serial Protocol"), shared by ROM and stub. */

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

export const SECTOR = 0x1000;
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

/** XOR from 0xEF over the block. */
export function blockChecksum(block: Uint8Array): number {
  let sum = 0xef;
  for (const byte of block) sum ^= byte;
  return sum;
}

export function sectorsAround(offset: number, size: number): { start: number; length: number } {
  const start = Math.floor(offset / SECTOR) * SECTOR;
  const end = Math.ceil((offset + size) / SECTOR) * SECTOR;
  return { start, length: end - start };
}
