import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packEspImage } from "../../cli/serial/esp-image.js";
import { checkChip, loadRegions } from "../../cli/serial/flash-regions.js";
import { parseFlasherArgs } from "../../cli/serial/flasher-args.js";
import { encodePartitionTable, parsePartitions } from "../../codegen/partitions.js";
import { temporaryDir } from "../helpers/project.js";

const TABLE = encodePartitionTable(
  parsePartitions(`nvs,     data, nvs,    0x9000,   0x6000
otadata, data, ota,    0xf000,   0x2000
ota_0,   app,  ota_0,  0x20000,  0x100000
ota_1,   app,  ota_1,  0x120000, 0x100000
storage, data, spiffs, 0x220000, 0x10000
`),
);
const imageFor = (chipId: number) =>
  packEspImage({
    chipId,
    entry: 0x4038_0000,
    segments: [{ address: 0x4038_0000, data: Buffer.from("x") }],
  });
const C3 = 5;
const S3 = 9;
/** A partition's data that begins with the magic of a firmware image. */
const data = (...bytes: number[]) => Buffer.from([0xe9, ...bytes, ...Buffer.alloc(60, 0x5a)]);

/** A build's folder: offset → file name, content and ESP-IDF's name for it. */
function build(files: readonly (readonly [offset: number, name: string, bytes: Uint8Array])[]) {
  const dir = temporaryDir();
  for (const [, name, bytes] of files) writeFileSync(join(dir, `${name}.bin`), bytes);
  const hex = (offset: number): string => `0x${offset.toString(16)}`;
  return parseFlasherArgs(
    JSON.stringify({
      flash_files: Object.fromEntries(files.map(([offset, name]) => [hex(offset), `${name}.bin`])),
      // A file that the project adds by its offset alone has no entry of its own.
      ...Object.fromEntries(
        files
          .filter(([, name]) => !name.startsWith("_"))
          .map(([offset, name]) => [name, { offset: hex(offset), file: `${name}.bin` }]),
      ),
      extra_esptool_args: { chip: "esp32c3" },
    }),
    join(dir, "flasher_args.json"),
  );
}

const bootloader = [0, "bootloader", imageFor(C3)] as const;
const table = [0x8000, "partition-table", TABLE] as const;
const app = [0x20000, "app", imageFor(C3)] as const;

describe("which files are firmware images", () => {
  it.each([
    ["by chance", data(0)],
    ["with a header that looks sound", data(1, 2, 0x20)],
    ["a whole image for another chip", imageFor(S3)],
    ["one byte", Buffer.from([0xe9])],
  ])("data that begins with 0xE9, %s, is none", (_what, bytes) => {
    for (const name of ["storage", "_storage"]) {
      const args = build([bootloader, table, app, [0x220000, name, bytes]]);
      const regions = loadRegions(args);
      expect(regions.map(({ image }) => image?.chip)).toEqual([
        ...["esp32c3", undefined, "esp32c3", undefined],
      ]);
      expect(() => checkChip("esp32c3", { args, regions })).not.toThrow();
    }
  });

  it("an application that only the partition table tells of is one", () => {
    const args = build([bootloader, table, app, [0x120000, "_second", imageFor(S3)]]);
    const regions = loadRegions(args);
    expect(() => checkChip("esp32c3", { args, regions })).toThrow(
      "this is an ESP32-C3, but _second.bin is for an ESP32-S3",
    );
  });

  it.each([
    ["bootloader", 0, "it starts with 0x7f and not with 0xe9"],
    ["app", 0x20000, "it starts with 0x7f and not with 0xe9"],
    ["_second", 0x120000, "it starts with 0x7f and not with 0xe9"],
  ])("what is no image in the place of %s is refused", (name, offset, why) => {
    const others = [bootloader, table, app].filter(([at]) => at !== offset);
    const elf = Buffer.alloc(64, "\x7fELF");
    expect(() => loadRegions(build([...others, [offset, name, elf]]))).toThrow(
      expect.objectContaining({
        code: "image_invalid",
        message: expect.stringMatching(`/${name}.bin: the firmware image is not valid: ${why}$`),
      }),
    );
  });

  it("an application that was cut short is refused", () => {
    const cut = imageFor(C3).subarray(0, 40);
    expect(() => loadRegions(build([bootloader, table, [0x20000, "app", cut]]))).toThrow(
      /app\.bin: the firmware image is not valid: it ends before/,
    );
  });
});

describe("files that cannot be written", () => {
  it("an empty one has nothing to write", () => {
    const args = build([bootloader, table, app, [0x220000, "storage", Buffer.alloc(0)]]);
    expect(() => loadRegions(args)).toThrow(/storage\.bin is empty$/);
  });

  it("a folder is not called missing", () => {
    const args = build([bootloader, table, app]);
    const [first, ...rest] = args.files;
    if (!first) throw new Error("no files");
    const dir = join(temporaryDir(), "folder");
    mkdirSync(dir);
    expect(() => loadRegions({ ...args, files: [{ ...first, file: dir }, ...rest] })).toThrow(
      expect.objectContaining({
        code: "file_inaccessible",
        message: `${dir}: it is a folder (EISDIR)`,
      }),
    );
  });
});
