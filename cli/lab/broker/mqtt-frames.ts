/** MQTT 3.1.1, 2.2: packets as the bytes that they are, so that whoever passes them on changes nothing. */
export interface Frame {
  /** 2.2.1: the control packet type. */
  readonly type: number;
  readonly bytes: Buffer;
}

/** 2.2.1, table 2.1. */
export const PACKET = { connect: 1, publish: 3, subscribe: 8, disconnect: 14 } as const;

const RETAIN = 0x01;
const QOS = 0x06;
/** 2.2.3: four bytes of length at most. */
const LENGTH_BYTES_MAX = 4;

/** Cuts a stream into packets; what is no MQTT at all comes out as one packet of whatever type. */
export function createFrameSplitter(): (chunk: Buffer) => Frame[] {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    for (let size = frameSize(rest); size !== null && size <= rest.length; size = frameSize(rest)) {
      frames.push({ type: (rest[0] ?? 0) >> 4, bytes: rest.subarray(0, size) });
      rest = rest.subarray(size);
    }
    return frames;
  };
}

/** Of the packet that begins here; null while that cannot be told. */
function frameSize(bytes: Buffer): number | null {
  let length = 0;
  for (let index = 1; index <= LENGTH_BYTES_MAX; index++) {
    const byte = bytes[index];
    if (byte === undefined) return null;
    length += (byte & 0x7f) * 128 ** (index - 1);
    if ((byte & 0x80) === 0) return 1 + index + length;
  }
  return bytes.length;
}

/** 3.4: the acknowledgement of a PUBLISH; null for one with QoS 0, which gets none. */
export function pubackFor({ bytes }: Frame): Buffer | null {
  if (((bytes[0] ?? 0) & QOS) === 0) return null;
  const lengthBytes = bytes.subarray(1).findIndex((byte) => (byte & 0x80) === 0) + 1;
  const topicAt = 1 + lengthBytes;
  const idAt = topicAt + 2 + bytes.readUInt16BE(topicAt);
  return Buffer.concat([Buffer.from([0x40, 2]), bytes.subarray(idAt, idAt + 2)]);
}

/** 3.3.1.3 */
export function withRetain({ bytes }: Frame, isRetained: boolean): Buffer {
  const changed = Buffer.from(bytes);
  changed[0] = isRetained ? (bytes[0] ?? 0) | RETAIN : (bytes[0] ?? 0) & ~RETAIN;
  return changed;
}
