import { describe, expect, test } from "vitest";
import { packTexts } from "../../codegen/page-pack.js";
import { FAILURE_WORDS, FIELD_WORDS, REFUSAL_WORDS } from "../../codegen/page-words.js";

const WORDS = [FAILURE_WORDS, FIELD_WORDS, REFUSAL_WORDS].flatMap((table) => Object.values(table));

/** As the firmware does it. */
const unpackText = (packed: string, phrases: readonly string[]): string =>
  [...packed].map((unit) => phrases[unit.charCodeAt(0) - 0x80] ?? unit).join("");

const bytes = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + text.length + 1, 0);

describe("packed texts", () => {
  test.each([
    ["the page's words", WORDS],
    ["none", []],
    ["the empty text", [""]],
    ["one phrase that overlaps itself", ["aaaaaaaaaaaaaaa", "aaaa"]],
    ["digits, which an octal escape must not swallow", ["a phrase1", "a phrase7", "a phrase8"]],
    ["nothing in common", ["abc", "def"]],
  ])("%s come back as they were", (_name, texts) => {
    const { phrases, texts: packed } = packTexts(texts);
    expect(packed.map((text) => unpackText(text, phrases))).toEqual(texts);
    expect(bytes(packed) + bytes(phrases)).toBeLessThanOrEqual(bytes(texts));
  });

  test("take half the room, with codes of one byte each", () => {
    const { phrases, texts } = packTexts(WORDS);
    expect(phrases.length).toBeLessThanOrEqual(128);
    expect(bytes(texts) + bytes(phrases)).toBeLessThan(0.55 * bytes(WORDS));
    expect(texts.join("")).toMatch(/^[\x20-\xff]+$/);
    expect(packTexts(WORDS)).toEqual({ phrases, texts });
  });

  test("are plain ASCII, since the other bytes are taken", () => {
    expect(() => packTexts(["Müller"])).toThrow(RangeError);
  });
});
