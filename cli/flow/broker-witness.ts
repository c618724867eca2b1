import { connectAsync } from "mqtt";
import { ProvError } from "../errors.js";
import type { Witness } from "./outcome.js";

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
  const topic = `devices/${deviceId}/status`;
  return {
    name: "broker",
    provesMqtt: true,
    async watch(report, signal) {
      const client = await connectAsync(
        access.uri,
        {
          ca: access.caPem,
          cert: access.certPem,
          key: access.keyPem,
          clientId: `prov-observer-${attemptId.slice(0, 8)}`,
          protocolVersion: 4,
          clean: true,
          connectTimeout: CONNECT_TIMEOUT_MS,
          reconnectPeriod: RECONNECT_MS,
        },
        false,
      ).catch((error: unknown) => {
        throw new ProvError(
          "observer_failed",
          `cannot watch the broker ${access.uri}: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      });
      try {
        client.on("error", () => {});
        client.on("message", (received, bytes) => {
          const payload = received === topic ? parseStatus(bytes) : undefined;
          if (payload?.attempt_id !== attemptId || payload.status !== "connected") return;
          report({
            kind: "evidence",
            evidence: {
              witness: "broker",
              milestone: "mqtt",
              detail: topic,
              mqtt: { topic, payload },
            },
          });
        });
        await client.subscribeAsync(topic, { qos: 1 });
        await aborted(signal);
      } finally {
        await client.endAsync(true);
      }
    },
  };
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
