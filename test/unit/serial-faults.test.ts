import { describe, expect, it } from "vitest";
import { flashDevice } from "../../cli/serial/flasher.js";
import { isStubRunning } from "../../cli/serial/loader-session.js";
import { serialBoard } from "../helpers/serial-board.js";
import { holdsImage, makeImage, type VirtualSerial } from "../support/virtual-serial.js";

describe("faults on the line: each ends with its code, and a second run succeeds", () => {
  const second = async (
    { port, front, flash, dir }: VirtualSerial,
    flasherArgs = makeImage(dir),
  ) => {
    const { faults } = front;
    Object.assign(faults, {
      mute: false,
      wrongMd5: false,
      noise: undefined,
      dropEvery: undefined,
      repeatEvery: undefined,
    });
    await flashDevice({ port, flasherArgs });
    expect(holdsImage(flash, flasherArgs)).toBe(true);
    expect(front.mode()).toBe("app");
  };

  it("noise between frames is passed over", async () => {
    const target = await serialBoard();
    target.front.faults.noise = Buffer.from([0x00, 0xff, 0xc0, 0x41, 0xdb, 0x42]);
    const flasherArgs = makeImage(target.dir);
    await flashDevice({ port: target.port, flasherArgs });
    expect(holdsImage(target.flash, flasherArgs)).toBe(true);
    await second(target);
  });

  it("a loader that never answers", async () => {
    const target = await serialBoard();
    target.front.faults.mute = true;
    await expect(
      flashDevice({ port: target.port, flasherArgs: makeImage(target.dir) }),
    ).rejects.toMatchObject({
      code: "chip_silent",
      exitCode: 5,
    });
    await second(target);
  });

  it("an answer that is late because the host is busy is asked for again", async () => {
    const answering = (late: number, value: number) => ({
      sync: async (): Promise<[number, Uint8Array]> => {
        if (late-- > 0) throw new Error("no answer");
        return [value, new Uint8Array()];
      },
    });
    expect(await isStubRunning(answering(4, 0))).toBe(true);
    expect(await isStubRunning(answering(4, 0x2012))).toBe(false);
    await expect(isStubRunning(answering(5, 0))).rejects.toThrow("no answer");
    await expect(isStubRunning(answering(1, 0), () => false)).rejects.toThrow("no answer");
  });

  it.each([
    ["lost", "dropEvery"],
    ["repeated", "repeatEvery"],
  ] as const)("bytes that are %s now and then are made good", async (_what, fault) => {
    const target = await serialBoard();
    const flasherArgs = makeImage(target.dir);
    const port = target.port;
    let isArmed = false;
    await flashDevice({
      port,
      flasherArgs,
      onProgress({ stage }) {
        if (stage !== "write" || isArmed) return;
        isArmed = true;
        target.front.faults[fault] = 60_001;
      },
    });
    expect(holdsImage(target.flash, flasherArgs)).toBe(true);
    await second(target);
  });

  it.each([
    ["lost", "dropEvery"],
    ["repeated", "repeatEvery"],
  ] as const)("bytes that are %s all the time", async (_what, fault) => {
    const target = await serialBoard();
    const run = flashDevice({
      port: target.port,
      flasherArgs: makeImage(target.dir, { size: 60_000 }),
      onProgress({ stage }) {
        if (stage === "write") target.front.faults[fault] = 300;
      },
    });
    // Which one depends on what the losses hit: a refused block, or a frame that is no frame any more.
    await expect(run).rejects.toMatchObject({
      code: expect.stringMatching(/^(flash_rejected|chip_silent)$/),
      exitCode: 5,
    });
    await second(target);
  });

  it("a port that vanishes in mid-write", async () => {
    const target = await serialBoard();
    target.front.faults.vanishAfterBytes = 80_000;
    const flasherArgs = makeImage(target.dir);
    await expect(flashDevice({ port: target.port, flasherArgs })).rejects.toMatchObject({
      code: "port_lost",
      exitCode: 5,
    });
    await second(target, flasherArgs);
  });

  it("an MD5 that never fits", async () => {
    const target = await serialBoard();
    target.front.faults.wrongMd5 = true;
    await expect(
      flashDevice({ port: target.port, flasherArgs: makeImage(target.dir) }),
    ).rejects.toMatchObject({
      code: "flash_mismatch",
      exitCode: 5,
    });
    await second(target);
  });

  it("an interruption leaves the port free and the chip where the next run finds it", async () => {
    const target = await serialBoard();
    const interrupt = new AbortController();
    const run = flashDevice({
      port: target.port,
      flasherArgs: makeImage(target.dir),
      signal: interrupt.signal,
      onProgress({ stage }) {
        if (stage === "write") interrupt.abort();
      },
    });
    await expect(run).rejects.toMatchObject({
      code: "interrupted",
      exitCode: 130,
      hint: expect.stringContaining("Run the same command again"),
    });
    await second(target);
  });

  it("an interruption while nobody answers ends at once", async () => {
    const target = await serialBoard();
    target.front.faults.mute = true;
    const interrupt = new AbortController();
    const run = flashDevice({
      port: target.port,
      flasherArgs: makeImage(target.dir),
      signal: interrupt.signal,
      onProgress: () => setImmediate(() => interrupt.abort()),
    });
    await expect(run).rejects.toMatchObject({ code: "interrupted" });
  });
});
