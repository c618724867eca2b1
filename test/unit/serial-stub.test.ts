import { createHash, randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createLoaderBench, words } from "../support/loader-bench.js";

const SYNC = Buffer.concat([Buffer.from([7, 7, 0x12, 0x20]), Buffer.alloc(32, 0x55)]);
const inStub = async () => {
  const bench = createLoaderBench();
  await bench.enterStub();
  return bench;
};
/** The stub's status is two bytes, its code the first. */
const code = (frame: Buffer): string => frame.subarray(-2).toString("hex");

describe("the stub", () => {
  it("answers SYNC eight times with the value 0, by which it is told from the ROM", async () => {
    const bench = await inStub();
    const reply = "01080200000000000000";
    expect((await bench.ask(8, SYNC)).toString("hex")).toBe(reply);
    for (let more = 0; more < 7; more++) expect((await bench.next()).toString("hex")).toBe(reply);
  });

  it.each([
    ["attach with 8 bytes", 0x0d, words(0, 0), "c000"],
    ["attach with 4 bytes", 0x0d, words(0), "0000"],
    ["a short MD5", 0x13, words(0, 16), "c000"],
    ["MD5 beyond the chip", 0x13, words(0x3f_f000, 0x2000, 0, 0), "c400"],
    ["END outside of flash mode", 0x12, words(1), "c600"],
    ["an unknown op", 0x77, Buffer.alloc(0), "c300"],
    ["erasing half a sector", 0xd1, words(0x1000, 0x800), "c000"],
    ["erasing beyond the chip", 0xd1, words(0x3f_f000, 0x2000), "c400"],
    ["BEGIN beyond the chip", 0x10, words(0x2000, 1, 0x4000, 0x3f_f000), "c400"],
  ])("%s", async (_what, op, data, expected) => {
    const bench = await inStub();
    expect(code(await bench.ask(op, data))).toBe(expected);
  });

  it("refuses a frame whose length field is wrong", async () => {
    const bench = await inStub();
    bench.frame(Buffer.from([0, 0x0d, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    expect(code(await bench.next())).toBe("c000");
  });

  it("gives MD5 as 16 bytes", async () => {
    const bench = await inStub();
    const md5 = await bench.ask(0x13, words(0, 0x1000, 0, 0));
    expect(md5.subarray(8, -2)).toEqual(
      createHash("md5").update(Buffer.alloc(0x1000, 0xff)).digest(),
    );
  });

  it("erases as it writes and takes a damaged block again", async () => {
    const bench = await inStub();
    const image = randomBytes(0x1800);
    bench.flash.write(0x1_0000, Buffer.alloc(0x3000));
    const z = deflateSync(image);
    await bench.ask(0x10, words(image.length, 1, 0x4000, 0x1_0000));
    expect(code(await bench.block(0x11, 0, z, 0))).toBe("c100");
    expect(code(await bench.block(0x11, 0, z))).toBe("0000");
    expect(code(await bench.ask(0x12, words(1)))).toBe("0000");
    expect(bench.flash.read(0x1_0000, image.length)).toEqual(image);
    expect(bench.flash.read(0x1_1800, 0x800)).toEqual(Buffer.alloc(0x800, 0xff));
    expect(bench.flash.read(0x1_2000, 0x10)).toEqual(Buffer.alloc(0x10));
  });

  it("reports a failed write with the next command, which it does not carry out", async () => {
    const bench = await inStub();
    await bench.ask(0x10, words(0x1000, 1, 0x4000, 0x1_0000));
    expect(code(await bench.block(0x11, 0, Buffer.alloc(64, 0xab)))).toBe("0000");
    expect(code(await bench.ask(0x12, words(1)))).toBe("c700");
  });

  it("refuses END while data is missing", async () => {
    const bench = await inStub();
    await bench.ask(0x10, words(0x1000, 1, 0x4000, 0x1_0000));
    const half = deflateSync(randomBytes(0x1000)).subarray(0, 0x400);
    expect(code(await bench.block(0x11, 0, half))).toBe("0000");
    expect(code(await bench.ask(0x12, words(1)))).toBe("c000");
  });

  it("reads flash packet by packet, each acknowledged, and ends with the MD5", async () => {
    const bench = await inStub();
    const image = randomBytes(0x1800);
    bench.flash.write(0x2000, image);
    await bench.ask(0xd2, words(0x2000, image.length, 0x1000, 64));
    expect(await bench.next()).toEqual(image.subarray(0, 0x1000));
    bench.frame(words(0x1000));
    expect(await bench.next()).toEqual(image.subarray(0x1000));
    bench.frame(words(0x1800));
    expect(await bench.next()).toEqual(createHash("md5").update(image).digest());
    expect(code(await bench.ask(0x0d, words(0)))).toBe("0000");
  });

  it("erases a region and the chip", async () => {
    const bench = await inStub();
    bench.flash.write(0, Buffer.alloc(0x4000));
    await bench.ask(0xd1, words(0x1000, 0x1000));
    expect(bench.flash.read(0xfff, 3)).toEqual(Buffer.from([0, 0xff, 0xff]));
    await bench.ask(0xd0);
    expect(bench.flash.read(0, 0x4000)).toEqual(Buffer.alloc(0x4000, 0xff));
  });

  it("gives way to the ROM after BEGIN(0) and END(0)", async () => {
    const bench = await inStub();
    await bench.ask(0x02, words(0, 0, 0x4000, 0));
    await bench.ask(0x04, words(0));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(bench.loader.mode()).toBe("rom");
  });
});
