import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createBacktraceDecoder, findAddr2line } from "../../cli/serial/backtrace.js";
import { createLinkEvents } from "../../cli/serial/link.js";
import { type MonitorLine, monitor } from "../../cli/serial/monitor.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
import { serialBoard } from "../helpers/serial-board.js";
import { served } from "../helpers/served.js";

describe("the monitor", () => {
  it("resets, and waits for a line", async () => {
    const { port, boots } = await serialBoard();
    const lines: string[] = [];
    const result = await monitor({
      port,
      reset: true,
      until: /AP_MODE/,
      timeoutMs: longer(20_000),
      onLine: ({ text }) => lines.push(text),
    });
    expect(result).toMatchObject({ reason: "matched", line: { text: "I (400) prov: AP_MODE" } });
    expect(lines[0]).toContain("boot:0xc");
    expect(boots).toEqual(["app", "app"]);
  });

  it("matches hidden lines too, and shows only the others", async () => {
    const { port, front } = await serialBoard();
    const shown: string[] = [];
    await monitor({
      port,
      filter: (head) => head?.level === "E",
      until: /needle/g,
      timeoutMs: longer(20_000),
      onOpen() {
        front.write("E (1) a: shown\r\nI (2) a: nee");
        front.write("dle\r\n");
      },
      onLine: ({ text }) => shown.push(text),
    });
    expect(shown).toEqual(["E (1) a: shown"]);
  });

  it("times out with exit code 5; what the board said before is had by a reset", async () => {
    const { port } = await serialBoard();
    const within = { port, until: /never/, timeoutMs: 50 };
    await expect(monitor(within)).rejects.toMatchObject({
      code: "monitor_timeout",
      exitCode: 5,
      message: `no line matched /never/ within 0.05 s on ${port}; no line came at all`,
      hint: expect.stringContaining("--reset restarts it"),
    });
    await expect(monitor({ ...within, reset: true })).rejects.toMatchObject({
      code: "monitor_timeout",
      hint: expect.not.stringContaining("--reset"),
    });
  });

  it("has a hint of its own where no pattern was asked for", async () => {
    const { port } = await serialBoard();
    await expect(monitor({ port, timeoutMs: 50 })).rejects.toMatchObject({
      code: "monitor_timeout",
      hint: "Raise --timeout, or leave it out to go on until Ctrl-C.",
    });
  });

  it("asks for a reset by hand where no line leads to the board", async () => {
    const server = createServer((socket) => socket.on("error", () => {}));
    const port = `socket://127.0.0.1:${await served(server)}`;
    const notes: string[] = [];
    const request = { port, timeoutMs: longer(500), onNote: (note: string) => notes.push(note) };
    await expect(monitor({ ...request, reset: true })).rejects.toMatchObject({
      code: "monitor_timeout",
    });
    expect(notes).toEqual([`${port} has no reset lines: press RESET on the board`]);
  });

  it("is left by its signal, and the port is free then", async () => {
    const { port, front } = await serialBoard();
    const leave = new AbortController();
    const result = monitor({ port, signal: leave.signal, onOpen: () => leave.abort() });
    expect(await result).toEqual({ reason: "left" });
    const again = await monitor({
      port,
      until: /x/,
      timeoutMs: longer(20_000),
      onOpen: () => front.write("x\n"),
    });
    expect(again.reason).toBe("matched");
  });

  it("keeps secrets out of sight and out of its file", async () => {
    const { port, front, dir } = await serialBoard();
    const logFile = path.join(dir, "monitor.log");
    const lines: MonitorLine[] = [];
    await monitor({
      port,
      logFile,
      secrets: ["hunter22"],
      until: /done/,
      timeoutMs: longer(20_000),
      onOpen: () =>
        front.write("I (1) a: pass hunter22 \u001b[31mred\u001b[0m\r\nI (2) a: done\r\n"),
      onLine: (line) => lines.push(line),
    });
    expect(lines.map(({ text }) => text)).toEqual(["I (1) a: pass *** red", "I (2) a: done"]);
    const log = readFileSync(logFile, "utf8");
    expect(log).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z I \(1\) a: pass \*\*\* red\n/);
    expect(log).not.toContain("hunter22");
  });

  it("keeps the board's colours, and nothing else that a terminal obeys", async () => {
    const { port, front } = await serialBoard();
    const lines: MonitorLine[] = [];
    await monitor({
      port,
      secrets: ["pass\u200dword"],
      until: /done/,
      timeoutMs: longer(20_000),
      onOpen: () =>
        front.write(
          [
            "\u0000\u0000\u001b[0;32mI (1) a: b\u001b[0m",
            "\u001b[31mred \u001b[2J\u001b]0;title\u0007\u001b[8mhidden",
            "w\u001b[1mpass\u200d\u001b[31mword",
            "a\tb \u202e\u009b2J",
            "I (2) a: done",
            "",
          ].join("\r\n"),
        ),
      onLine: (line) => lines.push(line),
    });
    expect(lines.map(({ text, colored, head }) => [text, colored, head?.level])).toEqual([
      ["I (1) a: b", "\u001b[0;32mI (1) a: b\u001b[0m", "I"],
      [
        "red \\u{1b}[2J\\u{1b}]0;title\\u{7}hidden",
        "\u001b[31mred \\u{1b}[2J\\u{1b}]0;title\\u{7}hidden\u001b[0m",
        undefined,
      ],
      ["w***", undefined, undefined],
      ["a\tb \\u{202e}\\u{9b}2J", undefined, undefined],
      ["I (2) a: done", undefined, "I"],
    ]);
  });

  it.runIf(process.platform === "linux")("a log file that cannot be written ends it", async () => {
    const { port, front, dir } = await serialBoard();
    const full = expect.objectContaining({
      code: "file_inaccessible",
      message: "/dev/full: no space left on the device (ENOSPC)",
    });
    const request = { port, logFile: "/dev/full", timeoutMs: longer(20_000) };
    const onOpen = () => front.write("I (1) a: one\r\nI (2) a: done\r\n");
    await expect(monitor({ ...request, onOpen })).rejects.toThrow(full);
    // The match and the failure come at once; what matched is not in the file.
    await expect(monitor({ ...request, onOpen, until: /done/ })).rejects.toThrow(full);
    const nowhere = path.join(dir, "nowhere", "monitor.log");
    await expect(monitor({ ...request, logFile: nowhere })).rejects.toMatchObject({
      code: "file_inaccessible",
      message: `${nowhere}: no such file or folder (ENOENT)`,
    });
  });

  it("resets on demand", async () => {
    const { port, boots } = await serialBoard();
    await monitor({
      port,
      until: /AP_MODE/,
      timeoutMs: longer(20_000),
      onOpen: (control) => void control.reset(),
    });
    expect(boots).toEqual(["app", "app"]);
  });

  it("goes on after a port that vanished has come back", async () => {
    const { front, port } = await serialBoard();
    const notes: string[] = [];
    let opened = 0;
    const result = await monitor({
      port,
      until: /back/,
      timeoutMs: longer(20_000),
      onNote: (text) => notes.push(text),
      onOpen(control) {
        opened += 1;
        if (opened === 2) return front.write("back\n");
        front.faults.vanishAfterBytes = 1;
        void control.write(Buffer.from("x"));
      },
    });
    expect(result.reason).toBe("matched");
    expect(notes).toEqual([expect.stringContaining("vanished"), expect.stringContaining("again")]);
  });

  it("ends with port_lost when told not to reconnect", async () => {
    const { front, port } = await serialBoard();
    const lost = monitor({
      port,
      reconnect: false,
      onOpen(control) {
        front.faults.vanishAfterBytes = 1;
        void control.write(Buffer.from("x"));
      },
    });
    await expect(lost).rejects.toMatchObject({ code: "port_lost", exitCode: 5 });
  });
});

