import { afterEach, describe, expect, it } from "vitest";
import type { LabEvent } from "../../cli/lab/events.js";
import type { LabFault, PacketFault } from "../../cli/lab/faults.js";
import {
  ensureBrokerProject,
  BROKER_DEVICE as ID,
  RECONNECT_MIN_MS,
  STABLE_S,
} from "../helpers/broker-project.js";
import { type Device, deviceOf } from "../helpers/device.js";
import { type LabUpOptions, labUp, type RunningLab } from "../helpers/lab.js";
import { longer, longerSeconds, WITH_ALL_BROKERS } from "../helpers/longer.js";
import { nextStatus, type StatusMessage, statusMessages } from "../helpers/status-messages.js";

/* What a device that is online does when its broker fails it, and how it leaves one that does not. */

const WAIT_MS = 45_000;
const project = ensureBrokerProject();
let lab: RunningLab;
let device: Device;

async function start(options: LabUpOptions = {}): Promise<void> {
  lab = await labUp("broker-losses", { project, ...options });
  device = deviceOf(lab, { id: ID, project });
  await device.empty();
  await device.boot();
}

afterEach(async () => {
  expect(await lab.stop()).toBe(0);
});

const next = (pattern: RegExp) => lab.logLine(pattern, { fromNow: true });
const isClosed = async () => (await lab.client.boardStatus()).baseUrl === null;

/** Online, with its AP still there. */
async function bringOnline(): Promise<void> {
  const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
  const answer = await device.post("/provision", await device.credentials());
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  await online;
}

/** The same; it closes its AP once somebody has read that it is online. */
async function bringOnlineAlone(): Promise<void> {
  const closed = next(/the AP is closed/);
  await bringOnline();
  await device.statusWhere((now) => now.status === "connected");
  await closed;
}

/** What happens from now on, until there are `count` that are wanted. */
async function nextEvents(count: number, isWanted: (event: LabEvent) => boolean) {
  const signal = AbortSignal.timeout(longer(WAIT_MS));
  const seen: LabEvent[] = [];
  for await (const event of lab.client.events({ lines: 0, follow: true, signal })) {
    if (event.deviceId === ID && isWanted(event)) seen.push(event);
    if (seen.length === count) return seen;
  }
  throw new Error(`only ${seen.length} of ${count} events came`);
}

const isShown = ({ what }: LabEvent) => what === "certificate";
const isFault = ({ outcome }: LabEvent) => outcome.startsWith("fault_");
const isGoodbye = ({ what }: LabEvent) => what === "goodbye";
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** Milliseconds from each fault to the device's next CONNECT. */
function gapsOf(events: readonly LabEvent[]): number[] {
  const gaps: number[] = [];
  let lostAt: number | undefined;
  for (const event of events) {
    const at = Date.parse(event.at);
    if (isFault(event)) lostAt = at;
    else if (lostAt !== undefined) gaps.push(at - lostAt);
    if (!isFault(event)) lostAt = undefined;
  }
  return gaps;
}

const REFUSED: PacketFault = { packet: "publish", kind: "ignore", closeAfterMs: 0 };
const LOST: PacketFault = { packet: "publish", kind: "serve", closeAfterMs: 100 };
const DENIED: PacketFault = { packet: "connect", kind: "answer", bytes: "20020005" };
const once = <T extends LabFault>(fault: T): T => ({ ...fault, times: 1 });

describe.runIf(WITH_ALL_BROKERS)("the gaps between reconnects", () => {
  it("grow, whether or not the broker acknowledges anything, and are short again after one that lasts", async () => {
    await start();
    await bringOnlineAlone();
    const happening = nextEvents(20, (event) => isShown(event) || isFault(event));
    const faults = Array.from({ length: 10 }, (_, index) => once(index % 2 === 0 ? REFUSED : LOST));
    await lab.client.setFaults(faults);
    const gaps = gapsOf(await happening);
    expect(gaps).toHaveLength(10);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(RECONNECT_MIN_MS - 5);
    expect(sum(gaps.slice(5)), String(gaps)).toBeGreaterThan(sum(gaps.slice(0, 3)));
    const back = await nextStatus(lab, ID, (message) => message.mqtt_reconnects > 5);
    expect(back.last_error).toBe("broker_lost");

    for (let round = 1; round <= 2; round++) {
      const { uptime_s } = await nextStatus(lab, ID);
      await nextStatus(lab, ID, (message) => message.uptime_s > uptime_s + STABLE_S + 1);
      const lost = nextEvents(2, (event) => isShown(event) || isFault(event));
      await lab.client.setFaults([once(LOST)]);
      expect(gapsOf(await lost)[0]).toBeLessThan(1500);
    }
  });
});

