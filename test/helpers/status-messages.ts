import { readFileSync } from "node:fs";
import { connectAsync } from "mqtt";
import type { RunningLab } from "./lab.js";
import { longer } from "./longer.js";

const WAIT_MS = 60_000;

export interface StatusMessage {
  readonly status: string;
  readonly cert_not_after: number;
  readonly uptime_s: number;
  readonly heap_free: number;
  readonly heap_min: number;
  readonly stack_min: Readonly<Record<string, number>>;
  readonly attempt_id: string | null;
  readonly mqtt_reconnects: number;
  readonly wifi_reconnects: number;
  readonly reset_reason: string;
  readonly last_error: string | null;
}

/** The device's status messages, the retained one first, as a spectator reads them. */
export async function* statusMessages(
  { client }: RunningLab,
  deviceId: string,
): AsyncGenerator<StatusMessage> {
  const { broker, spectator } = client.info;
  const reader = await connectAsync(broker.uri, {
    ca: readFileSync(spectator.caPath),
    cert: readFileSync(spectator.certPath),
    key: readFileSync(spectator.keyPath),
    clientId: "status-reader",
  });
  const arrived: StatusMessage[] = [];
  let wake = (): void => {};
  reader.on("message", (_topic, bytes) => {
    arrived.push(JSON.parse(String(bytes)));
    wake();
  });
  const deadline = AbortSignal.timeout(longer(WAIT_MS));
  deadline.addEventListener("abort", () => wake());
  try {
    await reader.subscribeAsync(`devices/${deviceId}/status`, { qos: 1 });
    for (;;) {
      deadline.throwIfAborted();
      const next = arrived.shift();
      if (next) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    await reader.endAsync();
  }
}

/** The first of them that a device which is online sent, and that is wanted. */
export async function nextStatus(
  lab: RunningLab,
  deviceId: string,
  isWanted: (message: StatusMessage) => boolean = () => true,
): Promise<StatusMessage> {
  for await (const message of statusMessages(lab, deviceId))
    if (message.status === "connected" && isWanted(message)) return message;
  throw new Error("unreachable: the messages end with an error");
}
