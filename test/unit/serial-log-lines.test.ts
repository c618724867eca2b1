import { describe, expect, it } from "vitest";
import { parseLogFilter, parseLogHead } from "../../cli/serial/log-line.js";
import { createMask } from "../../cli/serial/mask.js";
import { visibleLine } from "../../cli/terminal/foreign-text.js";

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
