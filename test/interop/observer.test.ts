import { getEventListeners } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { type BrokerAccess, watchStatus } from "../../cli/flow/broker-session.js";
import { brokerWitness, findLiveStatus } from "../../cli/flow/broker-witness.js";
import type { WitnessReport } from "../../cli/flow/outcome.js";
import { startEmbeddedBroker } from "../../cli/lab/broker/broker.js";
import { OPERATOR } from "../../cli/lab/broker/topic-rules.js";
import { createCa, issueCertificate } from "../../cli/lab/pki/ca.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer } from "../helpers/longer.js";
import { mosquitto } from "../helpers/mosquitto.js";
import { type Peer, SCRIPTED_DEVICE, scriptedBroker } from "../helpers/scripted-broker.js";

// The operator's side of brokers that nobody here wrote, and of brokers that do what none should.

const ATTEMPT = "this-attempt";

/** Watches until it ends by itself; fails the test when it does not. */
async function watchToTheEnd(access: BrokerAccess): Promise<WitnessReport[]> {
  const reports: WitnessReport[] = [];
  const signal = AbortSignal.timeout(longer(8_000));
  await brokerWitness(access, SCRIPTED_DEVICE, ATTEMPT).watch((each) => reports.push(each), signal);
  expect(signal.aborted, JSON.stringify(reports)).toBe(false);
  return reports;
}

/** Watches until the device's message of this attempt is there. */
async function watchForEvidence(access: BrokerAccess): Promise<WitnessReport[]> {
  const reports: WitnessReport[] = [];
  const found = new AbortController();
  const signal = AbortSignal.any([found.signal, AbortSignal.timeout(longer(20_000))]);
  await brokerWitness(access, SCRIPTED_DEVICE, ATTEMPT).watch((each) => {
    reports.push(each);
    if (each.kind === "evidence") found.abort();
  }, signal);
  return reports;
}

function connected(seq: number, uptimeS: number): object {
  return { status: "connected", seq, uptime_s: uptimeS, attempt_id: ATTEMPT };
}

const refusing = (returnCode: number) => async (peer: Peer) => {
  await peer.next("connect");
  peer.send({ cmd: "connack", returnCode, sessionPresent: false });
};

async function subscribing(peer: Peer): Promise<number> {
  await peer.next("connect");
  peer.send({ cmd: "connack", returnCode: 0, sessionPresent: false });
  return (await peer.next("subscribe")).messageId ?? 0;
}

describe("a broker that will not have this operator ends the watching at once", () => {
  it.each<[string, (peer: Peer) => unknown, RegExp, number]>([
    [
      "by a SUBACK of 0x80",
      async (peer) => {
        peer.send({ cmd: "suback", messageId: await subscribing(peer), granted: [0x80] });
      },
      /does not allow to read devices\/dev-1\/status/,
      1,
    ],
    ["by CONNACK 1", refusing(1), /Unacceptable protocol version/, 1],
    ["by CONNACK 2", refusing(2), /Identifier rejected/, 1],
    ["by CONNACK 4", refusing(4), /Bad username or password/, 1],
    ["by CONNACK 5", refusing(5), /Not authorized/, 1],
    [
      "by hanging up on the SUBSCRIBE",
      (peer) => subscribing(peer).then(() => peer.hangUp()),
      /hung up on the subscription/,
      2,
    ],
    [
      "by resetting the connection on the SUBSCRIBE",
      (peer) => subscribing(peer).then(() => peer.hangUp("rst")),
      /cannot watch the broker/,
      2,
    ],
  ])("%s", async (_how, script, reason, times) => {
    const broker = await scriptedBroker(script);
    const reports = await watchToTheEnd(broker.access);
    expect(reports.map(({ kind }) => kind)).toEqual(Array(times).fill("lost"));
    expect(reports.at(-1)).toMatchObject({ reason: expect.stringMatching(reason) });
    expect(broker.connections()).toBe(times);
  });

  it("aedes, to which the client is a stranger", async () => {
    const ca = await createCa({ commonName: "CA" });
    const server = await localhostIdentity(ca);
    const broker = await startEmbeddedBroker({ caPem: ca.certPem, server });
    onTestFinished(() => broker.stop());
    const somebody = await issueCertificate(ca, { usage: "client", commonName: "somebody" });
    const uri = `mqtts://localhost:${broker.port}`;
    const reports = await watchToTheEnd({ uri, caPem: ca.certPem, ...somebody });
    expect(reports).toMatchObject([{ kind: "lost", reason: /Not authorized/ }]);
  });

  it("mosquitto, to which the operator's certificate means nothing", async () => {
    const { certPem } = await createCa({ commonName: "another CA" });
    const { accessOf } = await mosquitto(certPem);
    const reports = await watchToTheEnd(await accessOf(OPERATOR));
    expect(reports).toMatchObject([{ kind: "lost", reason: /alert.*(unknown ca|certificate)/i }]);
  });

  it("and whoever looks for a device that is online is told why", async () => {
    const { access } = await scriptedBroker(refusing(5));
    const look = await findLiveStatus(
      access,
      SCRIPTED_DEVICE,
      longer(20_000),
      AbortSignal.timeout(longer(8_000)),
    );
    expect(look).toMatchObject({ reason: expect.stringContaining("Not authorized") });
  });
});

