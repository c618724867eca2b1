import { getEventListeners } from "node:events";
import { connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { type BrokerAccess, watchStatus } from "../../cli/flow/broker-session.js";
import { brokerWitness, findLiveStatus } from "../../cli/flow/broker-witness.js";
import type { WitnessReport } from "../../cli/flow/outcome.js";
import { startEmbeddedBroker } from "../../cli/lab/broker/broker.js";
import { startMosquitto } from "../../cli/lab/broker/mosquitto.js";
import { OPERATOR } from "../../cli/lab/broker/topic-rules.js";
import { createCa, issueCertificate } from "../../cli/lab/pki/ca.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
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

async function mosquitto(caPem?: string) {
  const ca = await createCa({ commonName: "CA" });
  const server = await issueCertificate(ca, {
    usage: "server",
    commonName: "localhost",
    dns: ["localhost"],
  });
  const broker = await startMosquitto(temporaryDir(), { caPem: caPem ?? ca.certPem, server });
  onTestFinished(() => broker.stop());
  const accessOf = async (commonName: string): Promise<BrokerAccess> => ({
    uri: `mqtts://localhost:${broker.port}`,
    caPem: ca.certPem,
    ...(await issueCertificate(ca, { usage: "client", commonName })),
  });
  return { broker, accessOf };
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
    const names = { commonName: "localhost", dns: ["localhost"] };
    const server = await issueCertificate(ca, { usage: "server", ...names });
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

const PATIENCE_MS = 20_000;
/** Long enough for mosquitto to hand over what it has kept. */
const DEAD_MS = 1_000;

describe("whether a device is online now", () => {
  const look = (access: BrokerAccess, signal = AbortSignal.timeout(longer(PATIENCE_MS))) =>
    findLiveStatus(access, SCRIPTED_DEVICE, longer(PATIENCE_MS), signal);

  /** Says it, and waits until it was taken in. */
  const tell = async (peer: Peer, ...said: Parameters<Peer["publish"]>): Promise<void> => {
    peer.publish(...said);
    await peer.next("puback");
  };

  /** What a dead device left behind; it never says anything any more. Returns whether that was all. */
  it.each<[string, (peer: Peer) => unknown]>([
    ["no message at all", () => {}],
    ["a retained message", (peer) => tell(peer, connected(50, 1500), { retain: true })],
    ["a retained message without its flag", (peer) => tell(peer, connected(50, 1500))],
    [
      "duplicates of its last message",
      async (peer) => {
        await tell(peer, connected(50, 1500));
        for (let copy = 0; copy < 5; copy += 1)
          await tell(peer, connected(50, 1500), { dup: true });
      },
    ],
    [
      "its last message again at each reconnect",
      async (peer) => {
        await tell(peer, connected(50, 1500));
        peer.hangUp();
        return peer.number === 3;
      },
    ],
    [
      "its last message, and its will",
      async (peer) => {
        await tell(peer, connected(50, 1500), { retain: true });
        await tell(peer, { status: "offline" });
      },
    ],
    ["its will", (peer) => tell(peer, { status: "offline" }, { retain: true })],
    [
      "an older message after its last one",
      async (peer) => {
        await tell(peer, connected(50, 1500), { retain: true });
        await tell(peer, connected(49, 1470));
      },
    ],
  ])("no: %s", async (_what, leftBehind) => {
    const over = new AbortController();
    const { access } = await scriptedBroker(async (peer) => {
      await peer.welcome();
      if ((await leftBehind(peer)) !== false) over.abort();
    });
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(longer(PATIENCE_MS))]);
    expect(await look(access, signal)).toEqual({ reason: expect.any(String) });
    expect(over.signal.aborted).toBe(true);
  });

  it.each<[string, (peer: Peer) => unknown]>([
    [
      "a retained message, and the next one",
      (peer) => {
        peer.publish(connected(50, 1500), { retain: true });
        peer.publish(connected(51, 1530));
      },
    ],
    [
      "all of them with the flag of a retained one",
      (peer) => {
        peer.publish(connected(50, 1500), { retain: true });
        peer.publish(connected(51, 1530), { retain: true });
      },
    ],
    [
      "all of them without it",
      (peer) => {
        peer.publish(connected(50, 1500));
        peer.publish(connected(51, 1530));
      },
    ],
    [
      "one, and the next one on another connection",
      (peer) => {
        peer.publish(connected(50 + peer.number, 1500 + peer.number), { retain: true });
        peer.hangUp();
      },
    ],
    [
      "its will, and then itself",
      (peer) => {
        peer.publish({ status: "offline" }, { retain: true });
        peer.publish(connected(51, 1530));
      },
    ],
    [
      "a message of before it booted, and the first one since",
      (peer) => {
        peer.publish(connected(500, 15_000), { retain: true });
        peer.publish(connected(1, 4));
      },
    ],
  ])("yes: %s", async (_what, messages) => {
    const { access } = await scriptedBroker(async (peer) => {
      await peer.welcome();
      await messages(peer);
    });
    expect(await look(access)).toMatchObject({
      proof: { payload: { status: "connected" } },
    });
  });

  it("as mosquitto tells of a client that publishes, dies, and leaves its last message", async () => {
    const { accessOf } = await mosquitto();
    const operator = await accessOf(OPERATOR);
    const device = await accessOf(SCRIPTED_DEVICE);
    const client = await connectAsync(device.uri, {
      ca: device.caPem,
      cert: device.certPem,
      key: device.keyPem,
      clientId: SCRIPTED_DEVICE,
    });
    const say = (seq: number) =>
      client.publishAsync(
        `devices/${SCRIPTED_DEVICE}/status`,
        JSON.stringify(connected(seq, seq * 30)),
        { qos: 1, retain: true },
      );
    await say(1);
    expect(await look(operator, AbortSignal.timeout(longer(DEAD_MS)))).toHaveProperty("reason");
    let seq = 1;
    const speaking = setInterval(() => {
      seq += 1;
      void say(seq);
    }, 100);
    expect(await look(operator)).toHaveProperty("proof.payload.status", "connected");
    clearInterval(speaking);
    await client.endAsync();
    expect(await look(operator, AbortSignal.timeout(longer(DEAD_MS)))).toHaveProperty("reason");
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
