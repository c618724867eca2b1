import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { takeLock } from "../../cli/files/lock.js";
import { softApMac } from "../../cli/lab/board/virtual-board.js";
import { createFrameSplitter, pubackFor, withRetain } from "../../cli/lab/broker/mqtt-frames.js";
import { mayPublish, mayReceive, OPERATOR, SPECTATOR } from "../../cli/lab/broker/topic-rules.js";
import { checkFaults, createFaultBox, type RouteFault } from "../../cli/lab/faults.js";
import { openFlashChip } from "../../cli/lab/loader/flash-chip.js";
import { createStream } from "../../cli/lab/stream.js";
import { createLineSplitter } from "../../cli/lines.js";
import { DEVICE_ID_PATTERN } from "../../codegen/device-keys.js";
import { temporaryDir } from "../helpers/project.js";

let dir: string;
beforeEach(() => {
  dir = temporaryDir();
});

describe("a stream", () => {
  it("replays what was said, in order, then follows", () => {
    const stream = createStream<number>(3);
    for (const item of [1, 2, 3, 4]) stream.push(item);
    const heard: number[] = [];
    const leave = stream.subscribe((item) => heard.push(item), { replay: 2 });
    stream.push(5);
    leave();
    stream.push(6);
    expect(heard).toEqual([3, 4, 5]);
    expect(stream.recent()).toEqual([4, 5, 6]);
  });

  it("waits for what comes, finds what came, and stops on abort", async () => {
    const stream = createStream<string>(10);
    stream.push("past");
    await expect(stream.waitFor((item) => item === "past")).resolves.toBe("past");
    const next = stream.waitFor((item) => item.startsWith("p"), { futureOnly: true });
    stream.push("present");
    await expect(next).resolves.toBe("present");
    const aborted = new AbortController();
    const never = stream.waitFor((item) => item === "never", { signal: aborted.signal });
    aborted.abort(new Error("enough"));
    await expect(never).rejects.toThrow("enough");
  });
});

describe("the line splitter", () => {
  it("joins pieces, also in the middle of a character, and hands out the rest at the end", () => {
    const lines: string[] = [];
    const splitter = createLineSplitter((line) => lines.push(line));
    const bytes = Buffer.from("one\r\ntwö\nlast");
    for (const byte of bytes) splitter.feed(Uint8Array.of(byte));
    expect(lines).toEqual(["one", "twö"]);
    splitter.end();
    expect(lines).toEqual(["one", "twö", "last"]);
  });

  it("does not keep a line without end in memory", () => {
    const lines: string[] = [];
    const splitter = createLineSplitter((line) => lines.push(line));
    for (let i = 0; i < 100; i++) splitter.feed(Buffer.alloc(10_000, "x"));
    splitter.feed(Buffer.from("\n"));
    expect(lines.map((line) => line.length)).toEqual([8192]);
  });
});

