import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, expect, it, vi } from "vitest";
import { packEspImage } from "../../cli/serial/esp-image.js";
import { flashDevice } from "../../cli/serial/flasher.js";
import type { ModemLines, SerialLink } from "../../cli/serial/link.js";
import { flashMd5 } from "../../cli/serial/loader-commands.js";
import { openSession } from "../../cli/serial/loader-session.js";
import { openPort } from "../../cli/serial/open-port.js";
import { resetIntoApp } from "../../cli/serial/reset.js";
import { LinkTransport } from "../../cli/serial/transport.js";
import { serialBoard } from "../helpers/serial-board.js";
import { holdsImage, makeImage } from "../support/virtual-serial.js";

/* The defects of esptool-js 0.7.0 that the flasher works round, one test each. */

afterEach(() => void vi.restoreAllMocks());

/** A link that goes nowhere and notes what is done to its modem lines. */
function notingLink(): { link: SerialLink; lines: ModemLines[] } {
  const lines: ModemLines[] = [];
  const link: SerialLink = {
    spec: "noting",
    usb: {},
    canReset: () => true,
    lost: () => undefined,
    write: async () => {},
    onData: () => () => {},
    onLost: () => () => {},
    setLines: async (change) => {
      lines.push(change);
    },
    setBaud: async () => {},
    close: async () => {},
  };
  return { link, lines };
}

/** The opcodes that a link carries to the chip. */
function tap(link: SerialLink): { link: SerialLink; ops: number[] } {
  const ops: number[] = [];
  const write = (bytes: Uint8Array): Promise<void> => {
    if (bytes[0] === 0xc0 && bytes[1] === 0) ops.push(bytes[2] ?? -1);
    return link.write(bytes);
  };
  return { link: { ...link, write }, ops };
}

it("1: a hard reset asserts RTS", async () => {
  const { link, lines } = notingLink();
  await resetIntoApp(link);
  expect(lines).toEqual([
    { dtr: false, rts: false },
    { dtr: false, rts: true },
    { dtr: false, rts: false },
  ]);
});

it("2: DTR that was lowered stays low when RTS changes later", async () => {
  const { link, lines } = notingLink();
  const transport = new LinkTransport(link);
  await transport.setSignals(true, false);
  await transport.setSignals(false, false);
  await transport.setRTS(true);
  expect(lines.at(-1)).toEqual({ dtr: false, rts: true });
});

it("3: images are written as the build made them, so that their SHA-256 stays right", async () => {
  const { port, flash, dir } = await serialBoard();
  const args = makeImage(dir);
  const image = packEspImage({
    chipId: 5,
    entry: 0,
    segments: [{ address: 0, data: Buffer.alloc(32) }],
  });
  writeFileSync(args.files[0]?.file ?? "", image);
  await flashDevice({ port, flasherArgs: args });
  expect(flash.read(0, image.length)).toEqual(Buffer.from(image));
});

it.each([true, false])("4: MD5 is read right with the stub (%s)", async (stub) => {
  const { port } = await serialBoard();
  const link = await openPort(port);
  const session = await openSession({ link, baud: 115_200, stub });
  expect(await flashMd5(session.loader, 0, 0)).toBe("d41d8cd98f00b204e9800998ecf8427e");
  session.release();
  await link.close();
});

it("5: leaving the stub running leaves no rejection behind", async () => {
  const { front, dir } = await serialBoard({ download: true });
  const rejections: unknown[] = [];
  const note = (reason: unknown): number => rejections.push(reason);
  process.on("unhandledRejection", note);
  await flashDevice({
    port: `socket://127.0.0.1:${await front.openTcp()}`,
    flasherArgs: makeImage(dir),
  });
  await new Promise(setImmediate);
  process.off("unhandledRejection", note);
  expect(front.mode()).toBe("stub");
  expect(rejections).toEqual([]);
});

it("6: nothing is written to the console", async () => {
  const { port, dir } = await serialBoard();
  const spies = (["log", "info", "warn", "error", "debug"] as const).map((name) =>
    vi.spyOn(globalThis.console, name),
  );
  const warnings = vi.spyOn(process, "emitWarning");
  await flashDevice({ port, flasherArgs: makeImage(dir) });
  for (const spy of [...spies, warnings]) expect(spy).not.toHaveBeenCalled();
});

/** What this thread has had of the CPU: the suite's other threads are busy with tests of their own. */
function threadCpuMs(): number {
  try {
    // proc(5): the name in brackets is field 2, utime and stime are fields 14 and 15, in hundredths of a second.
    const [, fields = ""] = readFileSync("/proc/thread-self/stat", "latin1").split(/.*\) /s);
    const [utime = 0, stime = 0] = fields.split(" ").slice(11, 13).map(Number);
    return (utime + stime) * 10;
  } catch {
    const { user, system } = process.cpuUsage(); // not Linux
    return (user + system) / 1000;
  }
}

it("7: a mebibyte costs less CPU than esptool-js's own loop needs for half of it", async () => {
  const { port, flash, dir } = await serialBoard();
  const flasherArgs = makeImage(dir, { size: 1024 * 1024 });
  const before = threadCpuMs();
  await flashDevice({ port, flasherArgs });
  // The board's own work is in here too.
  expect(threadCpuMs() - before).toBeLessThan(1_500);
  expect(holdsImage(flash, flasherArgs)).toBe(true);
});

it("8: works without the stub, sets the flash's parameters, resets by the watchdog", async () => {
  const { port, boots, front, dir } = await serialBoard({ chip: "esp32s3", circuit: "usb" });
  for (const stub of [true, false]) {
    const { link, ops } = tap(await openPort(port));
    const session = await openSession({ link, baud: 115_200, stub });
    expect(session.loader.IS_STUB).toBe(stub);
    expect(ops).toContain(0x0b);
    expect(ops.includes(0x05)).toBe(stub);
    session.release();
    await link.close();
  }
  // Twice stuck: the second reset is stuck again as soon as the first one has used up the fault.
  let stuck = 0;
  front.faults.stickInDownload = true;
  Object.defineProperty(front.faults, "stickInDownload", {
    get: () => stuck < 2,
    set: () => {
      stuck += 1;
    },
  });
  await flashDevice({ port, flasherArgs: makeImage(dir, { chip: "esp32s3" }) });
  expect(stuck).toBe(2);
  expect(boots.at(-1)).toBe("app");
});