describe("the AP of a device that has been online", () => {
  it("stays closed for all that somebody on the way can do, and opens for a denial by the broker itself", async () => {
    await start();
    await bringOnlineAlone();
    const KINDS: readonly [code: string, fault: LabFault][] = [
      ["broker_untrusted", { server: "broker", kind: "untrusted" }],
      ["broker_rejected", { connection: "broker", kind: "alert", alert: 48 }],
      ["broker_tls_failed", { connection: "broker", kind: "alert", alert: 70, moment: "hello" }],
      ["broker_unreachable", { packet: "connect", kind: "ignore", closeAfterMs: 0 }],
      ["publish_refused", REFUSED],
    ];
    for (const [code, fault] of KINDS) {
      await lab.client.setFaults([once(REFUSED), fault]);
      for (let tries = 0; tries < 2; tries++) {
        await next(new RegExp(`error ${code}`));
        expect(await isClosed(), code).toBe(true);
      }
    }
    for (const single of ["first", "second"]) {
      await lab.client.setFaults([once(DENIED), REFUSED]);
      for (const code of ["broker_rejected", "publish_refused"]) {
        await next(new RegExp(`error ${code}`));
        expect(await isClosed(), `the ${single} denial of its own`).toBe(true);
      }
    }

    await lab.client.setFaults([DENIED]);
    const { state, error } = await device.statusWhere((now) => now.error !== null);
    expect([state, error.code]).toEqual(["MQTT_CONNECTING", "broker_rejected"]);
    const closed = next(/the AP is closed/);
    await lab.client.setFaults([]);
    await device.statusWhere((now) => now.status === "connected");
    await closed;
  });
});

describe("a device that leaves", () => {
  it("says so when it is reset, over HTTP or by its button, and when it is sent elsewhere", async () => {
    await start();
    const WAYS: readonly [name: string, act: () => Promise<unknown>][] = [
      ["POST /reset", () => device.post("/reset", { scope: "all" })],
      ["the button", () => lab.client.board("press")],
      ["POST /provision", async () => device.post("/provision", await device.credentials())],
    ];
    for (const [name, act] of WAYS) {
      await bringOnline();
      const goodbye = nextEvents(1, isGoodbye);
      await act();
      const isOffline = ({ status }: StatusMessage) => status === "offline";
      expect((await nextMessage(isOffline)).status, name).toBe("offline");
      expect(await goodbye, name).toHaveLength(1);
      await lab.client.board("release");
      if (name !== "POST /provision") await device.statusWhere((now) => now.state === "AP_MODE");
    }
  });
});

async function nextMessage(isWanted: (message: StatusMessage) => boolean): Promise<StatusMessage> {
  for await (const message of statusMessages(lab, ID)) if (isWanted(message)) return message;
  throw new Error("unreachable: the messages end with an error");
}

describe("a new certificate that the broker lets in and then fails", () => {
  it("takes turns with the one before, which is not thrown away, and the next one that works replaces both", async () => {
    await start({ certificateSeconds: Number(longerSeconds(32)) });
    await bringOnline();
    const before = await nextStatus(lab, ID);
    const shown = nextEvents(3, isShown);
    await lab.client.setFaults([
      { route: "/renew-csr", kind: "serve", times: 1 },
      { route: "/renew-csr", kind: "status", status: 503 },
      { ...once(REFUSED), onlyNewCertificates: true },
      { packet: "publish", kind: "ignore", onlyNewCertificates: true },
    ]);
    const serials = (await shown).map(({ detail }) => detail);
    expect([serials[0] === serials[1], serials[1] === serials[2]]).toEqual([true, false]);
    await lab.logLine(/back to the certificate before/);
    const isBack = ({ mqtt_reconnects }: StatusMessage) => mqtt_reconnects > 0;
    const back = await nextStatus(lab, ID, isBack);
    expect(back.cert_not_after).toBe(before.cert_not_after);
    expect(["publish_unacknowledged", "backend_error"]).toContain(back.last_error);
    await lab.client.setFaults([]);
    const isNewer = (message: StatusMessage) => message.cert_not_after > before.cert_not_after;
    expect((await nextStatus(lab, ID, isNewer)).mqtt_reconnects).toBe(2);
  });
});
