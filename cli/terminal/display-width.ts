import { stripVTControlCharacters } from "node:util";

const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
const NO_WIDTH = /\p{M}|\p{Cf}/u;

/** In columns of a terminal: East Asian signs and emoji take two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const sign of stripVTControlCharacters(text))
    width += WIDE.test(sign) ? 2 : NO_WIDTH.test(sign) ? 0 : 1;
  return width;
}

/** The beginning of a plain text, with an ellipsis when that is not all. */
export function cutToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let cut = "";
  for (const sign of text) {
    if (displayWidth(cut + sign) >= columns) break;
    cut += sign;
  }
  return columns > 0 ? `${cut}…` : "";
}
