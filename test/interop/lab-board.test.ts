import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeAll, expect, it } from "vitest";
import { prepareAir } from "../../cli/lab/air/air.js";
import { listAnnouncedAps } from "../../cli/lab/air/air-file.js";
import { APP_OFFSET, packHostImage } from "../../cli/lab/board/host-image.js";
import {
  createVirtualBoard,
  type VirtualBoard,
  type VirtualBoardOptions,
} from "../../cli/lab/board/virtual-board.js";
import type { LabEvent } from "../../cli/lab/events.js";
import { createStream, type Stream } from "../../cli/lab/stream.js";
import { createLineSplitter } from "../../cli/lines.js";
import { isProcessAlive } from "../../cli/processes/alive.js";
import { temporaryDir } from "../helpers/project.js";

let dir: string;
let elf: string;
let image: string;
let board: VirtualBoard;
let events: Stream<LabEvent>;
let count = 0;

beforeAll(() => {
  dir = temporaryDir();
  elf = join(dir, "stand-in");
  const source = new URL("../support/stand-in-firmware.c", import.meta.url).pathname;
  execFileSync("cc", ["-O1", "-Wall", "-Wextra", "-Werror", "-o", elf, source]);
  image = packHostImage({
    elf,
    chip: "esp32c3",
    partitionTable: partitionTable(),
    appPartitionSize: 0x1f_0000,
    outDir: join(dir, "image"),
  }).flasherArgs;
});

afterEach(() => board.stop());

it("boots what is in flash, announces its AP, and is gone without a trace when off", async () => {
  board = makeBoard({ clock: "real" });
  board.placeImage(image);
  expect(board.baseUrl()).toBeNull();
  await board.powerOn();
  await said("stand_in: ready");
  expect(board.log.recent()).toContain("I (1) stand_in: reason poweron clock real");
  expect(board.state()).toBe("running");
  expect(board.baseUrl()).toBe("http://127.0.0.1:9");
  expect(listAnnouncedAps(airDir()).map((ap) => ap.ssid)).toEqual(["Stand-In"]);
  const pid = board.announcedAp()?.pid ?? 0;
  await board.powerOff();
  expect(board.state()).toBe("off");
  expect(isProcessAlive(pid)).toBe(false);
  expect(readdirSync(join(airDir(), "aps"))).toEqual([]);
});

it("keeps flash and program for nobody else's eyes", async () => {
  board = makeBoard();
  board.placeImage(image);
  await board.powerOn();
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  const program = join(boardDir(), "program");
  expect(modeOf(board.flash.path)).toBe(0o600);
  expect(modeOf(program)).toBe(0o700);
  expect(readdirSync(program).map((name) => modeOf(join(program, name)))).toEqual([0o700]);
});

it("says what the ROM says when flash is empty", async () => {
  board = makeBoard();
  await board.powerOn();
  expect(board.log.recent()).toContain("invalid header: 0xffffffff");
  expect(board.state()).toBe("halted");
});

it("refuses an application that was damaged", async () => {
  board = makeBoard();
  board.placeImage(image);
  board.flash.write(APP_OFFSET + 4096, Buffer.from("damage"));
  await board.powerOn();
  expect(board.state()).toBe("halted");
  expect(board.log.recent().join("\n")).toMatch(/esp_image: .*(checksum|SHA-256) is wrong/);
});

it("refuses an image for another chip", async () => {
  board = makeBoard({ chip: "esp32s3" }); // its bootloader lives where the C3's does
  board.placeImage(image);
  await board.powerOn();
  expect(board.state()).toBe("halted");
  expect(board.log.recent().join("\n")).toMatch(/mismatch chip ID, expected 9, found 5/);
});

it("holds the firmware while the loader has the chip, and boots it at the next reset", async () => {
  board = makeBoard();
  board.placeImage(image);
  await board.powerOn();
  await said("stand_in: ready");
  const pid = board.announcedAp()?.pid ?? 0;
  const { serial } = board;
  if (serial === null) throw new Error("the C3 has a serial side");
  serial.setLines({ dtr: false, rts: true }); // EN low
  serial.setLines({ dtr: true, rts: true });
  serial.setLines({ dtr: true, rts: false }); // IO0 low as EN rises
  serial.setLines({ dtr: false });
  await events.waitFor((event) => event.what === "download");
  expect(board.state()).toBe("download");
  expect(isProcessAlive(pid)).toBe(false);
  serial.setLines({ rts: true });
  serial.setLines({ rts: false });
  await said("reason ext");
});