describe("the flash chip", () => {
  it("starts erased, is private, and keeps what was written", () => {
    const path = join(dir, "flash.bin");
    const chip = openFlashChip(path, 0x3000);
    expect(chip.read(0, 0x3000).every((byte) => byte === 0xff)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chip.write(0x1000, Buffer.from("hello"));
    chip.close();
    const again = openFlashChip(path, 0x3000);
    expect(again.read(0x1000, 5).toString()).toBe("hello");
    again.erase(0x1000, 2);
    expect([...again.read(0x1000, 3)]).toEqual([0xff, 0xff, "l".charCodeAt(0)]);
    again.close();
  });

  it("has bounds", () => {
    const chip = openFlashChip(join(dir, "flash.bin"), 0x1000);
    expect(() => chip.write(0xfff, Buffer.alloc(2))).toThrow(RangeError);
    expect(() => chip.read(-1, 1)).toThrow(RangeError);
    expect(() => chip.erase(0x1000, 1)).toThrow(RangeError);
    chip.close();
  });
});

describe("the lock", () => {
  const file = () => join(dir, "lab.lock");

  it("is held once and can be taken again after release", () => {
    const first = takeLock(file());
    expect(takeLock(file())).toEqual({ heldBy: process.pid });
    if ("release" in first) first.release();
    expect(takeLock(file())).toHaveProperty("release");
  });

  it.each([
    ["a dead process", { pid: 2 ** 22 + 1, birth: "" }],
    ["a process id that has another owner by now", { pid: process.pid, birth: "boot/1" }],
    ["garbage", "not a lock"],
  ])("is taken over from %s, leaving nothing else behind", (_whom, content) => {
    writeFileSync(file(), typeof content === "string" ? content : JSON.stringify(content));
    expect(takeLock(file())).toHaveProperty("release");
    expect(readdirSync(dir)).toEqual(["lab.lock"]);
  });
});

describe("faults", () => {
  it("are taken per route, as often as told, in order", () => {
    const box = createFaultBox<RouteFault>();
    const take = (path: string) => box.take(({ route }) => route === path);
    box.set([
      { route: "/sign-csr", kind: "status", status: 500, times: 1 },
      { route: "/sign-csr", kind: "hang" },
    ]);
    expect(take("/device-report")).toBeNull();
    const kinds = [1, 2, 3].map(() => take("/sign-csr")?.kind);
    expect(kinds).toEqual(["status", "hang", "hang"]);
    box.set([]);
    expect(take("/sign-csr")).toBeNull();
  });

  it("are refused when they name nothing that exists", () => {
    expect(() => checkFaults([{ route: "/nowhere", kind: "hang" }])).toThrow("faults: 0");
    expect(() => checkFaults([{ server: "broker", kind: "slow" }])).toThrow("faults: 0");
    expect(() => checkFaults([{ packet: "publish", kind: "down" }])).toThrow("faults: 0");
    expect(() => checkFaults([{ packet: "connect", kind: "answer", bytes: "2" }])).toThrow(
      "faults",
    );
    expect(checkFaults([{ server: "broker", kind: "down" }])).toHaveLength(1);
    expect(checkFaults([{ connection: "broker", kind: "alert", alert: 70 }])).toHaveLength(1);
  });
});

describe("MQTT packets", () => {
  const publish = Buffer.from([0x33, 7, 0, 1, 0x74, 0x12, 0x34, 0x68, 0x69]); // QoS 1, RETAIN, "t", id 0x1234, "hi"
  const long = Buffer.concat([Buffer.from([0x30, 0x80, 0x01]), Buffer.alloc(128)]);
  const all = Buffer.concat([publish, long, Buffer.from([0xe0, 0])]);

  it.each([1, 2, 5, all.length])(
    "are cut out of a stream that comes %i bytes at a time",
    (size) => {
      const split = createFrameSplitter();
      const frames = [];
      for (let at = 0; at < all.length; at += size)
        frames.push(...split(all.subarray(at, at + size)));
      expect(frames.map(({ type, bytes }) => [type, bytes.length])).toEqual([
        [3, publish.length],
        [3, long.length],
        [14, 2],
      ]);
      expect(Buffer.concat(frames.map(({ bytes }) => bytes))).toEqual(all);
    },
  );

  it("are passed on whatever they are", () => {
    const garbage = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    expect(createFrameSplitter()(garbage)).toEqual([{ type: 15, bytes: garbage }]);
  });

  it("are acknowledged by their id, with QoS 1 only, and keep all but RETAIN", () => {
    expect(pubackFor({ type: 3, bytes: publish })).toEqual(Buffer.from([0x40, 2, 0x12, 0x34]));
    expect(pubackFor({ type: 3, bytes: long })).toBeNull();
    const plain = withRetain({ type: 3, bytes: publish }, false);
    expect([plain[0], plain.subarray(1)]).toEqual([0x32, publish.subarray(1)]);
    expect(withRetain({ type: 3, bytes: plain }, true)).toEqual(publish);
  });
});

describe("topic rules", () => {
  it.each([
    ["dev-1", "devices/dev-1/status", true],
    ["dev-1", "devices/dev-1/#", true],
    ["dev-1", "devices/dev-10/status", false],
    ["dev-1", "devices/+/status", false],
    ["dev-1", "devices/dev-1", false],
    ["dev-1", "#", false],
    ["dev-1", "$SYS/#", false],
    ["operator", "#", false],
    ["operator", "devices/operator/status", true],
    ["operator", "devices/dev-1/status", false],
    [OPERATOR, "#", true],
    ["", "devices//status", false],
  ])("%s on %s: %s", (identity, topic, isAllowed) => {
    expect(mayPublish(identity, topic)).toBe(isAllowed);
    expect(mayReceive(identity, topic)).toBe(isAllowed);
  });

  it("let the spectator read everything and write nothing", () => {
    expect(mayReceive(SPECTATOR, "#")).toBe(true);
    expect(mayPublish(SPECTATOR, "devices/dev-1/status")).toBe(false);
    expect(mayPublish(SPECTATOR, `devices/${SPECTATOR}/status`)).toBe(false);
  });

  it("have names for those who are no device that no device can have", () => {
    for (const name of [OPERATOR, SPECTATOR]) expect(name).not.toMatch(DEVICE_ID_PATTERN);
  });
});

it("the SoftAP's MAC is one more in the last octet, which wraps as in the firmware", () => {
  expect(softApMac("0000000000a9")).toBe("0000000000aa");
  expect(softApMac("7cdfa14ca1ff")).toBe("7cdfa14ca100");
});
