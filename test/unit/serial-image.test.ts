import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { APP_OFFSET, hostElfOf, packHostImage } from "../../cli/lab/board/host-image.js";
import { packEspImage, parseEspImage, verifyEspImage } from "../../cli/serial/esp-image.js";
import { parseFlasherArgs, readFlasherArgs } from "../../cli/serial/flasher-args.js";
import { chipByName } from "../../codegen/chips.js";
import { temporaryDir } from "../helpers/project.js";

const sample = () =>
  packEspImage({
    chipId: 5,
    entry: 0x4038_0000,
    segments: [
      { address: 0x3fc8_0000, data: Buffer.from("hello, world") },
      { address: 0x4038_0000, data: Buffer.from([1, 2, 3]) },
    ],
  });

describe("ESP images", () => {
  it("round-trips and ends on 16 bytes plus a hash", () => {
    const bytes = sample();
    expect((bytes.length - 32) % 16).toBe(0);
    const image = verifyEspImage(Buffer.concat([bytes, Buffer.alloc(100, 0xff)]));
    expect(image).toMatchObject({
      chipId: 5,
      chip: "esp32c3",
      entry: 0x4038_0000,
      hashAppended: true,
      checksumValid: true,
      sha256Valid: true,
      length: bytes.length,
    });
    expect(image.segments.map(({ data }) => Buffer.from(data).toString("latin1"))).toEqual([
      "hello, world",
      "\x01\x02\x03\0",
    ]);
  });

  it("notices every flipped byte", () => {
    const bytes = sample();
    for (let at = 0; at < bytes.length; at++) {
      const bad = Uint8Array.from(bytes);
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      // Byte 23 is the flag that says whether there is a hash: without it nothing is left to check.
      if (at === 23) expect(parseEspImage(bad).sha256Valid).toBeUndefined();
      else expect(() => verifyEspImage(bad), `byte ${at}`).toThrow(/not valid/);
    }
  });

  it("refuses every shorter prefix", () => {
    const bytes = sample();
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseEspImage(bytes.subarray(0, length)), `${length} bytes`).toThrow(
        expect.objectContaining({ code: "image_invalid" }),
      );
    }
  });

  it("knows chips by any spelling", () => {
    expect(chipByName("ESP32-C3 (QFN32) (revision v0.4)")).toBe("esp32c3");
    expect(chipByName("esp32_s3")).toBe("esp32s3");
    expect(chipByName("ESP32-D0WD")).toBeUndefined();
    expect(chipByName("esp99")).toBeUndefined();
  });
});

describe("flasher_args.json", () => {
  it("reads ESP-IDF's file: string flags, hex offsets, relative paths", () => {
    const args = parseFlasherArgs(
      JSON.stringify({
        flash_settings: { flash_mode: "dio", flash_size: "4MB", flash_freq: "80m" },
        flash_files: {
          "0x10000": "app.bin",
          "0x0": "bootloader/bootloader.bin",
          "0x20000": "storage.bin",
        },
        bootloader: { offset: "0x0", file: "bootloader/bootloader.bin", encrypted: "false" },
        app: { offset: "0x10000", file: "app.bin", encrypted: "true" },
        extra_esptool_args: { after: "hard-reset", stub: false, chip: "ESP32-C3" },
      }),
      "/b/flasher_args.json",
    );
    expect(args).toEqual({
      path: "/b/flasher_args.json",
      chip: "esp32c3",
      stub: false,
      files: [
        { offset: 0, name: "bootloader", file: "/b/bootloader/bootloader.bin", encrypted: false },
        { offset: 0x10000, name: "app", file: "/b/app.bin", encrypted: true },
        { offset: 0x20000, name: undefined, file: "/b/storage.bin", encrypted: false },
      ],
    });
  });

  it.each([
    ["{", /not JSON/],
    ["{}", /flash_files/],
    ['{"flash_files":{}}', /no files/],
    ['{"flash_files":{"ten":"a"}}', /flash_files/],
  ])("refuses %s", (text, why) => {
    expect(() => parseFlasherArgs(text, "x.json")).toThrow(why);
  });

  it("says that nothing is built where there is no file", () => {
    expect(() => readFlasherArgs("/nonexistent/flasher_args.json")).toThrow(
      expect.objectContaining({ code: "image_missing" }),
    );
  });
});

describe("the host image", () => {
  const build = (elf: Buffer, appPartitionSize = 0x1f_0000) => {
    const dir = temporaryDir();
    writeFileSync(path.join(dir, "fw"), elf);
    const partitionTable = Buffer.alloc(0xc00, 0xff);
    return packHostImage({
      elf: path.join(dir, "fw"),
      chip: "esp32",
      partitionTable,
      appPartitionSize,
      outDir: path.join(dir, "out"),
    });
  };

  it("looks like a chip build and gives the ELF back", () => {
    const elf = Buffer.from("\x7fELF and the rest of it", "latin1");
    const args = readFlasherArgs(build(elf).flasherArgs);
    expect(args.chip).toBe("esp32");
    expect(args.files.map(({ offset }) => offset)).toEqual([0x1000, 0x8000, APP_OFFSET]);
    const app = args.files[2]?.file ?? "";
    expect(statSync(app).mode & 0o777).toBe(0o600);
    const inside = hostElfOf(verifyEspImage(readFileSync(app)));
    expect(Buffer.from(inside ?? []).subarray(0, elf.length)).toEqual(elf);
    expect(hostElfOf(verifyEspImage(readFileSync(args.files[0]?.file ?? "")))).toBeUndefined();
  });

  it("refuses what is not an ELF and what does not fit", () => {
    expect(() => build(Buffer.from("#!/bin/sh"))).toThrow(/not an ELF/);
    expect(() => build(Buffer.from("\x7fELF", "latin1"), 64)).toThrow(
      expect.objectContaining({ code: "image_too_big" }),
    );
  });
});