it("prints its log on its serial port, as a UART does", async () => {
  board = makeBoard();
  board.placeImage(image);
  const socket = connect((await board.serial?.openTcp()) ?? 0, "127.0.0.1");
  await once(socket, "connect");
  const heard = createStream<string>(1000);
  socket.on("data", createLineSplitter(heard.push).feed);
  await board.powerOn();
  await heard.waitFor((line) => line === "I (3) stand_in: ready");
  socket.destroy();
});

it("keeps what the firmware wrote to flash over power cuts", async () => {
  board = makeBoard();
  board.placeImage(image);
  await board.powerOn();
  await said("boots 1");
  await board.cutPower();
  await board.powerOn();
  await said("boots 2");
  expect(board.flash.read(0x9000, 1)).toEqual(Buffer.from([2]));
  board.flash.erase(0x9000, 0x6000); // what the loader does on an erase of the running board
  await board.reset();
  await said("boots 1", true);
});

it("boots again with reason sw after esp_restart", async () => {
  board = makeBoard({ environment: { STAND_IN: "restart_once" } });
  board.placeImage(image);
  await board.powerOn();
  await said("stand_in: ready");
  expect(reasons()).toEqual(["poweron", "sw"]);
});

it("logs a crash and boots again with reason panic", async () => {
  board = makeBoard({ environment: { STAND_IN: "crash_once" } });
  board.placeImage(image);
  await board.powerOn();
  await said("stand_in: ready");
  expect(reasons()).toEqual(["poweron", "panic"]);
  expect(board.log.recent().join("\n")).toContain("Guru Meditation Error");
  expect(events.recent().filter((event) => event.what === "crash")).toMatchObject([
    { outcome: "crash", detail: "signal SIGABRT" },
  ]);
});

it("gives up on a crash loop until the next reset", async () => {
  board = makeBoard({ environment: { STAND_IN: "crash" } });
  board.placeImage(image);
  await board.powerOn();
  await said("crashes in a row");
  expect(board.state()).toBe("halted");
  expect(reasons()).toEqual(["poweron", "panic", "panic", "panic", "panic"]);
  await board.reset();
  await said("reason ext");
});

it("takes a reset by the EN pin, and none without power", async () => {
  board = makeBoard();
  board.placeImage(image);
  await board.reset();
  expect(board.state()).toBe("off");
  await board.powerOn();
  await said("stand_in: ready");
  await board.reset();
  await said("reason ext");
});

it("is off after power failed in the middle of an NVS write, once", async () => {
  board = makeBoard();
  board.placeImage(image);
  board.cutAtNvsWrite(1);
  await board.powerOn();
  await events.waitFor((event) => event.what === "power_cut");
  expect(board.state()).toBe("off");
  await board.powerOn();
  await said("stand_in: ready");
});

it("passes the button on, also one that is held while booting", async () => {
  board = makeBoard();
  board.placeImage(image);
  board.setButton(true);
  await board.powerOn();
  await said("gpio 9 0");
  board.setButton(false);
  await said("gpio 9 1");
});

it("takes no image while it runs", async () => {
  board = makeBoard();
  board.placeImage(image);
  await board.powerOn();
  expect(() => board.placeImage(image)).toThrow(/switch the board off/);
});

function makeBoard(options: Partial<VirtualBoardOptions> = {}): VirtualBoard {
  count += 1;
  prepareAir(airDir());
  events = createStream(1000);
  return createVirtualBoard({
    dir: boardDir(),
    chip: "esp32c3",
    airDir: airDir(),
    mac: "7cdfa1000010",
    onEvent: events.push,
    ...options,
  });
}

function boardDir(): string {
  return join(dir, `board-${count}`);
}

function airDir(): string {
  return join(dir, `air-${count}`);
}

function said(text: string, futureOnly = false): Promise<string> {
  return board.log.waitFor((line) => line.includes(text), { futureOnly });
}

/** Why it was started, each time. */
function reasons(): string[] {
  return board.log.recent().flatMap((line) => /reason (\w+)/.exec(line)?.[1] ?? []);
}

/** nvs at 0x9000 and one application at 0x10000, in the binary form of ESP-IDF. */
function partitionTable(): Buffer {
  const table = Buffer.alloc(0xc00, 0xff);
  const entries = [
    { type: 1, subtype: 2, offset: 0x9000, size: 0x6000, label: "nvs" },
    { type: 0, subtype: 0, offset: APP_OFFSET, size: 0x1f_0000, label: "factory" },
  ];
  entries.forEach(({ type, subtype, offset, size, label }, index) => {
    const entry = table.subarray(index * 32, index * 32 + 32).fill(0);
    entry.writeUInt16LE(0x50aa, 0);
    entry.writeUInt8(type, 2);
    entry.writeUInt8(subtype, 3);
    entry.writeUInt32LE(offset, 4);
    entry.writeUInt32LE(size, 8);
    entry.write(label, 12);
  });
  return table;
}
