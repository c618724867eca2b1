import { describe, expect, it } from "vitest";
import { wrapProse } from "../../cli/terminal/wrap-prose.js";

const HINT =
  "Check the password (case matters) and run `prov provision --lab` again; no reset is needed.";

describe("prose on a terminal", () => {
  it("is broken between words, and never inside a command", () => {
    expect(wrapProse(HINT, 50)).toBe(
      "Check the password (case matters) and run\n`prov provision --lab` again; no reset is needed.",
    );
    for (let columns = 22; columns < 100; columns++) {
      const wrapped = wrapProse(HINT, columns);
      expect(wrapped.replaceAll("\n", " ")).toBe(HINT);
      expect(wrapped).toContain("`prov provision --lab`");
      for (const line of wrapped.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  it("stays as it is where there is no terminal", () => {
    expect(wrapProse(HINT, undefined)).toBe(HINT);
  });

  it("leaves words that are too long, and lines that are indented, to the terminal", () => {
    const path = `/${"x".repeat(50)}`;
    expect(wrapProse(`no file ${path} there`, 20)).toBe(`no file\n${path}\nthere`);
    const command = `  git clone --depth 1 ${path}`;
    expect(wrapProse(`Type\n${command}`, 20)).toBe(`Type\n${command}`);
  });

  it("counts colours as nothing", () => {
    expect(wrapProse("\x1b[31merror busy\x1b[39m: the device", 22)).toBe(
      "\x1b[31merror busy\x1b[39m: the device",
    );
  });

  it("keeps a backtick that has no other", () => {
    expect(wrapProse("a ` b", 80)).toBe("a ` b");
  });
});
