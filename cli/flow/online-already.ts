import { ssidDigest } from "../device/ssid-digest.js";
import { ProvError } from "../errors.js";
import type { ChainResult, Credentials } from "./board.js";
import {
  type BrokerRequest,
  brokerUriOf,
  lookForLiveDevice,
  statusPatienceMs,
  withLook,
  withProof,
} from "./broker-proof.js";
import type { MqttProof, Outcome } from "./outcome.js";

/** What the board was to be given, and how its owner gets at one that has no AP. */
export interface AlreadyOnlineRequest extends BrokerRequest {
  readonly credentials: Credentials;
  /** Its serial port, where one is known. */
  readonly port?: string;
}

/** A device that is online now, and which network it says that it is on. */
export interface LiveDevice {
  readonly outcome: Outcome;
  /** Missing when its firmware does not tell. */
  readonly network?: string;
}

/** A device that is online now by the broker's word. */
export function liveByBroker(proof: MqttProof): LiveDevice {
  const nothing: Outcome = { reached: "mqtt", evidence: [], unheard: [] };
  return { outcome: withProof(nothing, proof), ...networkOf(proof.payload.ssid_digest) };
}

/**
 * A device whose serial log has just told that it is online, with the broker's word where that can be had.
 * @param network what the log told of the network
 * @param timeoutMs bound on the broker's word, however seldom the device sends its status
 */
export async function onlineByItsLog(
  request: BrokerRequest,
  network: string | undefined,
  timeoutMs: number,
): Promise<LiveDevice> {
  const { broker, manifest } = request;
  const evidence = { witness: "log", milestone: "mqtt", detail: "MQTT_CONNECTED" } as const;
  const outcome: Outcome = { reached: "mqtt", evidence: [evidence], unheard: [] };
  if (!broker) return { outcome, ...networkOf(network) };
  const patienceMs = Math.min(statusPatienceMs(manifest), timeoutMs);
  const endsAt = performance.now() + timeoutMs;
  const look = await lookForLiveDevice(request, broker, patienceMs, endsAt);
  const said = "proof" in look ? look.proof.payload.ssid_digest : undefined;
  return { outcome: withLook(outcome, look), ...networkOf(said ?? network) };
}

function networkOf(digest: unknown): { network?: string } {
  return typeof digest === "string" && digest !== "" ? { network: digest } : {};
}

/**
 * The result for a device that needs nothing, because it is on the network that was asked for.
 * @throws ProvError online_elsewhere when it is on another one, online_unverified when it does not tell
 */
export function onlineAlready(
  request: AlreadyOnlineRequest,
  { outcome, network }: LiveDevice,
): ChainResult {
  const { manifest, credentials, progress, port } = request;
  const { ssid } = credentials;
  const more = {
    hint: `${howToReset(port)} Then run the same command again.`,
    details: { evidence: outcome.evidence },
  };
  if (network === undefined)
    throw new ProvError(
      "online_unverified",
      `${manifest.id} is online, and its firmware does not tell on which network: whether that is ${JSON.stringify(ssid)} is not known; nothing was sent to it`,
      more,
    );
  if (network !== ssidDigest(manifest.id, ssid))
    throw new ProvError(
      "online_elsewhere",
      `${manifest.id} is online on another network than ${JSON.stringify(ssid)}; nothing was sent to it`,
      more,
    );
  const notUsed = givenSecrets(credentials);
  const names = notUsed.length === 0 ? "" : ` (${notUsed.join(", ")})`;
  progress.warn(
    `it is online already on ${JSON.stringify(ssid)}: what was given here has not been sent to it${names}`,
  );
  return {
    brokerUri: brokerUriOf(request),
    networks: [],
    outcome,
    alreadyOnline: { notUsed },
  };
}

/** What beside the SSID was given, by name. */
function givenSecrets({ password, token, bearer }: Credentials): string[] {
  return Object.entries({ password, token, bearer }).flatMap(([name, value]) =>
    value ? [name] : [],
  );
}

/** The way back to an AP for a device that is online. */
export function howToReset(port: string | undefined): string {
  return `\`prov reset --scope all --port ${port ?? "PORT"}\`, or its BOOT button held for five seconds, makes it forget and opens its AP.`;
}
