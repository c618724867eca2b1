/** What of a status message tells when it was sent; the numbers count from the device's boot. */
export interface StatusMark {
  /** The message as it came: a copy of it is no news, whatever the broker's flags say. */
  readonly text: string;
  readonly status: unknown;
  readonly seq: unknown;
  readonly uptimeS: unknown;
}

/**
 * - `news`: sent while we looked, by a device that was connected then.
 * - `old`: it may be of any time; the device's next one has to differ from it.
 * - `none`: says nothing that was not known.
 */
export type Freshness = "news" | "old" | "none";

/**
 * Judges status messages in the order in which they come, over all connections of one look. No flag of the
 * broker is asked: bridges and brokers lose RETAIN, or set it on what has just been sent. What counts is that
 * the device moved on from what we had.
 * @param slackMs how long after its boot a device may send its first message, besides the time that we looked
 */
export function createFreshness(slackMs: number): (mark: StatusMark, atMs: number) => Freshness {
  const copies = new Set<string>();
  let last: { seq: number; uptimeS: number } | "offline" | undefined;
  let firstAtMs: number | undefined;
  return ({ text, status, seq, uptimeS }, atMs) => {
    firstAtMs ??= atMs;
    if (status === "offline") {
      // What comes now was sent after the last will, the same words included: by a device that came back.
      copies.clear();
      last = "offline";
      return "none";
    }
    if (status !== "connected" || copies.has(text)) return "none";
    if (typeof seq !== "number" || typeof uptimeS !== "number") return "none";
    copies.add(text);
    const before = last;
    last = { seq, uptimeS };
    if (before === undefined) return "old";
    if (before === "offline") return "news";
    if (seq > before.seq && uptimeS >= before.uptimeS) return "news";
    // Its counters fell: it has booted since, or an older message was delivered late.
    const hasBooted = uptimeS * 1000 <= atMs - firstAtMs + slackMs;
    return hasBooted ? "news" : "old";
  };
}