describe("backtraces", () => {
  /** Stands in for the toolchain's addr2line: repeats its arguments. */
  const fakeTool = (dir: string, name = "addr2line"): string => {
    const tool = path.join(dir, name);
    writeFileSync(
      tool,
      '#!/bin/sh\nshift 3\nfor a in "$@"; do echo "$a: app_main at main.c:7"; done\necho "0x1: ?? ??:0"\n',
    );
    chmodSync(tool, 0o755);
    return tool;
  };

  it("are decoded to file and line", async () => {
    const { port, front, dir } = await serialBoard();
    const elf = path.join(dir, "app.elf");
    writeFileSync(elf, "");
    const decoder = createBacktraceDecoder({ elf, chip: "esp32", addr2line: fakeTool(dir) });
    if (!decoder) throw new Error("no decoder");
    const lines: MonitorLine[] = [];
    await monitor({
      port,
      decoder,
      until: /Backtrace/,
      timeoutMs: longer(20_000),
      onOpen: () => front.write("Backtrace: 0x400d1234:0x3ffb0000 0x400D5678:0x3ffb0020\r\n"),
      onLine: (line) => lines.push(line),
    });
    expect(lines.filter(({ isDecoded }) => isDecoded).map(({ text }) => text)).toEqual([
      "0x400d1234: app_main at main.c:7",
      "0x400D5678: app_main at main.c:7",
    ]);
  });

  it("need the ELF and the tool", () => {
    const dir = temporaryDir();
    expect(
      createBacktraceDecoder({ elf: "/nonexistent", chip: "esp32", addr2line: "x" }),
    ).toBeUndefined();
    expect(findAddr2line("esp32c3", { PATH: dir, IDF_TOOLS_PATH: dir })).toBeUndefined();
    const tool = fakeTool(dir, "riscv32-esp-elf-addr2line");
    expect(findAddr2line("esp32c3", { PATH: dir, IDF_TOOLS_PATH: dir })).toBe(tool);
  });
});

it("whoever listens for the loss of a port that is gone already hears of it at once", () => {
  const events = createLinkEvents("/dev/ttyX");
  events.lose();
  const heard: string[] = [];
  events.onLost((error) => heard.push(error.code));
  events.lose();
  expect(heard).toEqual(["port_lost"]);
});
