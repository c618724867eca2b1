/*
 * Text that prov did not write: names of networks, messages of devices and servers, logs. A terminal obeys some of it
 * (ECMA-48 control functions), people read some of it in another order than it has (Unicode UAX #9), and GitHub's runner
 * takes lines of it for commands.
 */

/** What moves, hides, reorders or breaks text; the two variation selectors that emoji need are harmless. */
const UNSEEN = /(?![\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu;

const ESCAPE = String.fromCharCode(0x1b);
/** ECMA-48, 8.3.117: any "select graphic rendition". */
const ANY_STYLE = new RegExp(`${ESCAPE}\\[[0-9;:]*m`, "g");
/** Of these the ones that cannot hide text: weight, slope, underline and the colour of the letters. */
const CODE = "(?:0?[0-4]|2[2-4]|3[0-79]|9[0-7]|38;5;\\d{1,3})";
const STYLE = new RegExp(`(${ESCAPE}\\[(?:${CODE}(?:;${CODE})*)?m)`);
const RESET = `${ESCAPE}[0m`;

/** The same text on one line, with everything that is not seen, or is obeyed, written out: `\u{202e}`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, written);
}

/** As `visible`, for a text of several lines: line breaks and tabs stay. */
export function visibleText(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(UNSEEN, (char) => (char === "\n" || char === "\t" ? char : written(char)));
}

/** As `visibleText`, and weight and colour of letters stay too. */
export function visibleStyled(text: string): string {
  return text
    .split(STYLE)
    .map((part, index) => (index % 2 === 1 ? part : visibleText(withoutStyles(part))))
    .join("");
}

/** As `visibleStyled`, without any style. */
export function visiblePlain(text: string): string {
  return visibleText(withoutStyles(text));
}

/** One line of a log: tabs stay, and what a UART reads while the board's pin is not driven yet is left out. */
export function visibleLine(raw: string): string {
  return lineOf(withoutStyles(raw)).split("\t").map(visible).join("\t");
}

/** The text as it came, but without "select graphic rendition". */
export function withoutStyles(text: string): string {
  return text.replace(ANY_STYLE, "");
}

/** As `visibleLine`, with the colours that the log has of its own; undefined when it has none. */
export function coloredLine(raw: string): string | undefined {
  const parts = lineOf(raw).split(STYLE);
  if (parts.length === 1) return undefined;
  const shown = parts.map((part, index) => (index % 2 === 1 ? part : visibleLine(part))).join("");
  return shown.endsWith(RESET) ? shown : `${shown}${RESET}`;
}

function lineOf(raw: string): string {
  let begin = 0;
  while (raw.charCodeAt(begin) === 0) begin += 1;
  return raw.slice(begin).replace(/\r+$/, "");
}

/**
 * Text in which a CI runner finds no command: GitHub's takes `::` at the beginning of a line, after white space, and
 * `##[` anywhere in it (actions/runner, ActionCommand.cs).
 */
export function withoutCommands(text: string): string {
  return text.replace(COMMAND_BEGIN, "$1\\u{3a}:").replaceAll("##[", "#\\u{23}[");
}

const COMMAND_BEGIN = new RegExp(`^((?:[\\s\\p{M}]|${ESCAPE}\\[[0-9;]*m)*)::`, "gmu");

/** JSON that means the same, with nothing in it that a terminal or a runner obeys. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(UNSEEN, (char) =>
      Array.from({ length: char.length }, (_, index) => `\\u${hex4(char.charCodeAt(index))}`).join(
        "",
      ),
    )
    .replaceAll("##[", "#\\u0023[");
}

function written(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

function hex4(unit: number): string {
  return unit.toString(16).padStart(4, "0");
}
