/** DER (X.690), as far as certificates need it. */

export const TAG = {
  boolean: 0x01,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
} as const;

/** One value: its tag, its content, and both with the length between them. */
export interface DerValue {
  readonly tag: number;
  readonly body: Buffer;
  readonly raw: Buffer;
}

/**
 * The values that lie one behind the other.
 * @throws RangeError where they do not fill the bytes
 */
export function derValues(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let start = 0; start < bytes.length; ) {
    const { length, head } = lengthAt(bytes, start + 1);
    const end = start + 1 + head + length;
    if (end > bytes.length) throw new RangeError("DER is cut short");
    values.push({
      tag: bytes.readUInt8(start),
      body: bytes.subarray(start + 1 + head, end),
      raw: bytes.subarray(start, end),
    });
    start = end;
  }
  return values;
}

/** The values inside the first one. */
export function insideDer(bytes: Buffer): DerValue[] {
  const [outer] = derValues(bytes);
  return outer === undefined ? [] : derValues(outer.body);
}

/** An object identifier in its dotted form. */
export function dottedOid(body: Buffer): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of body) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - 40 * root, ...rest].join(".");
}

function lengthAt(bytes: Buffer, at: number): { length: number; head: number } {
  const first = bytes.readUInt8(at);
  if (first < 0x80) return { length: first, head: 1 };
  const size = first & 0x7f;
  if (size < 1 || size > 4) throw new RangeError("DER has no such length");
  return { length: bytes.readUIntBE(at + 1, size), head: 1 + size };
}