describe("trouble that may pass is tried again", () => {
  it.each<[string, (peer: Peer) => unknown]>([
    ["a hang-up before CONNACK", (peer) => peer.hangUp()],
    ["a reset before CONNACK", (peer) => peer.hangUp("rst")],
    ["CONNACK 3, server unavailable", refusing(3)],
    ["a hang-up on the first SUBSCRIBE", (peer) => subscribing(peer).then(() => peer.hangUp())],
    ["a hang-up once subscribed", (peer) => peer.welcome().then(() => peer.hangUp())],
  ])("%s", async (_what, trouble) => {
    const { access } = await scriptedBroker(async (peer) => {
      if (peer.number < 2) return trouble(peer);
      await peer.welcome();
      peer.publish(connected(1, 4), { retain: true });
    });
    const kinds = (await watchForEvidence(access)).map(({ kind }) => kind);
    expect([kinds[0], kinds.at(-1)]).toEqual(["lost", "evidence"]);
  });

  it("a broker that is down at first", async () => {
    const port = await findFreePort();
    const ca = await createCa({ commonName: "CA" });
    const operator = await issueCertificate(ca, { usage: "client", commonName: OPERATOR });
    const access = { uri: `mqtts://localhost:${port}`, caPem: ca.certPem, ...operator };
    const reports: WitnessReport[] = [];
    const abort = new AbortController();
    const watching = brokerWitness(access, SCRIPTED_DEVICE, ATTEMPT).watch((each) => {
      reports.push(each);
      if (reports.length === 2) abort.abort();
    }, abort.signal);
    await watching;
    expect(reports).toMatchObject(Array(2).fill({ kind: "lost", reason: /ECONNREFUSED/ }));
  });

  it("as often as need be, without leaving a listener behind", async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    const { access, connections } = await scriptedBroker((peer) =>
      peer.welcome().then(() => peer.hangUp()),
    );
    const abort = new AbortController();
    const listeners: number[] = [];
    await watchStatus(
      {
        access,
        deviceId: SCRIPTED_DEVICE,
        retryMs: 1,
        onMessage: () => {},
        onTrouble: () => {
          listeners.push(getEventListeners(abort.signal, "abort").length);
          if (connections() === 30) abort.abort();
        },
      },
      abort.signal,
    );
    expect(listeners.length).toBeGreaterThanOrEqual(30);
    expect(Math.max(...listeners)).toBe(0);
    await new Promise(setImmediate);
    expect(warnings).toEqual([]);
  });
});

it("a message of this attempt is evidence whatever its flags, and the last will takes it back", async () => {
  const { access } = await scriptedBroker(async (peer) => {
    await peer.welcome();
    peer.publish({ ...connected(9, 90), attempt_id: "an-earlier-one" }, { retain: true });
    peer.publish("no JSON", { retain: true });
    peer.publish(connected(1, 4), { retain: true, dup: true });
    peer.publish({ status: "offline" });
  });
  const reports: WitnessReport[] = [];
  const over = new AbortController();
  await brokerWitness(access, SCRIPTED_DEVICE, ATTEMPT).watch((each) => {
    reports.push(each);
    if (each.kind === "withdrawn") over.abort();
  }, over.signal);
  expect(reports.map(({ kind }) => kind)).toEqual(["evidence", "withdrawn"]);
});
