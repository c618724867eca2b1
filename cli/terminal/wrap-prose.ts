import { displayWidth } from "./display-width.js";

/**
 * Breaks sentences between words, where a terminal would break them within. What stands between backticks is to be
 * copied and stays whole, and so do indented lines, which are commands or quotes.
 * @param columns of the terminal; undefined = there is none, and nothing is broken
 */
export function wrapProse(text: string, columns: number | undefined): string {
  if (columns === undefined) return text;
  return text
    .split("\n")
    .map((line) => (/^\s/.test(line) ? line : wrapLine(line, columns)))
    .join("\n");
}

function wrapLine(line: string, columns: number): string {
  let width = 0;
  let wrapped = "";
  for (const [piece] of line.matchAll(/\s*(?:`[^`]*`|[^\s`]|`)+/g)) {
    const word = piece.trimStart();
    const breaks = width > 0 && width + displayWidth(piece) > columns;
    wrapped += breaks ? `\n${word}` : piece;
    width = breaks ? displayWidth(word) : width + displayWidth(piece);
  }
  return wrapped;
}
