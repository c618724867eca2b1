import { createHash } from "node:crypto";

/** Where ESP-IDF puts the partition table unless told otherwise. */
export const PARTITION_TABLE_OFFSET = 0x8000;

export const PARTITION_TYPE_APP = 0x00;
/** Another bootloader in the table, as ESP-IDF has it since 5.4. */
export const PARTITION_TYPE_BOOTLOADER = 0x02;

/** One entry of a partition table; offsets and sizes in bytes. */
export interface Partition {
  readonly name: string;
  readonly type: number;
  readonly subtype: number;
  readonly offset: number;
  readonly size: number;
  readonly encrypted: boolean;
  readonly readonly: boolean;
}

const TYPES: Readonly<Record<string, number>> = { app: PARTITION_TYPE_APP, data: 0x01 };
const SUBTYPES: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  0: { factory: 0x00, test: 0x20, ...otaSlots() },
  1: {
    ...{ ota: 0x00, phy: 0x01, nvs: 0x02, coredump: 0x03, nvs_keys: 0x04, efuse: 0x05 },
    ...{ undefined: 0x06, esphttpd: 0x80, fat: 0x81, spiffs: 0x82, littlefs: 0x83 },
  },
};
const SUBTYPE_UNDEFINED = 0x06;
/** Bytes of flash that are erased together. */
export const SECTOR = 0x1000;
const APP_ALIGNMENT = 0x10000;
const LABEL_BYTES = 16;

function otaSlots(): Record<string, number> {
  return Object.fromEntries(Array.from({ length: 16 }, (_, slot) => [`ota_${slot}`, 0x10 + slot]));
}

/**
 * Parses `partitions.csv` in ESP-IDF's syntax (comments, K/M suffixes, blank offsets that follow on).
 * Throws an Error that names the line.
 */
export function parsePartitions(csv: string): Partition[] {
  const partitions: Partition[] = [];
  let end = PARTITION_TABLE_OFFSET + SECTOR;
  for (const [index, raw] of csv.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    try {
      const partition = parseLine(line, end);
      checkPartition(partition, end, partitions);
      partitions.push(partition);
      end = partition.offset + partition.size;
    } catch (error) {
      throw new Error(`partitions.csv line ${index + 1}: ${(error as Error).message}`);
    }
  }
  return partitions;
}

function parseLine(line: string, previousEnd: number): Partition {
  const [name = "", type = "", subtype = "", offset = "", size = "", flags = ""] = line
    .split(",")
    .map((field) => field.trim());
  const typeNumber = parseNumber(type, TYPES);
  const alignment = typeNumber === TYPES.app ? APP_ALIGNMENT : SECTOR;
  const start =
    offset === "" ? Math.ceil(previousEnd / alignment) * alignment : parseNumber(offset);
  const length = parseNumber(size);
  const flagNames = flags.split(":").filter((flag) => flag !== "");
  const unknown = flagNames.find((flag) => flag !== "encrypted" && flag !== "readonly");
  if (unknown !== undefined) throw new Error(`unknown flag "${unknown}"`);
  return {
    name,
    type: typeNumber,
    subtype: parseSubtype(subtype, typeNumber),
    offset: start,
    // A negative size is the distance of the partition's end from the start of the flash.
    size: length < 0 ? -length - start : length,
    encrypted: flagNames.includes("encrypted"),
    readonly: flagNames.includes("readonly"),
  };
}

function parseSubtype(text: string, type: number): number {
  if (text !== "") return parseNumber(text, SUBTYPES[type] ?? {});
  if (type === TYPES.app) throw new Error("an app partition needs a subtype");
  return SUBTYPE_UNDEFINED;
}

