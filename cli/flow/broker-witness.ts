import { type BrokerAccess, type StatusMessage, watchStatus } from "./broker-session.js";
import { createFreshness } from "./freshness.js";
import type { MqttProof, Witness } from "./outcome.js";

/** The message that was looked for, or why there is none. */
export type Look = { readonly proof: MqttProof } | { readonly reason: string };

const NOTHING_CAME = "no status message came in time";
const OFFLINE = "the last that it heard of it is that it went offline";

/**
 * The broker's own word: the device's status message of exactly this attempt, whose id nobody had before. A
 * message of an earlier run carries another one and proves nothing.
 */
export function brokerWitness(access: BrokerAccess, deviceId: string, attemptId: string): Witness {
  return {
    name: "broker",
    speaksFor: "broker",
    watch(report, signal) {
      const onMessage = ({ topic, payload }: StatusMessage): void => {
        if (payload.status === "offline")
          report({ kind: "withdrawn", reason: "the broker says that it is offline" });
        if (!isOf(attemptId, payload)) return;
        const mqtt = { topic, payload };
        report({
          kind: "evidence",
          evidence: { witness: "broker", milestone: "mqtt", detail: topic, mqtt },
        });
      };
      const onTrouble = (reason: string): void => report({ kind: "lost", reason });
      return watchStatus({ access, deviceId, onMessage, onTrouble }, signal);
    },
  };
}

/**
 * Whether the device is online right now: a status message that it sent while we looked. What the broker
 * had before may be of a device that has lost its power since.
 * @param patienceMs how long a device that is online may take from one message to the next: whoever has
 *   shown one that may be old is given that time for another
 * @param signal the end of the look, whatever may still come
 */
export function findLiveStatus(
  access: BrokerAccess,
  deviceId: string,
  patienceMs: number,
  signal: AbortSignal,
): Promise<Look> {
  const judge = createFreshness(patienceMs);
  return findStatus(access, deviceId, patienceMs, signal, ({ text, payload }) => {
    const { status, seq, uptime_s: uptimeS } = payload;
    return judge({ text, status, seq, uptimeS }, performance.now());
  });
}

/** The status message of exactly this attempt, of which the first is enough. */
export function findStatusOf(
  attemptId: string,
  access: BrokerAccess,
  deviceId: string,
  patienceMs: number,
  signal: AbortSignal,
): Promise<Look> {
  return findStatus(access, deviceId, patienceMs, signal, ({ payload }) =>
    isOf(attemptId, payload) ? "news" : "none",
  );
}

function isOf(attemptId: string, payload: StatusMessage["payload"]): boolean {
  return payload.status === "connected" && payload.attempt_id === attemptId;
}

async function findStatus(
  access: BrokerAccess,
  deviceId: string,
  patienceMs: number,
  signal: AbortSignal,
  judge: (message: StatusMessage) => ReturnType<ReturnType<typeof createFreshness>>,
): Promise<Look> {
  const over = new AbortController();
  let proof: MqttProof | undefined;
  let reason = NOTHING_CAME;
  let timer = setTimeout(() => over.abort(), patienceMs);
  const onMessage = (message: StatusMessage): void => {
    const freshness = judge(message);
    if (message.payload.status === "offline") reason = OFFLINE;
    if (proof || freshness === "none") return;
    clearTimeout(timer);
    if (freshness === "old") {
      reason = "the status message that it has may be old, and no other one came in time";
      timer = setTimeout(() => over.abort(), patienceMs);
      return;
    }
    proof = { topic: message.topic, payload: message.payload };
    over.abort();
  };
  const onTrouble = (trouble: string): void => {
    reason = trouble;
  };
  try {
    // The network may have come back a moment ago, and with it the way to the broker.
    const until = AbortSignal.any([signal, over.signal]);
    await watchStatus({ access, deviceId, onMessage, onTrouble }, until);
  } finally {
    clearTimeout(timer);
  }
  return proof ? { proof } : { reason };
}
