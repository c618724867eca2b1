import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ProvError } from "../../cli/errors.js";
import type { StatusMessage, StatusWatch } from "../../cli/flow/broker-session.js";
import { joinOrFindOnline, onlineInstead, type ReachRequest } from "../../cli/flow/reach.js";
import { virtualWifi } from "../../cli/lab/air/virtual-wifi.js";
import { silent } from "../../cli/terminal/progress.js";
import type { HostWifi } from "../../cli/wifi/host-wifi.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";
import { announceBoard } from "../helpers/announced-board.js";
import { failure } from "../helpers/failure.js";
import { temporaryDir } from "../helpers/project.js";

// A board that is looked for in the air and at the broker at once.

const DEVICE_ID = "greenhouse-7";
const BROKER = { uri: "mqtts://b", caPem: "", certPem: "", keyPem: "" };
/** No test waits for it. */
const LONG_MS = 60_000;

let onWatch: (say: (payload: Record<string, unknown>) => void) => void;
let watched: AbortSignal | undefined;

vi.mock("../../cli/flow/broker-session.js", () => ({
  watchStatus: (watch: StatusWatch, signal: AbortSignal) => {
    watched = signal;
    onWatch((payload) => {
      const text = JSON.stringify(payload);
      watch.onMessage({ topic: "t", text, payload } satisfies StatusMessage);
    });
    if (signal.aborted) return Promise.resolve();
    return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  },
}));

let airDir: string;
beforeEach(() => {
  airDir = temporaryDir();
  mkdirSync(join(airDir, "aps"));
  onWatch = () => {};
  watched = undefined;
});

const online = (seq: number) => ({ status: "connected", seq, uptime_s: seq * 30 });

/** A device that is online: what the broker kept of it, and its next message. */
const talking: typeof onWatch = (say) => {
  say(online(7));
  say(online(8));
};

function reach(more: Partial<ReachRequest> = {}) {
  return joinOrFindOnline({
    wifi: virtualWifi(airDir, { pollIntervalMs: 5 }),
    manifest: { ...DEFAULT_MANIFEST, id: DEVICE_ID },
    broker: BROKER,
    timeoutMs: LONG_MS,
    lookMs: LONG_MS,
    signal: new AbortController().signal,
    progress: silent,
    ...more,
  });
}

describe("a device that is online", () => {
  test("is recognised at once, and its AP is not searched for any longer", async () => {
    onWatch = talking;
    const ends: string[] = [];
    const task = { ...silent.task(""), done: (text = "") => void ends.push(text) };
    const found = await reach({ progress: { ...silent, task: () => task } });
    expect(found).toMatchObject({ outcome: { mqtt: { payload: { seq: 8 } } } });
    expect(ends).toEqual(["it has none, it is online"]);
  });

  test("is recognised on a machine without WiFi too", async () => {
    const wifi: HostWifi = {
      ...virtualWifi(airDir),
      scan: async () => {
        throw new ProvError("wifi_no_adapter", "no adapter");
      },
    };
    onWatch = (say) => setTimeout(() => talking(say), 50);
    expect(await reach({ wifi })).toMatchObject({ outcome: { reached: "mqtt" } });
    onWatch = () => {};
    expect((await failure(reach({ wifi, lookMs: 50 }))).code).toBe("wifi_no_adapter");
  });

  test("is named, with how to reset it, by what needs its AP", async () => {
    onWatch = talking;
    const found = await reach();
    if ("api" in found) throw new Error("it was joined");
    const error = onlineInstead(found, { ...DEFAULT_MANIFEST, id: DEVICE_ID }, "/dev/ttyACM7");
    expect([error.code, error.exitCode]).toEqual(["device_online", 6]);
    expect(error.message).toContain(`${DEVICE_ID} is online (broker: t)`);
    expect(error.hint).toContain("prov reset --scope all --port /dev/ttyACM7");
    expect(error.hint).toContain("BOOT button");
  });
});

describe("a board whose AP is there", () => {
  test("is joined, and the broker is not watched any longer", async () => {
    const board = await announceBoard(airDir, "AAAA01", DEVICE_ID);
    const found = await reach();
    board.close();
    expect(found).toMatchObject({ apSsid: "ESP32-Prov-AAAA01" });
    expect(watched?.aborted).toBe(true);
  });

  test("is joined although it is online: its AP may be about to close", async () => {
    const board = await announceBoard(airDir, "AAAA01", DEVICE_ID);
    let say: Parameters<typeof onWatch>[0] = () => {};
    onWatch = (each) => {
      say = each;
    };
    board.onRequest = () => talking(say);
    const found = await reach();
    board.close();
    expect(found).toMatchObject({ apSsid: "ESP32-Prov-AAAA01" });
  });
});

describe("a board that nobody sees", () => {
  test("may have no power or be online, and the hint tells how to find out", async () => {
    const notes: string[] = [];
    const error = await joinOrFindOnline({
      wifi: virtualWifi(airDir, { pollIntervalMs: 5 }),
      manifest: { ...DEFAULT_MANIFEST, id: DEVICE_ID },
      lookMs: LONG_MS,
      signal: new AbortController().signal,
      progress: { ...silent, note: (text) => void notes.push(text) },
      timeoutMs: 60,
      wonderMs: 10,
    }).catch((thrown: unknown) => thrown);
    expect(notes).toEqual([expect.stringContaining("a device that is online already has no AP")]);
    expect(error).toMatchObject({ code: "ap_not_found", exitCode: 6 });
    const { hint } = error as ProvError;
    for (const word of ["no power", "online already", "--mqtt-cert", "BOOT button"])
      expect(hint).toContain(word);
    expect(hint).toContain("prov monitor --reset --port PORT");
    expect(hint).toContain("prov reset --scope all --port PORT");
  });

  test("is what the broker says of it, also when that comes after the search", async () => {
    const ended = { timeoutMs: 30, lookMs: 120 };
    onWatch = (say) => say({ status: "offline" });
    const offline = await failure(reach(ended));
    expect(offline.code).toBe("ap_not_found");
    expect(offline.message).toContain("it went offline");
    expect(offline.hint).not.toContain("--mqtt-cert");
    onWatch = (say) => say(online(7));
    expect((await failure(reach(ended))).message).toContain("may be old");
    onWatch = (say) => setTimeout(() => talking(say), 60);
    expect(await reach({ timeoutMs: 30, lookMs: LONG_MS })).toMatchObject({
      outcome: { reached: "mqtt" },
    });
  });

  test("is waited for no longer than until Ctrl-C", async () => {
    const stop = new AbortController();
    onWatch = () => stop.abort(new ProvError("interrupted", "interrupted"));
    expect((await failure(reach({ signal: stop.signal }))).code).toBe("interrupted");
  });
});
