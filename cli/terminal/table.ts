import Table from "cli-table3";
import { displayWidth } from "./display-width.js";

const BARE = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

const GAP = BARE.middle.length;
/** No column gets narrower than this, however narrow the terminal is. */
const NARROWEST = 6;

/**
 * Columns with a heading, aligned, without lines and without colour of its own.
 * @param columns of the terminal; the widest cells are broken into lines that fit. undefined = there is no terminal, and
 * programs that read the table want each row on one line.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | undefined,
): string {
  const widths = columnWidths([head, ...rows], columns ?? Number.POSITIVE_INFINITY);
  const table = new Table({
    head: [...head],
    chars: BARE,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) table.push(row.map((cell, at) => breakLines(cell, widths[at] ?? 0)));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** What each column may take: what it needs, or less for the widest until all fit. */
function columnWidths(rows: readonly (readonly string[])[], columns: number): number[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries())
      widths[at] = Math.max(widths[at] ?? 0, ...cell.split("\n").map(displayWidth));
  for (;;) {
    const widest = Math.max(...widths);
    const total = widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));
    if (total <= columns || widest <= NARROWEST) return widths;
    widths[widths.lastIndexOf(widest)] = widest - 1;
  }
}

/** At spaces where there are any, else after a sign that joins words, else anywhere. */
function breakLines(text: string, width: number): string {
  return text
    .split("\n")
    .flatMap((line) => {
      const lines = [""];
      // A painted cell is a word.
      const parts =
        displayWidth(line) <= width || line.includes("\x1b") ? [line] : piecesOf(line, width);
      for (const part of parts) {
        const last = lines.at(-1) ?? "";
        if (last !== "" && displayWidth(last + part.trimEnd()) > width)
          lines.push(part.trimStart());
        else lines[lines.length - 1] = last + part;
      }
      return lines.map((broken) => broken.trimEnd());
    })
    .join("\n");
}

/** Words; of one that is too long for a line, the parts between the signs that join it, or its letters. */
function piecesOf(line: string, width: number): string[] {
  const isLong = (piece: string): boolean => displayWidth(piece.trim()) > width;
  return (line.match(/\s*\S+|\s+$/g) ?? [])
    .flatMap((word) => (isLong(word) ? (word.match(/\s*[^\s/_-]*[/_-]?/g) ?? []) : [word]))
    .flatMap((part) => (isLong(part) ? [...part] : [part]));
}
