import type { DeviceManifest } from "../../codegen/manifest.js";
import { asTask, type Progress } from "../terminal/progress.js";
import { deadline } from "../time/deadline.js";
import type { Attempt } from "./attempt.js";
import type { BrokerAccess } from "./broker-session.js";
import { findLiveStatus, findStatusOf, type Look } from "./broker-witness.js";
import type { MqttProof, Outcome } from "./outcome.js";
import { LAST_LOOK_MS, STATUS_GRACE_MS } from "./timeouts.js";

export interface BrokerRequest {
  readonly manifest: DeviceManifest;
  /** How the broker can be watched, when it can. */
  readonly broker?: BrokerAccess;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** The broker that the device reports to: a lab's, or the manifest's. */
export function brokerUriOf({
  broker,
  manifest,
}: Pick<BrokerRequest, "broker" | "manifest">): string {
  return broker?.uri ?? manifest.mqtt.uri;
}

/** How long a device that is online may take to say so. */
export function statusPatienceMs({ mqtt }: DeviceManifest): number {
  return mqtt.statusIntervalSeconds * 1000 + STATUS_GRACE_MS;
}

/**
 * With one radio and no cable the broker is out of reach for as long as the host is on the board's AP. What only
 * the device has said so far, the broker may confirm now.
 */
export async function confirmAtBroker(
  { id, endsAt, broker, manifest, progress, signal }: Attempt,
  outcome: Outcome,
): Promise<Outcome> {
  if (!broker || outcome.mqtt || outcome.reached !== "mqtt") return outcome;
  const patienceMs = Math.max(
    LAST_LOOK_MS,
    Math.min(statusPatienceMs(manifest), endsAt - performance.now()),
  );
  const look = await asTask(progress, "look for its message at the broker", () =>
    findStatusOf(id, broker, manifest.id, patienceMs, signal),
  );
  signal.throwIfAborted();
  return withLook(outcome, look);
}

/** What the broker adds to an outcome: its proof, or why it has none. */
export function withLook(outcome: Outcome, look: Look): Outcome {
  const others = outcome.unheard.filter(({ witness }) => witness !== "broker");
  if ("proof" in look) return withProof({ ...outcome, unheard: others }, look.proof);
  return { ...outcome, unheard: [...others, { witness: "broker", reason: look.reason }] };
}

/**
 * Whether the broker's word is that the device is online now.
 * @param patienceMs bound on one message of a device that is online
 * @param endsAt `performance.now()` at the end of the look, however fresh what came last
 */
export async function lookForLiveDevice(
  request: BrokerRequest,
  broker: BrokerAccess,
  patienceMs: number,
  endsAt: number,
): Promise<Look> {
  const { manifest, progress, signal } = request;
  const until = deadline(Math.max(patienceMs, endsAt - performance.now()), signal);
  const look = await asTask(progress, "look whether it is online already", () =>
    findLiveStatus(broker, manifest.id, patienceMs, until),
  );
  signal.throwIfAborted();
  return look;
}

export function withProof(outcome: Outcome, mqtt: MqttProof): Outcome {
  const evidence = { witness: "broker", milestone: "mqtt", detail: mqtt.topic, mqtt } as const;
  return { ...outcome, evidence: [...outcome.evidence, evidence], mqtt };
}
