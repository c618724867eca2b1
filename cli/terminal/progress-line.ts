import { cutToWidth, displayWidth } from "./display-width.js";

const BAR_MAX = 24;
const BAR_MIN = 8;
const PERCENT = " 100 %".length;
/** The longest that most steps say, and the space before it: the bar keeps its length when the text changes. */
const TEXT_ROOM = " write partition-table.bin, 999 kB/s".length;
/** The spinner and its space, and the last column, after which some terminals begin a line. */
const RESERVED = 3;

/**
 * What stands beside a spinner, on one line: of a line that the terminal breaks, half would jump at every step. The bar
 * gives way first, then the text.
 * @param fraction of the work that is done, 0 to 1; undefined = nobody knows
 */
export function progressLine(
  label: string,
  { fraction, text = "" }: { fraction?: number | undefined; text?: string | undefined },
  columns: number,
  paintText: (text: string) => string,
): string {
  let room = columns - RESERVED - displayWidth(label);
  let bar = "";
  if (fraction !== undefined) {
    const width = Math.min(BAR_MAX, Math.max(BAR_MIN, room - 1 - PERCENT - TEXT_ROOM));
    bar = ` ${renderBar(fraction, width)}`;
    room -= displayWidth(bar);
  }
  const shown = cutToWidth(text, room - 1);
  return `${label}${bar}${shown && ` ${paintText(shown)}`}`;
}

function renderBar(fraction: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)} ${String(Math.round(fraction * 100)).padStart(3)} %`;
}
