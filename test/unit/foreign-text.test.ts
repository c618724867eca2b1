import { describe, expect, test } from "vitest";
import { ProvError } from "../../cli/errors.js";
import {
  coloredLine,
  safeJson,
  visible,
  visibleLine,
  visiblePlain,
  visibleStyled,
  visibleText,
  withoutCommands,
} from "../../cli/terminal/foreign-text.js";

const ESC = "\u001b";

describe("visible()", () => {
  test.each([
    ["ESC", `a${ESC}[2Jb`, "a\\u{1b}[2Jb"],
    ["CR and LF", "a\r\nb", "a\\u{d}\\u{a}b"],
    ["NUL, BEL, tab", "\0\u0007\t", "\\u{0}\\u{7}\\u{9}"],
    ["DEL", "\u007f", "\\u{7f}"],
    ["C1: NEL, CSI, OSC", "\u0085\u009b\u009d", "\\u{85}\\u{9b}\\u{9d}"],
    ["bidi marks", "\u200e\u200f\u061c", "\\u{200e}\\u{200f}\\u{61c}"],
    [
      "bidi embeddings",
      "\u202a\u202b\u202c\u202d\u202e",
      "\\u{202a}\\u{202b}\\u{202c}\\u{202d}\\u{202e}",
    ],
    ["bidi isolates", "\u2066\u2067\u2068\u2069", "\\u{2066}\\u{2067}\\u{2068}\\u{2069}"],
    [
      "zero width",
      "\u200b\u200c\u200d\u2060\ufeff\u00ad",
      "\\u{200b}\\u{200c}\\u{200d}\\u{2060}\\u{feff}\\u{ad}",
    ],
    ["line and paragraph separators", "\u2028\u2029", "\\u{2028}\\u{2029}"],
    ["fillers and tags", "\u3164\u{e0041}", "\\u{3164}\\u{e0041}"],
    ["half a character", "a\ud800", "a\\u{d800}"],
  ])("writes out %s", (_what, text, expected) => {
    expect(visible(text)).toBe(expected);
  });

  test("leaves every other writing alone, and what is written out already", () => {
    for (const text of ["Café ☕ 日本語 עברית हिन्दी", "I ❤️ WiFi", "a\\u{202e}b", "::error::", ""])
      expect(visible(text)).toBe(text);
    expect(visible(visible("\u202e"))).toBe("\\u{202e}");
  });

  // Unicode 15.1, DerivedCoreProperties and UAX #9: whatever is left must be seen.
  test("holds for every character there is", () => {
    const wrong: string[] = [];
    for (let code = 0; code <= 0xffff; code += 1) {
      const isObeyed = code < 0x20 || (code >= 0x7f && code < 0xa0);
      const isUnseen =
        (code >= 0x200b && code <= 0x200f) ||
        (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2060 && code <= 0x206f);
      const char = String.fromCharCode(code);
      if ((isObeyed || isUnseen) && visible(char) === char) wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});

test("a text of several lines keeps its line breaks and tabs, and no lone CR", () => {
  expect(visibleText("a\r\n\tb\rc\u2028d")).toBe("a\n\tb\\u{d}c\\u{2028}d");
});

test("of styles only those stay that hide nothing", () => {
  const text = `${ESC}[31mred${ESC}[39m ${ESC}[8mhidden${ESC}[0;41mback${ESC}[2K`;
  expect(visibleStyled(text)).toBe(`${ESC}[31mred${ESC}[39m hiddenback\\u{1b}[2K`);
  expect(visiblePlain(text)).toBe("red hiddenback\\u{1b}[2K");
});

test("a line of a log loses its end and the noise before it", () => {
  expect(visibleLine(`\0\0${ESC}[0;32mI (1) a:\tb${ESC}[0m\r`)).toBe("I (1) a:\tb");
  expect(visibleLine("50 %\r100 %\r")).toBe("50 %\\u{d}100 %");
  expect(coloredLine("plain")).toBeUndefined();
  expect(coloredLine(`${ESC}[1;31mopen`)).toBe(`${ESC}[1;31mopen${ESC}[0m`);
});

describe("commands to a CI runner", () => {
  test.each([
    ["::error::x", "\\u{3a}:error::x"],
    ["  ::add-mask::x", "  \\u{3a}:add-mask::x"],
    ["one\n\u3000::stop-commands::x\n", "one\n\u3000\\u{3a}:stop-commands::x\n"],
    ["\ufe0f::error::x", "\ufe0f\\u{3a}:error::x"],
    [`${ESC}[31m::error::x`, `${ESC}[31m\\u{3a}:error::x`],
    ["I (1) ##[error]x", "I (1) #\\u{23}[error]x"],
    ["####[group]x", "###\\u{23}[group]x"],
    ["fe80::1 a::b", "fe80::1 a::b"],
  ])("%j is none any more", (text, expected) => {
    expect(withoutCommands(text)).toBe(expected);
  });
});

test("JSON means the same, and holds nothing that is obeyed", () => {
  const value = { ssid: `\u202e${ESC}\u009b\u2028\u007f\u{e0041}##[error]`, other: "日本語 ❤️" };
  const text = safeJson(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]|##\[/u);
  expect(text).toContain("日本語 ❤️");
});

test("no error says anything that a terminal obeys", () => {
  const { message, hint } = new ProvError("internal", `a${ESC}]0;x\u0007\nb\u202e`, {
    hint: "c\u009bd\re",
  });
  expect(message).toBe("a\\u{1b}]0;x\\u{7}\nb\\u{202e}");
  expect(hint).toBe("c\\u{9b}d\\u{d}e");
});