function parseNumber(text: string, names: Readonly<Record<string, number>> = {}): number {
  const named = Object.hasOwn(names, text.toLowerCase()) ? names[text.toLowerCase()] : undefined;
  if (named !== undefined) return named;
  const [, sign, digits, suffix] = /^(-?)(0x[0-9a-f]+|\d+)([km]?)$/i.exec(text) ?? [];
  if (digits === undefined) throw new Error(`"${text}" is neither a number nor a known name`);
  const unit =
    suffix?.toLowerCase() === "k" ? 1024 : suffix?.toLowerCase() === "m" ? 1024 * 1024 : 1;
  return Number(digits) * unit * (sign === "-" ? -1 : 1);
}

function checkPartition(
  partition: Partition,
  previousEnd: number,
  before: readonly Partition[],
): void {
  const { name, type, subtype, offset, size } = partition;
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > LABEL_BYTES) {
    throw new Error(`name "${name}" is not 1–${LABEL_BYTES} ASCII characters`);
  }
  if (before.some((other) => other.name === name)) throw new Error(`name "${name}" is taken`);
  if (![type, subtype].every((value) => value >= 0 && value <= 0xff)) {
    throw new Error("type and subtype must fit into a byte");
  }
  if (size <= 0 || offset + size > 2 ** 32)
    throw new Error("size must be positive and fit the flash");
  if (offset < previousEnd) {
    throw new Error(`offset ${hex(offset)} overlaps what ends at ${hex(previousEnd)}`);
  }
  const alignment = type === TYPES.app ? APP_ALIGNMENT : SECTOR;
  if (offset % alignment !== 0)
    throw new Error(`offset ${hex(offset)} is not a multiple of ${hex(alignment)}`);
  if (type === TYPES.app && size % SECTOR !== 0) {
    throw new Error(`size ${hex(size)} is not a multiple of ${hex(SECTOR)}`);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

const ENTRY_BYTES = 32;
const ENTRY_MAGIC = 0x50aa;
/** The table's own part of its flash sector; the rest is for a signature. */
export const PARTITION_TABLE_BYTES = 0xc00;

/** The binary table that bootloader and firmware read: entries, their MD5, 0xFF up to 0xC00 bytes. */
export function encodePartitionTable(partitions: readonly Partition[]): Buffer {
  const entries = Buffer.concat(partitions.map(encodeEntry));
  const md5 = Buffer.concat([
    Buffer.from([0xeb, 0xeb]),
    Buffer.alloc(14, 0xff),
    createHash("md5").update(entries).digest(),
  ]);
  const used = entries.length + md5.length;
  // At least one blank entry must remain: it marks the end.
  if (used >= PARTITION_TABLE_BYTES)
    throw new Error(`${partitions.length} partitions do not fit into the table`);
  return Buffer.concat([entries, md5, Buffer.alloc(PARTITION_TABLE_BYTES - used, 0xff)]);
}

function encodeEntry(partition: Partition): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES);
  entry.writeUInt16LE(ENTRY_MAGIC, 0);
  entry.writeUInt8(partition.type, 2);
  entry.writeUInt8(partition.subtype, 3);
  entry.writeUInt32LE(partition.offset, 4);
  entry.writeUInt32LE(partition.size, 8);
  entry.write(partition.name, 12, LABEL_BYTES, "latin1");
  entry.writeUInt32LE((partition.encrypted ? 1 : 0) | (partition.readonly ? 2 : 0), 28);
  return entry;
}

/** The entries of a binary table up to its MD5 or its blank end; none when it is no table. */
export function decodePartitionTable(
  table: Buffer,
): readonly Pick<Partition, "type" | "offset" | "size">[] {
  const entries: Pick<Partition, "type" | "offset" | "size">[] = [];
  const end = Math.min(table.length, PARTITION_TABLE_BYTES);
  for (let at = 0; at + ENTRY_BYTES <= end; at += ENTRY_BYTES) {
    if (table.readUInt16LE(at) !== ENTRY_MAGIC) break;
    entries.push({
      type: table.readUInt8(at + 2),
      offset: table.readUInt32LE(at + 4),
      size: table.readUInt32LE(at + 8),
    });
  }
  return entries;
}
