/**
 * Packs texts that repeat each other's phrases: a byte from 0x80 on stands for a phrase. Half the bytes for
 * twenty lines of C, where a real compressor would need more code than it saves.
 */
export interface Packed {
  /** In the order of their bytes: 0x80, 0x81 … */
  readonly phrases: readonly string[];
  /** The texts in their order; a phrase's byte is the code unit of the same number. */
  readonly texts: readonly string[];
}

const FIRST_CODE = 0x80;
const MOST_PHRASES = 0x80;
/** In flash, a phrase ends with a NUL. */
const PHRASE_END = 1;
const LONGEST = 60;

/** @throws RangeError for a text that is not plain ASCII */
export function packTexts(texts: readonly string[]): Packed {
  for (const text of texts)
    if (!/^[\x20-\x7e]*$/.test(text)) throw new RangeError(`not plain ASCII: ${text}`);
  const phrases: string[] = [];
  let packed = [...texts];
  while (phrases.length < MOST_PHRASES) {
    const best = bestPhrase(packed);
    if (best === undefined) break;
    const code = String.fromCharCode(FIRST_CODE + phrases.length);
    packed = packed.map((text) => text.replaceAll(best, code));
    phrases.push(best);
  }
  return { phrases, texts: packed };
}

/** The phrase whose replacement saves most bytes; undefined when none saves any. */
function bestPhrase(texts: readonly string[]): string | undefined {
  let best: string | undefined;
  let most = 0;
  for (const [phrase, count] of countPhrases(texts)) {
    const saved = count * (phrase.length - 1) - phrase.length - PHRASE_END;
    if (saved > most) [best, most] = [phrase, saved];
  }
  return best;
}

/** Every run of plain characters that occurs more than once, with how often it can be replaced. */
function countPhrases(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  const ends = new Map<string, number>();
  texts.forEach((text, index) => {
    for (let start = 0; start < text.length; start++) {
      for (let end = start + 2; end <= Math.min(text.length, start + LONGEST); end++) {
        if (text.charCodeAt(end - 1) >= FIRST_CODE || text.charCodeAt(start) >= FIRST_CODE) break;
        const phrase = text.slice(start, end);
        // Occurrences that overlap the one before cannot be replaced as well.
        const at = index * 10_000 + start;
        if (at < (ends.get(phrase) ?? 0)) continue;
        ends.set(phrase, at + phrase.length);
        counts.set(phrase, (counts.get(phrase) ?? 0) + 1);
      }
    }
  });
  return counts;
}
