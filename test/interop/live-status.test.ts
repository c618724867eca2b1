import { connectAsync } from "mqtt";
import { describe, expect, it } from "vitest";
import type { BrokerAccess } from "../../cli/flow/broker-session.js";
import { findLiveStatus } from "../../cli/flow/broker-witness.js";
import { OPERATOR } from "../../cli/lab/broker/topic-rules.js";
import { longer } from "../helpers/longer.js";
import { mosquitto } from "../helpers/mosquitto.js";
import { type Peer, SCRIPTED_DEVICE, scriptedBroker } from "../helpers/scripted-broker.js";

function connected(seq: number, uptimeS: number): object {
  return { status: "connected", seq, uptime_s: uptimeS, attempt_id: "any" };
}

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
