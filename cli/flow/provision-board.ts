import { randomUUID } from "node:crypto";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { deadline } from "../deadline.js";
import type { DeviceApi, ScannedNetwork } from "../device/device-api.js";
import { ProvError } from "../errors.js";
import { asTask, type Progress } from "../progress.js";
import type { HostWifi } from "../wifi/host-wifi.js";
import { type BrokerAccess, brokerWitness, findLiveStatus } from "./broker-witness.js";
import { type JoinedBoard, joinBoard } from "./join.js";
import {
  awaitOutcome,
  type Evidence,
  type Milestone,
  type Outcome,
  type Witness,
} from "./outcome.js";
import type { StageClock } from "./stages.js";
import { statusWitness } from "./status-witness.js";

/** What the board is given. */
export interface Credentials {
  readonly ssid: string;
  /** "" for an open network. */
  readonly password: string;
  /** One-time provisioning token; may be missing when the device holds a certificate. */
  readonly token?: string;
  /** Bearer token for calls to the backend on the user's behalf. */
  readonly bearer?: string;
}

export interface ProvisionBoardRequest {
  readonly manifest: DeviceManifest;
  readonly credentials: Credentials;
  readonly wifi: HostWifi;
  readonly apSsid?: string;
  /** How the broker can be watched, when it can. */
  readonly broker?: BrokerAccess;
  /** Further witnesses: the serial log, the lab's backend. */
  readonly witnesses?: readonly ((attemptId: string) => Witness)[];
  /** Default: the furthest that can be observed. */
  readonly goal?: Milestone;
  /** Bound on finding and joining the AP. */
  readonly joinTimeoutMs: number;
  /** Bound on all of it, from looking for the AP to the proof. */
  readonly timeoutMs: number;
  readonly pollMs: number;
  readonly clock: StageClock;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface ProvisionedBoard {
  readonly attemptId: string;
  readonly networks: readonly ScannedNetwork[];
  readonly outcome: Outcome;
  /** The broker that the device reports to. */
  readonly brokerUri: string;
  /** The device needed nothing: it has no AP any more because it is online. */
  readonly wasOnline: boolean;
}

/** How an adapter says that the AP is not there; the manual one only knows that nobody answers. */
const NO_AP: ReadonlySet<string> = new Set(["ap_not_found", "ap_unreachable"]);
/** A status message may be late by so much. */
const STATUS_GRACE_MS = 5_000;
/** Below this the board's own connection is unlikely to last. */
const WEAK_SIGNAL_DBM = -80;

/**
 * Joins the board's AP, checks who answers, hands over the credentials and waits for evidence of the
 * outcome. The host's WiFi is put back on every way out.
 * @throws ProvError of the join, provision, enrol and mqtt stages
 */
export async function provisionBoard(request: ProvisionBoardRequest): Promise<ProvisionedBoard> {
  const { clock, progress, manifest } = request;
  const attemptId = randomUUID();
  const endsAt = performance.now() + request.timeoutMs;
  const brokerUri = request.broker?.uri ?? manifest.mqtt.uri;
  const broker = request.broker ? brokerWitness(request.broker, manifest.id, attemptId) : undefined;
  try {
    const board = await clock.run("join", () => joinOrRecognise(request));
    if ("alreadyOnline" in board) {
      const { alreadyOnline } = board;
      return { attemptId, networks: [], outcome: alreadyOnline, brokerUri, wasOnline: true };
    }
    const networks = await clock.run("scan", () => scanFor(board.api, request));
    await clock.run("provision", () =>
      asTask(progress, "provision", () => post(board.api, request, attemptId)),
    );
    const witnesses = [
      statusWitness(board.api, attemptId, request.pollMs),
      ...(broker ? [broker] : []),
      ...(request.witnesses ?? []).map((make) => make(attemptId)),
    ];
    const outcome = await waitForGoal(request, witnesses, endsAt);
    return { attemptId, networks, outcome, brokerUri, wasOnline: false };
  } finally {
    const report = await request.wifi.leave();
    if (report.changed && report.restored)
      progress.detail(`host WiFi restored: ${report.network ?? "not connected, as before"}`);
    if (!report.restored) progress.warn(report.message);
  }
}

/** A device without an AP has no power, or is online already; the broker knows which. */
async function joinOrRecognise(
  request: ProvisionBoardRequest,
): Promise<JoinedBoard | { alreadyOnline: Outcome }> {
  const { manifest, broker, progress } = request;
  const statusMs = manifest.mqtt.statusIntervalSeconds * 1000 + STATUS_GRACE_MS;
  const patienceMs = broker ? Math.min(statusMs, request.timeoutMs / 2) : 0;
  try {
    const timeoutMs = Math.min(request.joinTimeoutMs, request.timeoutMs - patienceMs);
    return await joinBoard({ ...request, timeoutMs });
  } catch (error) {
    if (!(error instanceof ProvError) || !NO_AP.has(error.code) || !broker) throw error;
    const signal = AbortSignal.any([request.signal, deadline(patienceMs)]);
    const mqtt = await asTask(progress, "no AP: look whether it is online already", () =>
      findLiveStatus(broker, manifest.id, signal),
    );
    request.signal.throwIfAborted();
    if (!mqtt) throw error;
    const evidence = { witness: "broker", milestone: "mqtt", detail: mqtt.topic, mqtt } as const;
    return { alreadyOnline: { reached: "mqtt", evidence: [evidence], mqtt } };
  }
}

/** First what the device and its servers say of the enrolment, then the broker's proof. */
async function waitForGoal(
  request: ProvisionBoardRequest,
  witnesses: readonly Witness[],
  endsAt: number,
): Promise<Outcome> {
  const { clock, progress, signal } = request;
  const goal = request.goal ?? "mqtt";
  const wait = (name: string, label: string, upTo: Milestone, earlier: readonly Evidence[]) =>
    clock.run(name, () =>
      asTask(progress, label, (task) => {
        const timeoutMs = Math.max(0, Math.round(endsAt - performance.now()));
        return awaitOutcome({ witnesses, goal: upTo, earlier, timeoutMs, signal, task });
      }),
    );
  const enrolled = await wait(
    "status",
    goal === "wifi" ? "wait for the WiFi" : "wait for WiFi and certificate",
    goal === "wifi" ? "wifi" : "certificate",
    [],
  );
  return goal === "mqtt" ? wait("mqtt", "wait for MQTT", "mqtt", enrolled.evidence) : enrolled;
}

/** What the board sees; warns when the network to join is missing or weak. A board that cannot scan now can still join. */
async function scanFor(
  api: DeviceApi,
  request: ProvisionBoardRequest,
): Promise<readonly ScannedNetwork[]> {
  const { progress, signal, credentials } = request;
  try {
    const networks = await asTask(progress, "scan", () => api.scan(signal));
    const target = networks.find((network) => network.ssid === credentials.ssid);
    if (!target)
      progress.warn(
        `the board does not see "${credentials.ssid}" (hidden, out of range or 5 GHz only?)`,
      );
    else if (target.rssi < WEAK_SIGNAL_DBM)
      progress.warn(`"${credentials.ssid}" is weak at the board: ${target.rssi} dBm`);
    return networks;
  } catch (error) {
    if (!(error instanceof ProvError) || error.code !== "scan_failed") throw error;
    progress.warn(error.message);
    return [];
  }
}

async function post(
  api: DeviceApi,
  request: ProvisionBoardRequest,
  attemptId: string,
): Promise<void> {
  const { credentials, manifest, signal, progress } = request;
  try {
    await api.provision(
      {
        ...credentials,
        deviceId: manifest.id,
        attemptId,
        timeSeconds: Math.floor(Date.now() / 1000),
      },
      signal,
    );
  } catch (error) {
    // The reply may be lost after the board has acted; whether it did, the witnesses will tell.
    if (!(error instanceof ProvError) || error.code !== "ap_unreachable") throw error;
    signal.throwIfAborted();
    progress.warn(`no reply to POST /provision (${error.message}); looking for the outcome`);
  }
}
