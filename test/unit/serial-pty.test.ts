import { existsSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { flashDevice } from "../../cli/serial/flasher.js";
import { monitor } from "../../cli/serial/monitor.js";
import { openPort } from "../../cli/serial/open-port.js";
import { longer } from "../helpers/longer.js";
import {
  holdsImage,
  makeImage,
  startVirtualSerial,
  type VirtualSerial,
} from "../support/virtual-serial.js";

let board: VirtualSerial;
let tty: string;
beforeEach(async () => {
  board = await startVirtualSerial();
  tty = path.join(board.dir, "tty");
  await board.front.openPty(tty);
});
afterEach(() => board.close());

describe("a pseudo-terminal", () => {
  it("carries a mebibyte, again and again: answers that come in do not stall what goes out", async () => {
    const flasherArgs = makeImage(board.dir, { size: 1024 * 1024 });
    for (let time = 0; time < 4; time++) {
      await flashDevice({ port: tty, flasherArgs, full: true });
      expect(holdsImage(board.flash, flasherArgs)).toBe(true);
    }
    expect(board.front.mode()).toBe("app");
  });

  it("is flashed and watched without modem lines when the chip is in its loader", async () => {
    await board.close();
    board = await startVirtualSerial({ download: true });
    tty = path.join(board.dir, "tty");
    await board.front.openPty(tty);
    rmSync(`${tty}.ctl`);
    const flasherArgs = makeImage(board.dir);
    const notes: string[] = [];
    await flashDevice({ port: tty, flasherArgs, onNote: (text) => notes.push(text) });
    expect(notes.join()).toContain("no reset lines");
    expect(holdsImage(board.flash, flasherArgs)).toBe(true);
  });

  it("belongs to one program at a time", async () => {
    const first = await openPort(tty);
    await expect(openPort(tty)).rejects.toMatchObject({ code: "port_busy", exitCode: 5 });
    await first.close();
    await (await openPort(tty)).close();
  });

  it("is missed when it vanishes, and found when it is back", async () => {
    const notes: string[] = [];
    let opened = 0;
    const result = await monitor({
      port: tty,
      until: /back/,
      timeoutMs: longer(30_000),
      onNote(text) {
        notes.push(text);
        if (text.includes("vanished")) void board.front.openPty(tty);
      },
      onOpen(control) {
        opened += 1;
        if (opened > 1) return board.front.write("I (1) a: back\r\n");
        board.front.faults.vanishAfterBytes = 1;
        void control.write(Buffer.from("x"));
      },
    });
    expect(notes[0]).toContain("vanished");
    expect(result).toMatchObject({ reason: "matched" });
  });

  it("takes modem lines on its socket and answers each", async () => {
    const socket = connect(`${tty}.ctl`);
    const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
    const tell = async (line: string): Promise<string> => {
      socket.write(`${line}\n`);
      return (await answers.next()).value;
    };
    expect(await tell('{"dtr":false,"rts":true}')).toBe('{"ok":true}');
    expect(board.front.mode()).toBe("held");
    expect(await tell("nonsense")).toBe('{"ok":false}');
    expect(await tell('{"dtr":true,"rts":false}')).toBe('{"ok":true}');
    expect(board.boots).toEqual(["app", "download"]);
    socket.destroy();
  });

  it("leaves nothing behind", async () => {
    await board.front.close();
    expect([existsSync(tty), existsSync(`${tty}.ctl`)]).toEqual([false, false]);
  });

  it("needs a path that a unix socket can have", async () => {
    const long = path.join(board.dir, "x".repeat(120));
    await expect(board.front.openPty(long)).rejects.toMatchObject({ code: "lab_failed" });
  });
});

it("a file is no port", async () => {
  const file = path.join(board.dir, "plain");
  writeFileSync(file, "");
  await expect(openPort(file)).rejects.toMatchObject({ code: "port_not_found" });
});
