import type { DeviceManifest } from "../../codegen/manifest.js";
import { deadline } from "../deadline.js";
import { asTask, type Progress } from "../progress.js";
import { type BrokerAccess, findLiveStatus, findStatusOf } from "./broker-witness.js";
import type { Evidence, MqttProof, Outcome } from "./outcome.js";

export interface BrokerRequest {
  readonly manifest: DeviceManifest;
  /** How the broker can be watched, when it can. */
  readonly broker?: BrokerAccess;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** One run: what it is known by, and when it has to be over. */
export interface AttemptBound {
  readonly id: string;
  /** `performance.now()` at its end. */
  readonly endsAt: number;
}

/** However late it is, witnesses are asked once. */
export const LAST_LOOK_MS = 1_000;
/** A status message may be late by so much. */
const STATUS_GRACE_MS = 5_000;

/** How long a device that is online may take to say so. */
export function statusPatienceMs({ mqtt }: DeviceManifest): number {
  return mqtt.statusIntervalSeconds * 1000 + STATUS_GRACE_MS;
}

/**
 * With one radio and no cable the broker is out of reach for as long as the host is on the board's AP. What only
 * the device has said so far, the broker may confirm now.
 */
export async function confirmAtBroker(
  request: BrokerRequest,
  { id, endsAt }: AttemptBound,
  outcome: Outcome,
): Promise<Outcome> {
  const { broker, manifest, progress } = request;
  if (!broker || outcome.mqtt || outcome.reached !== "mqtt") return outcome;
  const patienceMs = Math.max(
    LAST_LOOK_MS,
    Math.min(statusPatienceMs(manifest), endsAt - performance.now()),
  );
  const signal = AbortSignal.any([request.signal, deadline(patienceMs)]);
  const mqtt = await asTask(progress, "look for its message at the broker", () =>
    findStatusOf(id, broker, manifest.id, signal),
  );
  request.signal.throwIfAborted();
  if (!mqtt) return outcome;
  return withProof(outcome, mqtt);
}

/** The outcome of a device that is online now by the broker's word; undefined when the broker hears nothing. */
export async function lookForLiveDevice(
  request: BrokerRequest,
  broker: BrokerAccess,
  patienceMs: number,
): Promise<Outcome | undefined> {
  const { manifest, progress } = request;
  const signal = AbortSignal.any([request.signal, deadline(patienceMs)]);
  const mqtt = await asTask(progress, "look whether it is online already", () =>
    findLiveStatus(broker, manifest.id, signal),
  );
  request.signal.throwIfAborted();
  return mqtt && withProof({ reached: "mqtt", evidence: [], unheard: [] }, mqtt);
}

/** The outcome of a device whose serial log tells that it is online, with the broker's word where it can be had. */
export async function onlineByItsLog(request: BrokerRequest): Promise<Outcome> {
  const { broker, manifest } = request;
  const evidence: Evidence = { witness: "log", milestone: "mqtt", detail: "MQTT_CONNECTED" };
  const outcome: Outcome = { reached: "mqtt", evidence: [evidence], unheard: [] };
  if (!broker) return outcome;
  const live = await lookForLiveDevice(request, broker, statusPatienceMs(manifest));
  if (live?.mqtt) return withProof(outcome, live.mqtt);
  return { ...outcome, unheard: [{ witness: "broker", reason: "no status message came in time" }] };
}

function withProof(outcome: Outcome, mqtt: MqttProof): Outcome {
  const evidence = { witness: "broker", milestone: "mqtt", detail: mqtt.topic, mqtt } as const;
  return {
    ...outcome,
    evidence: [...outcome.evidence, evidence],
    unheard: outcome.unheard.filter(({ witness }) => witness !== "broker"),
    mqtt,
  };
}
