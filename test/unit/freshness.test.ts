import { expect, test } from "vitest";
import { createFreshness, type Freshness, type StatusMark } from "../../cli/flow/freshness.js";

/** What came, at which second of the look, and what it is worth. */
type Row = readonly [atS: number, message: StatusMark, worth: Freshness];

function connected(seq: number, uptimeS: number, more = ""): StatusMark {
  const text = JSON.stringify({ status: "connected", seq, uptime_s: uptimeS, more });
  return { text, status: "connected", seq, uptimeS };
}

const OFFLINE: StatusMark = {
  text: '{"status":"offline"}',
  status: "offline",
  seq: undefined,
  uptimeS: undefined,
};

/** One status interval of 30 s and the grace. */
const SLACK_MS = 35_000;

test.each<[name: string, rows: readonly Row[]]>([
  ["a dead device whose message the broker keeps", [[0, connected(500, 15_000), "old"]]],
  [
    "the same at each reconnect of ours, and as a duplicate",
    [
      [0, connected(500, 15_000), "old"],
      [10, connected(500, 15_000), "none"],
      [30, connected(500, 15_000), "none"],
    ],
  ],
  [
    "a device that lives",
    [
      [0, connected(500, 15_000), "old"],
      [20, connected(501, 15_030), "news"],
    ],
  ],
  [
    "a device that lives, and of whose messages some were lost",
    [
      [0, connected(1, 3), "old"],
      [30, connected(9, 300), "news"],
    ],
  ],
  [
    "a device that has booted since",
    [
      [0, connected(500, 15_000), "old"],
      [20, connected(1, 4), "news"],
    ],
  ],
  [
    "a device that boots again and again",
    [
      [0, connected(1, 4, "heap 100"), "old"],
      [20, connected(1, 4, "heap 101"), "news"],
    ],
  ],
  [
    "an older message after a newer one",
    [
      [0, connected(500, 15_000), "old"],
      [1, connected(499, 14_970), "old"],
    ],
  ],
  [
    "a device that took long to come back",
    [
      [0, connected(500, 15_000), "old"],
      [10, connected(3, 200), "old"],
      [40, connected(4, 230), "news"],
    ],
  ],
  ["a dead device whose last will the broker keeps", [[0, OFFLINE, "none"]]],
  [
    "a device that dies while we look",
    [
      [0, connected(500, 15_000), "old"],
      [20, OFFLINE, "none"],
    ],
  ],
  [
    "a device that comes back while we look",
    [
      [0, OFFLINE, "none"],
      [5, connected(1, 4), "news"],
    ],
  ],
  [
    "a device that comes back and says to the letter what it said before",
    [
      [0, connected(1, 4), "old"],
      [5, OFFLINE, "none"],
      [9, connected(1, 4), "news"],
    ],
  ],
  [
    "somebody else's words on its topic",
    [
      [0, { text: "{}", status: undefined, seq: 1, uptimeS: 1 }, "none"],
      [1, { text: '{"a":1}', status: "connected", seq: "7", uptimeS: 9 }, "none"],
      [2, { text: '{"a":2}', status: "connected", seq: 8, uptimeS: undefined }, "none"],
    ],
  ],
])("%s", (_name, rows) => {
  const judge = createFreshness(SLACK_MS);
  const worth = rows.map(([atS, message]) => judge(message, 1_000 + atS * 1000));
  expect(worth).toEqual(rows.map(([, , expected]) => expected));
});
