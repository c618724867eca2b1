import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ProvError } from "../../cli/errors.js";
import type { ChipSecurity } from "../../cli/lab/loader/chip-profile.js";
import { type FlashProgress, flashDevice } from "../../cli/serial/flasher.js";
import { failure } from "../helpers/failure.js";
import { serialBoard } from "../helpers/serial-board.js";
import { holdsImage, makeImage, type VirtualSerial } from "../support/virtual-serial.js";

describe("flashing", () => {
  it.each([
    ["esp32", "uart", true],
    ["esp32c3", "uart", true],
    ["esp32c3", "usb", true],
    ["esp32s3", "usb", true],
    ["esp32", "uart", false],
    ["esp32c3", "uart", false],
    ["esp32s3", "uart", false],
  ] as const)("%s over %s, stub %s", async (chip, circuit, stub) => {
    const { port, flash, front, boots, dir } = await serialBoard({ chip, circuit });
    const flasherArgs = { ...makeImage(dir, { chip }), stub };
    const report = await flashDevice({ port, flasherArgs });
    expect(report).toMatchObject({ chip, mac: "7c:df:a1:00:11:22", baud: 460_800, port });
    expect(report.regions.map(({ skipped }) => skipped)).toEqual([0, 0, 0]);
    expect(holdsImage(flash, flasherArgs)).toBe(true);
    expect(boots.at(-1)).toBe("app");
    expect(front.mode()).toBe("app");
  });

  it("writes only the blocks that differ, everything with full", async () => {
    const { port, flash, dir } = await serialBoard();
    const flasherArgs = makeImage(dir, { size: 400_000 });
    await flashDevice({ port, flasherArgs });
    const again = await flashDevice({ port, flasherArgs });
    expect(again.sent).toBe(0);
    expect(again.regions.every(({ size, skipped }) => size === skipped)).toBe(true);

    const app = flasherArgs.files[2]?.file ?? "";
    const bytes = readFileSync(app);
    bytes[0x2_0000] = (bytes[0x2_0000] ?? 0) ^ 1;
    writeFileSync(app, bytes);
    const changed = await flashDevice({ port, flasherArgs });
    expect(changed.regions.map(({ written }) => written)).toEqual([0, 0, 0x1_0000]);
    expect(holdsImage(flash, flasherArgs)).toBe(true);

    const full = await flashDevice({ port, flasherArgs, full: true });
    expect(full.regions.every(({ size, written }) => size === written)).toBe(true);
  });

  it("leaves what lies beside the image alone, unless told to erase", async () => {
    const { port, flash, dir } = await serialBoard();
    const flasherArgs = makeImage(dir);
    flash.write(0x9000, Buffer.from("nvs"));
    await flashDevice({ port, flasherArgs });
    expect(flash.read(0x9000, 3).toString()).toBe("nvs");
    await flashDevice({ port, flasherArgs, erase: true });
    expect(flash.read(0x9000, 3)).toEqual(Buffer.alloc(3, 0xff));
    expect(holdsImage(flash, flasherArgs)).toBe(true);
  });

  it("erases without the stub as well", async () => {
    const { port, flash, dir } = await serialBoard();
    const flasherArgs = { ...makeImage(dir), stub: false };
    flash.write(0x3f_0000, Buffer.from("old"));
    await flashDevice({ port, flasherArgs, erase: true });
    expect(flash.read(0x3f_0000, 3)).toEqual(Buffer.alloc(3, 0xff));
    expect(holdsImage(flash, flasherArgs)).toBe(true);
  });

  it("reports progress that grows to the whole", async () => {
    const { port, dir } = await serialBoard();
    const seen: FlashProgress[] = [];
    await flashDevice({ port, flasherArgs: makeImage(dir), onProgress: (step) => seen.push(step) });
    const writes = seen.filter(({ stage }) => stage === "write");
    expect(writes.at(-1)?.done).toBe(writes.at(-1)?.total);
    expect(writes.every(({ done }, index) => done >= (writes[index - 1]?.done ?? 0))).toBe(true);
    expect(new Set(seen.map(({ stage }) => stage))).toEqual(
      new Set(["connect", "compare", "write", "verify", "reset"]),
    );
  });

  it("falls back to a lower baud rate and says so", async () => {
    const { port, front, flash, dir } = await serialBoard();
    front.faults.maxBaud = 230_400;
    const notes: string[] = [];
    const flasherArgs = makeImage(dir);
    const report = await flashDevice({
      port,
      flasherArgs,
      baud: 921_600,
      onNote: (text) => notes.push(text),
    });
    expect(report.baud).toBe(230_400);
    expect(notes).toHaveLength(2);
    expect(holdsImage(flash, flasherArgs)).toBe(true);
  });

  it("works on a port without reset lines when the chip is in its loader", async () => {
    const { front, flash, dir } = await serialBoard({ download: true });
    const port = `socket://127.0.0.1:${await front.openTcp()}`;
    const flasherArgs = makeImage(dir);
    const notes: string[] = [];
    await flashDevice({ port, flasherArgs, onNote: (text) => notes.push(text) });
    expect(notes.join()).toContain("press RESET");
    expect(holdsImage(flash, flasherArgs)).toBe(true);
    // The stub is still there: found by its SYNC, and not uploaded over itself.
    expect((await flashDevice({ port, flasherArgs })).sent).toBe(0);
  });

  it("follows a device whose port comes back under another name, by its serial number", async () => {
    const { front, flash, dir, port } = await serialBoard();
    const usb = { vendorId: 0x303a, productId: 0x1001, serialNumber: "7C:DF:A1" };
    const flasherArgs = makeImage(dir);
    const other = `socket://127.0.0.1:${await front.openTcp()}`;
    // The first bytes after the reset find nobody there any more.
    front.reset({ download: true });
    front.faults.vanishAfterBytes = 1;
    const asked: unknown[] = [];
    const report = await flashDevice({
      port,
      usb,
      flasherArgs,
      findPort: async (...question) => {
        asked.push(question);
        return other;
      },
    });
    expect(asked).toEqual([[usb, port]]);
    expect(report.port).toBe(other);
    expect(holdsImage(flash, flasherArgs)).toBe(true);
  });

  it("frees a chip that ends in its loader after the reset, with the watchdog if need be", async () => {
    const { port, front, boots, dir } = await serialBoard({ circuit: "usb" });
    front.faults.stickInDownload = true;
    await flashDevice({ port, flasherArgs: makeImage(dir) });
    expect(boots.at(-1)).toBe("app");
    expect(front.mode()).toBe("app");
  });
});

