import { describe, expect, it } from "vitest";
import { renderTable } from "../../cli/terminal/table.js";

const HEAD = ["", "CHECK", "FOUND"];
const LONG =
  "IDF_PATH is not set and the usual folders hold none; only the virtual board can be built for";

function lines(columns: number | undefined, ...rows: string[][]): string[] {
  return renderTable(HEAD, rows, columns).split("\n");
}

describe("a table", () => {
  it("is as wide as it has to be where nobody looks, a line for each row", () => {
    expect(lines(undefined, ["warn", "ESP-IDF", LONG])).toEqual([
      "      CHECK    FOUND",
      `warn  ESP-IDF  ${LONG}`,
    ]);
    expect(lines(200, ["warn", "ESP-IDF", LONG])).toEqual(
      lines(undefined, ["warn", "ESP-IDF", LONG]),
    );
  });

  it("breaks the longest cells between words, below their own heading", () => {
    expect(lines(60, ["ok", "Node", "20.20.2"], ["warn", "ESP-IDF", LONG])).toEqual([
      "      CHECK    FOUND",
      "ok    Node     20.20.2",
      "warn  ESP-IDF  IDF_PATH is not set and the usual folders",
      "               hold none; only the virtual board can be",
      "               built for",
    ]);
  });

  it.each([20, 30, 40, 60, 61, 80])("fits %i columns, and loses nothing", (columns) => {
    const path =
      "/dev/serial/by-id/usb-Espressif_USB_JTAG_serial_debug_unit_84:F7:03:11:22:33-if00";
    const found = lines(
      columns,
      ["ok", "port", path],
      ["\x1b[33mwarn\x1b[39m", "b", "x".repeat(70)],
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken off
    const plain = found.map((line) => line.replace(/\x1b\[\d+m/g, ""));
    for (const line of plain) expect(line.length).toBeLessThanOrEqual(columns);
    const squeezed = plain.join("").replace(/\s/g, "");
    expect(squeezed.replace(/CHECK|FOUND|ok|port|warn|b/g, "")).toContain("x".repeat(70));
    expect(squeezed.match(/x/g)).toHaveLength(70);
    for (const part of path.split(/[/_-]/)) expect(squeezed).toContain(part);
  });

  it("counts signs of two columns as two, and signs without a width not at all", () => {
    const rows = [
      ["家".repeat(16), "secured"],
      ["e\u0301".repeat(16), "open"],
      ["😀".repeat(8), "open"],
    ];
    const text = renderTable(["SSID", "SECURITY"], rows, 30);
    expect(text.split("\n")).toEqual([
      "SSID                  SECURITY",
      `${"家".repeat(10)}  secured`,
      "家".repeat(6),
      `${"e\u0301".repeat(16)}      open`,
      `${"😀".repeat(8)}      open`,
    ]);
  });

  it("keeps the lines that a cell has", () => {
    expect(lines(40, ["ok", "a", "one\ntwo"])).toEqual([
      "    CHECK  FOUND",
      "ok  a      one",
      "           two",
    ]);
  });
});
