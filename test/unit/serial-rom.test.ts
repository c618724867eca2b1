import { createHash, randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createLoaderBench, words } from "../support/loader-bench.js";

/*
 * The answers of the true mask ROM (ESP32-C3, revision 3), byte by byte: 01 op length value data
 * status error rubbish rubbish.
 */

const SYNC = Buffer.concat([Buffer.from([7, 7, 0x12, 0x20]), Buffer.alloc(32, 0x55)]);
const OP = {
  flashBegin: 2,
  flashData: 3,
  flashEnd: 4,
  memBegin: 5,
  memEnd: 6,
  memData: 7,
  sync: 8,
  writeReg: 9,
  readReg: 10,
  params: 11,
  attach: 13,
  slowRead: 14,
  baud: 15,
  deflBegin: 16,
  deflData: 17,
  deflEnd: 18,
  md5: 19,
  security: 20,
};
const hex = (frame: Buffer): string => frame.toString("hex");
/** Status and error of a reply; what follows is rubbish on the true ROM too. */
const status = (frame: Buffer): string => frame.subarray(-4, -2).toString("hex");
const inRom = async (...args: Parameters<typeof createLoaderBench>) => {
  const bench = createLoaderBench(...args);
  await bench.enterRom();
  return bench;
};

describe("the ROM's manners", () => {
  it("answers SYNC eight times, with a value that later replies repeat", async () => {
    const bench = await inRom();
    const sync = "010804000707122000003ffc";
    expect(hex(await bench.ask(OP.sync, SYNC))).toBe(sync);
    for (let more = 0; more < 7; more++) expect(hex(await bench.next())).toBe(sync);
    expect(hex(await bench.ask(OP.attach, words(0, 0)))).toBe("010d04000707122000003ffc");
    expect(hex(await bench.ask(OP.readReg, words(0x4000_1000)))).toBe("010a04006f50311b00003ffc");
    expect(hex(await bench.ask(OP.attach, words(0, 0)))).toBe("010d04006f50311b00003ffc");
  });

  it("takes a three-byte frame for SYNC, and does not look at the length field", async () => {
    const bench = await inRom();
    bench.frame(Buffer.from([0, OP.sync, 0]));
    expect((await bench.next())[1]).toBe(OP.sync);
  });

  it("refuses an unknown op and a wrong direction under the op before, and success keeps the stale error", async () => {
    const bench = await inRom();
    await bench.ask(OP.readReg, words(0x4000_1000));
    expect(hex(await bench.ask(0x77))).toBe("010a04006f50311b01053ffc");
    expect(hex(await bench.ask(OP.readReg, words(0)))).toBe("010a04000000000000053ffc");
    bench.frame(Buffer.from([1, OP.sync, 0, 0, 0, 0, 0, 0]));
    expect(hex(await bench.next())).toBe("010a04000000000001053ffc");
  });

  it.each([
    ["esp32c3", 5, 3],
    ["esp32s3", 9, 0],
  ] as const)("tells the %s's security info", async (chip, chipId, api) => {
    const bench = await inRom(chip);
    const reply = await bench.ask(OP.security);
    expect(reply.readUInt16LE(2)).toBe(24);
    const info = reply.subarray(8, 28);
    expect([info.readUInt32LE(0), info[4], info[11]]).toEqual([0, 0, 12]);
    expect([info.readUInt32LE(12), info.readUInt32LE(16)]).toEqual([chipId, api]);
  });

  it("has no security info on the classic ESP32: refused eight times under SYNC", async () => {
    const bench = await inRom("esp32");
    await bench.ask(OP.sync, SYNC);
    for (let more = 0; more < 7; more++) await bench.next();
    for (let time = 0; time < 8; time++) {
      const reply = time === 0 ? await bench.ask(OP.security) : await bench.next();
      expect(hex(reply)).toBe("010804000707122001053ffc");
    }
  });

  it("takes in Secure Download Mode what Espressif lists, and refuses all else under the op before", async () => {
    const bench = await inRom("esp32c3", {
      security: { secureDownload: true, flashEncryption: true, secureBoot: true },
    });
    const info = (await bench.ask(OP.security)).subarray(8, 28);
    expect([info.readUInt32LE(0), info[4]]).toEqual([0b101, 1]);
    const barred = [OP.readReg, OP.writeReg, OP.memBegin, OP.md5, OP.slowRead, OP.deflBegin];
    for (const op of barred) {
      const reply = await bench.ask(op, words(0x4000_1000, 0, 0, 0, 0));
      expect([reply[1], status(reply)], `op ${op}`).toEqual([OP.security, "0105"]);
    }
    for (const op of [OP.attach, OP.params, OP.flashBegin])
      expect((await bench.ask(op, words(0, 0, 0x400, 0, 0, 0)))[8], `op ${op}`).toBe(0);
  });

  it("reads the flash chip's id through the SPI controller", async () => {
    const bench = await inRom();
    await bench.ask(OP.writeReg, words(0x6000_2020, (7 << 28) | 0x9f, 0xffff_ffff, 0));
    await bench.ask(OP.writeReg, words(0x6000_2000, 1 << 18, 0xffff_ffff, 0));
    expect((await bench.ask(OP.readReg, words(0x6000_2058))).readUInt32LE(4)).toBe(0x16_4020);
    expect((await bench.ask(OP.readReg, words(0x6000_2000))).readUInt32LE(4)).toBe(0);
  });

  it("writes only the masked bits of a register", async () => {
    const bench = await inRom();
    await bench.ask(OP.writeReg, words(0x5000_0000, 0xaabb_ccdd, 0xffff_ffff, 0));
    await bench.ask(OP.writeReg, words(0x5000_0000, 0x1122_3344, 0x0000_ff00, 0));
    expect((await bench.ask(OP.readReg, words(0x5000_0000))).readUInt32LE(4)).toBe(0xaabb_33dd);
  });

  it("wants whole parameters, and 64 bytes at most in a slow read", async () => {
    const bench = await inRom();
    expect(status(await bench.ask(OP.params, words(0, 0)))).toBe("0105");
    bench.flash.write(0x2000, Buffer.from("slow"));
    const slow = await bench.ask(OP.slowRead, words(0x2000, 4));
    expect(slow.subarray(8, -4)).toEqual(
      Buffer.concat([Buffer.from("slow"), Buffer.alloc(60, 0xff)]),
    );
    expect(status(await bench.ask(OP.slowRead, words(0x2000, 65)))).toBe("010a");
  });

  it("gives MD5 as 32 characters, and 01 09 beyond the chip", async () => {
    const bench = await inRom();
    const md5 = await bench.ask(OP.md5, words(0, 0x1000, 0, 0));
    const expected = createHash("md5").update(Buffer.alloc(0x1000, 0xff)).digest("hex");
    expect(md5.subarray(8, -4).toString()).toBe(expected);
    expect(status(await bench.ask(OP.md5, words(0x3f_f000, 0x2000, 0, 0)))).toBe("0109");
  });
});