describe("refusals, before anything is written", () => {
  const isBlank = ({ flash }: VirtualSerial): boolean =>
    flash.read(0, flash.size).equals(Buffer.alloc(flash.size, 0xff));

  it("another chip than the manifest's, the build's or an image's", async () => {
    const target = await serialBoard({ chip: "esp32s3" });
    const { port, dir } = target;
    const mismatch = expect.objectContaining({ code: "chip_mismatch", exitCode: 5 });
    const forC3 = makeImage(dir, { chip: "esp32c3" });
    await expect(flashDevice({ port, flasherArgs: forC3 })).rejects.toEqual(mismatch);
    await expect(flashDevice({ port, flasherArgs: { ...forC3, chip: undefined } })).rejects.toEqual(
      mismatch,
    );
    const forS3 = makeImage(dir, { chip: "esp32s3" });
    await expect(flashDevice({ port, flasherArgs: forS3, target: "esp32c3" })).rejects.toThrow(
      "this is an ESP32-S3, but the manifest is for an ESP32-C3",
    );
    expect(isBlank(target)).toBe(true);
    await flashDevice({ port, flasherArgs: forS3, target: "esp32s3" });
  });

  it("an image beyond the chip's flash", async () => {
    const target = await serialBoard({ flashBytes: 1024 * 1024 });
    const flasherArgs = makeImage(target.dir, { size: 1_000_000 });
    await expect(flashDevice({ port: target.port, flasherArgs })).rejects.toMatchObject({
      code: "image_too_big",
    });
    expect(isBlank(target)).toBe(true);
  });

  it("files that overlap, are missing, empty or out of line", async () => {
    const { port, dir } = await serialBoard();
    const args = makeImage(dir);
    const [bootloader] = args.files;
    if (!bootloader) throw new Error("no files");
    const flash = (files: typeof args.files) =>
      flashDevice({ port, flasherArgs: { ...args, files } });
    await expect(flash([{ ...bootloader, offset: 0x800 }])).rejects.toMatchObject({
      code: "image_invalid",
    });
    await expect(flash([{ ...bootloader, file: `${dir}/none` }])).rejects.toMatchObject({
      code: "image_missing",
    });
    writeFileSync(`${dir}/empty`, "");
    await expect(flash([{ ...bootloader, file: `${dir}/empty` }])).rejects.toMatchObject({
      code: "image_invalid",
    });
    writeFileSync(`${dir}/big`, Buffer.alloc(0x9000));
    const overlapping = [{ ...bootloader, file: `${dir}/big` }, ...args.files.slice(1)];
    await expect(flash(overlapping)).rejects.toThrow("reaches into");
  });

  it.each([
    ["flash encryption", "esp32c3", { flashEncryption: true }],
    ["secure boot", "esp32c3", { secureBoot: true }],
    ["secure download mode", "esp32s3", { secureDownload: true }],
    ["flash encryption", "esp32", { flashEncryption: true }],
    ["secure boot", "esp32", { secureBoot: true }],
    [
      "flash encryption and secure boot and secure download mode",
      "esp32c3",
      { flashEncryption: true, secureBoot: true, secureDownload: true },
    ],
  ] as const)("%s on %s", async (what, chip, security) => {
    const target = await serialBoard({ chip, security });
    const flasherArgs = makeImage(target.dir, { chip });
    for (const how of [{}, { full: true, erase: true }]) {
      const refused = await failure(flashDevice({ port: target.port, flasherArgs, ...how }));
      expect(refused).toMatchObject({ code: "board_hardened", exitCode: 5 });
      expect(String(refused)).toContain(`this chip has ${what} enabled`);
      expect(isBlank(target)).toBe(true);
    }
  });

  it("says what such a board still takes", async () => {
    const hintOf = async (security: ChipSecurity, isEncrypted: boolean): Promise<string> => {
      const target = await serialBoard({ security });
      const args = makeImage(target.dir);
      const files = args.files.map((file) => ({ ...file, encrypted: isEncrypted }));
      const request = { port: target.port, flasherArgs: { ...args, files } };
      return (await failure(flashDevice(request))).hint;
    };
    const plain = await hintOf({ flashEncryption: true }, false);
    expect(plain).toContain("encrypted-flash");
    expect(plain).not.toContain("write_flash");
    expect(await hintOf({ flashEncryption: true }, true)).toMatch(
      /--chip esp32c3 -p rfc2217:\S+ write_flash --encrypt 0x0 \S+bin 0x8000 \S+bin 0x10000 \S+bin$/,
    );
    expect(await hintOf({ flashEncryption: true, secureDownload: true }, true)).toContain(
      "no firmware goes in",
    );
    expect(await hintOf({ secureBoot: true, secureDownload: true }, false)).toMatch(
      /--no-stub write_flash 0x10000 \S+bin$/,
    );
  });

  it("a flash that does not hold what it must", async () => {
    const target = await serialBoard();
    const flasherArgs = makeImage(target.dir);
    const refusal = () => new ProvError("flash_mismatch", "another table");
    const precondition = { offset: 0x8000, data: Buffer.alloc(0xc00, 0x11), refusal };
    const request = { port: target.port, flasherArgs, precondition };
    await expect(flashDevice(request)).rejects.toThrow("another table");
    expect(isBlank(target)).toBe(true);
    await flashDevice({ port: target.port, flasherArgs });
    await flashDevice(request);
  });
});

describe("a build for flash encryption", () => {
  it("goes in as it is while the chip is fresh: its first boot encrypts it", async () => {
    const { port, dir, flash } = await serialBoard();
    const args = makeImage(dir);
    const files = args.files.map((file) => ({ ...file, encrypted: true }));
    await flashDevice({ port, flasherArgs: { ...args, files } });
    expect(holdsImage(flash, args)).toBe(true);
  });
});
