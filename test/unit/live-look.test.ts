import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { StatusMessage, StatusWatch } from "../../cli/flow/broker-session.js";
import { findLiveStatus, findStatusOf, type Look } from "../../cli/flow/broker-witness.js";

// How long a device is waited for, on a clock that the test moves.

let say: (payload: Record<string, unknown>) => void;
let trouble: (reason: string) => void;

vi.mock("../../cli/flow/broker-session.js", () => ({
  watchStatus: (watch: StatusWatch, signal: AbortSignal) => {
    say = (payload) => {
      const text = JSON.stringify(payload);
      watch.onMessage({ topic: "t", text, payload } satisfies StatusMessage);
    };
    trouble = watch.onTrouble;
    return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ACCESS = { uri: "mqtts://b", caPem: "", certPem: "", keyPem: "" };
const PATIENCE_MS = 35_000;
const NO_END = new AbortController().signal;

/** A look that has just begun, and what has come of it so far. */
function begin(find: () => Promise<Look>) {
  let found: Look | undefined;
  void find().then((look) => {
    found = look;
  });
  return async (afterMs: number): Promise<Look | undefined> => {
    await vi.advanceTimersByTimeAsync(afterMs);
    return found;
  };
}

const live = () => begin(() => findLiveStatus(ACCESS, "d", PATIENCE_MS, NO_END));
const connected = (seq: number) => ({ status: "connected", seq, uptime_s: seq * 30 });

test("a broker that says nothing is listened to for one interval", async () => {
  const after = live();
  expect(await after(34_900)).toBeUndefined();
  expect(await after(200)).toEqual({ reason: "no status message came in time" });
});

test("a message that may be old gives the device one more interval, and no copy of it does", async () => {
  const after = live();
  await after(20_000);
  say(connected(7));
  await after(30_000);
  say(connected(7));
  expect(await after(4_900)).toBeUndefined();
  expect(await after(200)).toMatchObject({ reason: expect.stringContaining("may be old") });
});

test("a device of which the broker keeps nothing is found by its second message", async () => {
  const after = live();
  await after(29_000);
  say(connected(7));
  await after(30_000);
  say(connected(8));
  expect(await after(0)).toMatchObject({ proof: { payload: { seq: 8 } } });
});

test("what stood in the way last is the reason", async () => {
  const after = live();
  trouble("cannot watch the broker: ECONNREFUSED");
  expect(await after(PATIENCE_MS)).toEqual({ reason: "cannot watch the broker: ECONNREFUSED" });
});

test("of this very attempt the first message is enough, and no other one counts", async () => {
  const after = begin(() => findStatusOf("mine", ACCESS, "d", PATIENCE_MS, NO_END));
  say({ ...connected(7), attempt_id: "another" });
  say({ status: "offline", attempt_id: "mine" });
  expect(await after(1_000)).toBeUndefined();
  say({ status: "connected", attempt_id: "mine" });
  expect(await after(0)).toMatchObject({ proof: { payload: { attempt_id: "mine" } } });
});
