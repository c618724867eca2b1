import { connect, type MqttClient } from "mqtt";
import { ProvError } from "../errors.js";
import { pause } from "../wifi/wait.js";
import type { MqttProof, Witness } from "./outcome.js";

/** How an operator reads the broker: addresses and PEM texts. */
export interface BrokerAccess {
  readonly uri: string;
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

const CONNECT_TIMEOUT_MS = 10_000;
const RECONNECT_MS = 500;

/**
 * The broker's own word: the device's status message of exactly this attempt. A retained message of an
 * earlier run carries another `attempt_id` and proves nothing.
 */
export function brokerWitness(access: BrokerAccess, deviceId: string, attemptId: string): Witness {
  return {
    name: "broker",
    provesMqtt: true,
    async watch(report, signal) {
      const onStatus = (proof: MqttProof): void => {
        if (proof.payload.attempt_id !== attemptId) return;
        const evidence = {
          witness: "broker",
          milestone: "mqtt",
          detail: proof.topic,
          mqtt: proof,
        } as const;
        report({ kind: "evidence", evidence });
      };
      // A broker that is down now may be up before the device's time is.
      while (!signal.aborted) {
        try {
          await watchStatus(access, deviceId, onStatus, signal);
        } catch (error) {
          if (signal.aborted) return;
          report({ kind: "lost", reason: error instanceof Error ? error.message : String(error) });
          await pause(RECONNECT_MS, signal);
        }
      }
    },
  };
}

/**
 * Whether the device is online right now: a status message that was published while we looked. What the
 * broker had retained may be of a device that has lost its power since.
 * @returns the message, or undefined when none came in time or the broker cannot be watched
 */
export function findLiveStatus(
  access: BrokerAccess,
  deviceId: string,
  signal: AbortSignal,
): Promise<MqttProof | undefined> {
  return findStatus(access, deviceId, (_proof, isRetained) => !isRetained, signal);
}

/** The status message of exactly this attempt, which may be retained; undefined as for `findLiveStatus`. */
export function findStatusOf(
  attemptId: string,
  access: BrokerAccess,
  deviceId: string,
  signal: AbortSignal,
): Promise<MqttProof | undefined> {
  const isOurs = ({ payload }: MqttProof): boolean => payload.attempt_id === attemptId;
  return findStatus(access, deviceId, isOurs, signal);
}

async function findStatus(
  access: BrokerAccess,
  deviceId: string,
  isWanted: (proof: MqttProof, isRetained: boolean) => boolean,
  signal: AbortSignal,
): Promise<MqttProof | undefined> {
  const found = new AbortController();
  const until = AbortSignal.any([signal, found.signal]);
  let proof: MqttProof | undefined;
  const onStatus = (seen: MqttProof, isRetained: boolean): void => {
    if (proof || !isWanted(seen, isRetained)) return;
    proof = seen;
    found.abort();
  };
  // The network may have come back a moment ago, and with it the way to the broker.
  while (!until.aborted) {
    await watchStatus(access, deviceId, onStatus, until).catch(() => pause(RECONNECT_MS, until));
  }
  return proof;
}

/** Calls `onStatus` for each "connected" of the device, until `signal` aborts. @throws ProvError observer_failed */
async function watchStatus(
  access: BrokerAccess,
  deviceId: string,
  onStatus: (proof: MqttProof, isRetained: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  const topic = `devices/${deviceId}/status`;
  try {
    const client = connectObserver(access);
    client.on("message", (received, bytes, packet) => {
      const payload = received === topic ? parseStatus(bytes) : undefined;
      if (payload?.status === "connected") onStatus({ topic, payload }, packet.retain);
    });
    await subscribed(client, topic, signal).finally(() => client.end(true));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProvError("observer_failed", `cannot watch the broker ${access.uri}: ${reason}`, {
      cause: error,
    });
  }
}

function connectObserver(access: BrokerAccess): MqttClient {
  return connect(access.uri, {
    ca: access.caPem,
    cert: access.certPem,
    key: access.keyPem,
    clientId: `prov-observer-${Math.random().toString(16).slice(2, 10)}`,
    protocolVersion: 4,
    clean: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
  });
}

/** Subscribes once connected; resolves when `signal` aborts, rejects when the broker refuses or goes away. */
function subscribed(client: MqttClient, topic: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
    client.on("error", reject);
    client.once("close", () => reject(new Error("the connection was closed")));
    client.once("connect", () =>
      client.subscribe(topic, { qos: 1 }, (error) => {
        if (error) reject(error);
      }),
    );
  });
}

function parseStatus(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined;
  } catch {
    return undefined;
  }
}