describe("writing in ROM mode", () => {
  const image = randomBytes(0x1234);
  const z = deflateSync(image);

  it.each([
    ["16 bytes", words(0x400, 1, 0x400, 0), "0105"],
    ["an unaligned offset", words(0x400, 1, 0x400, 0x123, 0), "0106"],
    ["a block of 0x4000", words(0x4000, 1, 0x4000, 0, 0), "0105"],
    ["more than the chip has", words(0x2000, 8, 0x400, 0x3f_f000, 0), "0106"],
    ["a block of 0x800", words(0x800, 1, 0x800, 0, 0), "0000"],
  ])("BEGIN with %s", async (_what, data, expected) => {
    const bench = await inRom();
    expect(status(await bench.ask(OP.flashBegin, data))).toBe(expected);
  });

  it("takes 16 bytes of BEGIN on the classic ESP32", async () => {
    const bench = await inRom("esp32");
    expect(status(await bench.ask(OP.deflBegin, words(0x400, 1, 0x400, 0x1000)))).toBe("0000");
  });

  it("erases at BEGIN and writes raw blocks", async () => {
    const bench = await inRom();
    bench.flash.write(0x1000, Buffer.alloc(0x3000));
    const first = randomBytes(0x400);
    await bench.ask(OP.flashBegin, words(0x800, 2, 0x400, 0x1000, 0));
    expect(bench.flash.read(0x1000, 0x1000)).toEqual(Buffer.alloc(0x1000, 0xff));
    expect(bench.flash.read(0x2000, 0x10)).toEqual(Buffer.alloc(0x10));
    expect(status(await bench.block(OP.flashData, 0, first))).toBe("0000");
    expect(bench.flash.read(0x1000, 0x400)).toEqual(first);
  });

  it("inflates as blocks come, without END", async () => {
    const bench = await inRom();
    const blocks = Math.ceil(z.length / 0x400);
    await bench.ask(OP.deflBegin, words(0x1400, blocks, 0x400, 0x1_0000, 0));
    for (let sequence = 0; sequence < blocks; sequence++) {
      const block = z.subarray(sequence * 0x400, (sequence + 1) * 0x400);
      expect(status(await bench.block(OP.deflData, sequence, block))).toBe("0000");
    }
    expect(bench.flash.read(0x1_0000, image.length)).toEqual(image);
  });

  it("answers a wrong checksum with 01 07 and moves on: resending fails, only BEGIN recovers", async () => {
    const bench = await inRom();
    const begin = words(0x800, 2, 0x400, 0x1000, 0);
    const block = Buffer.alloc(0x400, 0x5a); // its checksum is not 0
    await bench.ask(OP.flashBegin, begin);
    expect(status(await bench.block(OP.flashData, 0, block, 0))).toBe("0107");
    expect(status(await bench.block(OP.flashData, 0, block))).toBe("0105");
    await bench.ask(OP.flashBegin, begin);
    // Success, with the stale error of before.
    expect(status(await bench.block(OP.flashData, 0, block))).toBe("0005");
  });

  it("does the same for MEM_DATA", async () => {
    const bench = await inRom();
    const block = Buffer.alloc(64, 0x5a);
    await bench.ask(OP.memBegin, words(128, 2, 64, 0x4038_0000));
    expect(status(await bench.block(OP.memData, 0, block, 0))).toBe("0107");
    expect(status(await bench.block(OP.memData, 0, block))).toBe("0105");
  });

  it("refuses DATA without BEGIN and out of sequence", async () => {
    const bench = await inRom();
    expect(status(await bench.block(OP.flashData, 0, Buffer.alloc(16)))).toBe("0105");
    await bench.ask(OP.flashBegin, words(0x800, 2, 0x400, 0x1000, 0));
    expect(status(await bench.block(OP.flashData, 1, Buffer.alloc(0x400)))).toBe("0105");
  });

  it("takes a truncated stream for success and garbage for 01 0b", async () => {
    const bench = await inRom();
    await bench.ask(OP.deflBegin, words(0x1400, 1, 0x1000, 0x1000, 0));
    expect(status(await bench.block(OP.deflData, 0, z.subarray(0, 0x800)))).toBe("0000");
    await bench.ask(OP.deflBegin, words(0x1400, 1, 0x1000, 0x1000, 0));
    expect(status(await bench.block(OP.deflData, 0, Buffer.alloc(64, 0xab)))).toBe("010b");
  });

  it("stays in the loader after FLASH_END(0) and DEFL_END, leaves with FLASH_END(1)", async () => {
    const bench = await inRom();
    await bench.ask(OP.flashEnd, words(0));
    await bench.ask(OP.deflEnd, words(0));
    await bench.ask(OP.deflEnd, words(1));
    expect(bench.loader.mode()).toBe("rom");
    await bench.ask(OP.flashEnd, words(1));
    await new Promise(setImmediate);
    expect(bench.loader.mode()).toBe("app");
    expect(bench.boots).toEqual(["download", "app"]);
  });

  it("falls silent when told to run what nobody uploaded", async () => {
    const bench = await inRom();
    await bench.ask(OP.memEnd, words(0, 0x4038_0000));
    await new Promise(setImmediate);
    expect(bench.loader.mode()).toBe("silent");
  });

  it("changes its baud rate after the answer", async () => {
    const bench = await inRom();
    await bench.ask(OP.baud, words(921_600, 0));
    await new Promise(setImmediate);
    expect(bench.bauds.at(-1)).toBe(921_600);
  });
});
