/*
 * ESP-IDF's log lines, without their colours (components/log/src/log_format_text.c): `I (1234) tag: message`, with the
 * time of day or the whole date in the parentheses, or without them. The WiFi library writes lines of its own:
 * `I (1234) wifi:message`.
 */

export type LogLevel = "E" | "W" | "I" | "D" | "V";

const LEVELS: readonly LogLevel[] = ["E", "W", "I", "D", "V"];
const STAMPED = /^([EWIDV]) \([^)]+\) (?:([^:]+): |([^:\s]+):|)/;
/** Without a time only the space tells a tag from any text with a colon in it. */
const UNSTAMPED = /^([EWIDV]) ([^:(]+): /;

export interface LogHead {
  readonly level: LogLevel;
  /** Undefined for a line with a level and a time alone. */
  readonly tag: string | undefined;
}

/** Level and tag of a line without colours; undefined for anything else, such as a boot message. */
export function parseLogHead(text: string): LogHead | undefined {
  const match = STAMPED.exec(text) ?? UNSTAMPED.exec(text);
  const level = LEVELS.find((candidate) => candidate === match?.[1]);
  return level && { level, tag: match?.[2] ?? match?.[3] };
}

/** Says whether a line is shown. Lines that are no log lines always are. */
export type LogFilter = (head: LogHead | undefined) => boolean;

/**
 * Reads a filter as ESP-IDF's monitor has it: `tag:level` pairs, `*` for every other tag, the level
 * letters E W I D V and N for nothing (`*` or none is V): `*:W wifi:I`. Unlike there a line without a tag is
 * always shown: a panic is what the filter is there to find.
 * @returns undefined when the text is no filter
 */
export function parseLogFilter(text: string): LogFilter | undefined {
  const limits = new Map<string, number>();
  for (const part of text.split(/\s+/).filter(Boolean)) {
    const match = /^([^:]+)(?::([EWIDVN*]?))?$/i.exec(part);
    if (!match?.[1]) return undefined;
    const letter = (match[2] || "V").toUpperCase().replace("*", "V");
    limits.set(match[1], (LEVELS as readonly string[]).indexOf(letter));
  }
  const others = limits.get("*") ?? (limits.size === 0 ? LEVELS.length : -1);
  return (head) => {
    if (head?.tag === undefined) return true;
    return LEVELS.indexOf(head.level) <= (limits.get(head.tag) ?? others);
  };
}
