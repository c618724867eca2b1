import { describe, expect, it } from "vitest";
import { displayWidth } from "../../cli/terminal/display-width.js";
import { progressLine } from "../../cli/terminal/progress-line.js";

const LABEL = "flash /tmp/prov-lab-NppkeY/tty";
const STEP = { fraction: 0.5, text: "compare partition-table.bin" };
const line = (columns: number, step: Parameters<typeof progressLine>[1] = STEP) =>
  progressLine(LABEL, step, columns, (text) => `\x1b[2m${text}\x1b[0m`);

describe("the line of a running task", () => {
  it("has a long bar and the whole text where there is room", () => {
    expect(line(200)).toBe(
      `${LABEL} ${"█".repeat(12)}${"░".repeat(12)}  50 % \x1b[2m${STEP.text}\x1b[0m`,
    );
  });

  it("shortens the bar first, then the text", () => {
    expect(line(90)).toBe(
      `${LABEL} ${"█".repeat(7)}${"░".repeat(7)}  50 % \x1b[2m${STEP.text}\x1b[0m`,
    );
    const write = { fraction: 0.5, text: "write partition-table.bin, 96 kB/s" };
    expect(line(85, write)).toContain(write.text);
    expect(line(60)).toBe(`${LABEL} ████░░░░  50 % \x1b[2mcompare pa…\x1b[0m`);
  });

  it.each([50, 60, 61, 79, 80, 200])(
    "stays on one line of %i columns beside its spinner",
    (columns) => {
      for (const fraction of [undefined, 0, 0.999, 1])
        for (const text of ["", "x", "word ".repeat(60), "家".repeat(60)])
          expect(displayWidth(line(columns, { fraction, text }))).toBeLessThanOrEqual(columns - 3);
    },
  );

  it("leaves out what there is no room for", () => {
    expect(line(30)).toBe(`${LABEL} ████░░░░  50 %`);
    expect(line(30, { text: "connect" })).toBe(LABEL);
  });
});
