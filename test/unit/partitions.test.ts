import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { CHIP_NAMES, CHIPS } from "../../codegen/chips.js";
import { encodePartitionTable, parsePartitions } from "../../codegen/partitions.js";

// The expected bytes are the output of ESP-IDF 6.1's gen_esp32part.py for the same CSV.
const PLAIN = `# Name, Type, SubType, Offset, Size, Flags
nvs,      data, nvs,     0x9000,  0x6000,
phy_init, data, phy,     0xf000,  0x1000,
factory,  app,  factory, 0x10000, 0x1F0000,
`;
const PLAIN_HEX = [
  "aa500102 00900000 00600000 6e767300000000000000000000000000 00000000",
  "aa500101 00f00000 00100000 7068795f696e69740000000000000000 00000000",
  "aa500000 00000100 00001f00 666163746f7279000000000000000000 00000000",
  "ebebffffffffffffffffffffffffffff 8405a9bb5ce0b84c4f2ca5de9a76b050",
];

const EVERY_NOTATION = `
# every notation
nvs, data, nvs, , 24K
otadata,data,ota,,0x2000
phy_init,data,phy,,4k,
ota_0,app,ota_0,,1M
ota_1, app, ota_1, , 1m, encrypted
nvs_keys,data,nvs_keys,,4096,encrypted:readonly
user,0x40,0x01,,0x3000
store,data,,,-4M
`;
const EVERY_NOTATION_SHA256 = "ee8f0652da229dadb9dd20f4f966c62625e3a2b7c8b32bb05f20ad58fe3adc4f";

test("the binary table equals ESP-IDF's", () => {
  const table = encodePartitionTable(parsePartitions(PLAIN));
  expect(table.length).toBe(0xc00);
  const expected = PLAIN_HEX.join("").replaceAll(" ", "");
  expect(table.subarray(0, 128).toString("hex")).toBe(expected);
  expect(table.subarray(128).every((byte) => byte === 0xff)).toBe(true);
});

test("blank offsets, suffixes, flags and numeric types equal ESP-IDF's", () => {
  const table = encodePartitionTable(parsePartitions(EVERY_NOTATION));
  expect(createHash("sha256").update(table).digest("hex")).toBe(EVERY_NOTATION_SHA256);
});

test("a partition is named, placed and sized", () => {
  expect(parsePartitions(PLAIN)[2]).toEqual({
    name: "factory",
    type: 0,
    subtype: 0,
    offset: 0x10000,
    size: 0x1f0000,
    encrypted: false,
    readonly: false,
  });
});

test.each([
  ["nvs,data,nvs,0x8000,0x6000", /line 1: offset 0x8000 overlaps what ends at 0x9000/],
  ["nvs,data,nvs,,0x6000\nb,data,phy,0xe000,0x1000", /line 2: offset 0xe000 overlaps .*0xf000/],
  ["f,app,factory,0x18000,1M", /line 1: offset 0x18000 is not a multiple of 0x10000/],
  ["f,app,factory,0x10000,0x1800", /size 0x1800 is not a multiple/],
  ["f,app,,0x10000,1M", /needs a subtype/],
  ["nvs,data,nvs,0x9100,0x6000", /not a multiple of 0x1000/],
  ["nvs,data,nvs,,0x1000\nnvs,data,phy,,0x1000", /line 2: name "nvs" is taken/],
  ["nvs,data,nvs,,", /"" is neither a number/],
  ["nvs,data,novelty,,4K", /"novelty" is neither/],
  ["nvs,data,nvs,,0", /size must be positive/],
  ["nvs,data,nvs,,4K,shiny", /unknown flag "shiny"/],
  ["nvs,256,1,,4K", /fit into a byte/],
  ["abcdefghijklmnopq,data,nvs,,4K", /1–16 ASCII/],
])("refuses %j", (csv, message) => {
  expect(() => parsePartitions(csv)).toThrow(message);
});

test("a label may fill all of its 16 bytes", () => {
  const table = encodePartitionTable(parsePartitions("abcdefghijklmnop,data,nvs,,4K"));
  expect(table.subarray(12, 28).toString("latin1")).toBe("abcdefghijklmnop");
});

test("a table holds 94 entries: the MD5 and the end mark take the rest", () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, index) => `p${index},data,nvs,,4K`).join("\n");
  expect(encodePartitionTable(parsePartitions(rows(94))).length).toBe(0xc00);
  expect(() => encodePartitionTable(parsePartitions(rows(95)))).toThrow(/do not fit/);
});

test("the bootloader lies where each chip's ROM looks for it", () => {
  expect(CHIP_NAMES.map((chip) => [chip, CHIPS[chip].bootloaderOffset])).toEqual([
    ["esp32", 0x1000],
    ["esp32s2", 0x1000],
    ["esp32s3", 0],
    ["esp32c2", 0],
    ["esp32c3", 0],
    ["esp32c5", 0x2000],
    ["esp32c6", 0],
  ]);
});
