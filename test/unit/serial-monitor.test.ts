import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createBacktraceDecoder, findAddr2line } from "../../cli/serial/backtrace.js";
import { createLinkEvents } from "../../cli/serial/link.js";
import { parseLogFilter, parseLogHead } from "../../cli/serial/log-line.js";
import { createMask } from "../../cli/serial/mask.js";
import { type MonitorLine, monitor } from "../../cli/serial/monitor.js";
import { visibleLine } from "../../cli/terminal/foreign-text.js";
import { longer } from "../helpers/longer.js";
import { startVirtualSerial, type VirtualSerial } from "../support/virtual-serial.js";

let board: VirtualSerial | undefined;
const start = async (): Promise<VirtualSerial> => {
  board = await startVirtualSerial();
  return board;
};
afterEach(async () => {
  await board?.close();
  board = undefined;
});

describe("log lines", () => {
  it.each([
    ["W (1234) wifi: lost", "W", "wifi"],
    ["I (12:34:56.789) a b: x", "I", "a b"],
    ["I (2026-01-02 03:04:05.678) main_task: full stamp", "I", "main_task"],
    ["I main_task: no stamp", "I", "main_task"],
    ["D a b: no stamp", "D", "a b"],
    // The WiFi library puts no space after the colon.
    ["I (612) wifi:mode : sta", "I", "wifi"],
    ["I (550) wifi:<ba-add>idx:0 (ifx:0, 00:11:22:33:44:55), tid:5", "I", "wifi"],
    ["I (13) wifi:", "I", "wifi"],
    ["V (1) a:b: c", "V", "a"],
    // Nothing that could be a tag: the level is still good for a colour.
    ["E (7) nothing but text", "E", undefined],
    ["E (7) came at 12:34", "E", undefined],
    ["E (7) ", "E", undefined],
  ] as const)("%s has a level and a tag", (line, level, tag) => {
    expect(parseLogHead(line)).toEqual({ level, tag });
  });

  it.each([
    "rst:0x1 (POWERON),boot:0xc",
    "I [main_task] odd",
    "I was here at 12:34",
    "X (1) a: b",
    "I (1 a: b",
    "Info (1) a: b",
    " I (1) a: b",
    "",
  ])("%j has none", (line) => {
    expect(parseLogHead(line)).toBeUndefined();
  });

  it("of the WiFi library are filtered and coloured like all others", () => {
    const lines = [
      "I (512) wifi:wifi driver task: 3fcb0000, prio:23, stack:6656, core=0",
      "I (530) prov: state INIT -> AP_MODE",
      "W (540) wifi:Haven't to connect to a suitable AP now!",
      "\u001b[0;32mI (550) wifi:<ba-add>idx:0 (ifx:0, 00:11:22:33:44:55), tid:5\u001b[0m",
      "I (570) wifi_init: rx ba win: 6",
      "E (580) backend: down",
    ].map(visibleLine);
    const shownBy = (filter: string) =>
      lines
        .filter((line) => parseLogFilter(filter)?.(parseLogHead(line)))
        .map((line) => /\d+/.exec(line)?.[0]);
    expect(shownBy("prov:I wifi:N *:W")).toEqual(["530", "580"]);
    expect(shownBy("wifi:W *:N")).toEqual(["540"]);
    expect(shownBy("wifi:N *")).toEqual(["530", "570", "580"]);
  });

  it.each([
    ["*:W", "I", "a", false],
    ["*:W", "E", "a", true],
    ["*:W wifi:I", "I", "wifi", true],
    ["wifi", "V", "wifi", true],
    ["wifi:", "V", "wifi", true],
    ["wifi:*", "V", "wifi", true],
    ["wifi:n *:*", "E", "wifi", false],
    ["wifi:n *:*", "V", "a", true],
    ["wifi", "E", "other", false],
    ["*:N", "E", "a", false],
    ["", "V", "a", true],
  ] as const)("filter %s on %s %s: %s", (text, level, tag, isShown) => {
    expect(parseLogFilter(text)?.({ level, tag })).toBe(isShown);
  });

  it("always shows what is no log line, and refuses what is no filter", () => {
    expect(parseLogFilter("*:N")?.(undefined)).toBe(true);
    expect(parseLogFilter("*:N")?.({ level: "E", tag: undefined })).toBe(true);
    expect(parseLogFilter("wifi:X")).toBeUndefined();
    expect(parseLogFilter("a:b:c")).toBeUndefined();
  });

  it("hide secrets, the longest first, and not every letter", () => {
    const mask = createMask(["secret", "secret-pass", "a", ""]);
    expect(mask("a secret-pass and a secret")).toBe("a *** and a ***");
  });
});

describe("the monitor", () => {
  it("resets, and waits for a line", async () => {
    const { port, boots } = await start();
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
    const { port, front } = await start();
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
    const { port } = await start();
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
    const { port } = await start();
    await expect(monitor({ port, timeoutMs: 50 })).rejects.toMatchObject({
      code: "monitor_timeout",
      hint: "Raise --timeout, or leave it out to go on until Ctrl-C.",
    });
  });

  it("asks for a reset by hand where no line leads to the board", async () => {
    const server = createServer((socket) => socket.on("error", () => {}));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const port = `socket://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const notes: string[] = [];
    const request = { port, timeoutMs: longer(500), onNote: (note: string) => notes.push(note) };
    await expect(monitor({ ...request, reset: true })).rejects.toMatchObject({
      code: "monitor_timeout",
    });
    server.close();
    expect(notes).toEqual([`${port} has no reset lines: press RESET on the board`]);
  });

  it("is left by its signal, and the port is free then", async () => {
    const { port, front } = await start();
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
    const { port, front, dir } = await start();
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
    const { port, front } = await start();
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
    const { port, front, dir } = await start();
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
    const { port, boots } = await start();
    await monitor({
      port,
      until: /AP_MODE/,
      timeoutMs: longer(20_000),
      onOpen: (control) => void control.reset(),
    });
    expect(boots).toEqual(["app", "app"]);
  });

  it("goes on after a port that vanished has come back", async () => {
    const { front, port } = await start();
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
    const { front, port } = await start();
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
    const { port, front, dir } = await start();
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
    const dir = mkdtempSync(path.join(tmpdir(), "prov-addr2line-"));
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
