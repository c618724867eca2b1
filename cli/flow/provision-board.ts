import { randomUUID } from "node:crypto";
import { isFailureCode } from "../../codegen/failures.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import type { Milestone } from "../../codegen/states.js";
import type { DeviceApi, ScannedNetwork } from "../device/device-api.js";
import { ProvError } from "../errors.js";
import { asTask, type Progress } from "../terminal/progress.js";
import { deadline } from "../time/deadline.js";
import { abortError, abortsAs } from "../time/wait.js";
import type { HostWifi } from "../wifi/host-wifi.js";
import {
  type AttemptBound,
  type BrokerRequest,
  confirmAtBroker,
  LAST_LOOK_MS,
} from "./broker-proof.js";
import type { BrokerAccess } from "./broker-session.js";
import { brokerWitness } from "./broker-witness.js";
import { onlineAlready } from "./online-already.js";
import { type Outcome, openHearing, type Witness } from "./outcome.js";
import type { Credentials, ProvisionedBoard } from "./provisioned.js";
import { joinOrFindOnline } from "./reach.js";
import type { StageClock } from "./stages.js";
import { statusWitness } from "./status-witness.js";

export interface ProvisionBoardRequest {
  readonly manifest: DeviceManifest;
  readonly credentials: Credentials;
  readonly wifi: HostWifi;
  readonly apSsid?: string;
  /** Its serial port, where one is known. */
  readonly port?: string;
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
  /** When the board's AP has been silent for so long, the host goes back to its own network. */
  readonly apGoneMs: number;
  readonly clock: StageClock;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Time was up before the credentials were sent. */
const TOO_LATE = {
  code: "ap_unreachable",
  message: "the board answered too slowly: time was up, and no credentials were sent",
} as const;
const NO_REPLY = { code: "ap_unreachable", message: "no reply in time" } as const;
/** Below this the board's own connection is unlikely to last. */
const WEAK_SIGNAL_DBM = -80;

/**
 * Joins the board's AP, checks who answers, hands over the credentials and waits for evidence of the
 * outcome. The host's WiFi is put back on every way out.
 * @throws ProvError of the join, provision, enrol and mqtt stages
 */
export async function provisionBoard(request: ProvisionBoardRequest): Promise<ProvisionedBoard> {
  const attempt: Attempt = {
    id: randomUUID(),
    endsAt: performance.now() + request.timeoutMs,
    inTime: deadline(request.timeoutMs, request.signal),
  };
  const board = await overItsAp(request, attempt).finally(() => leave(request));
  const outcome = await confirmAtBroker(request, attempt, board.outcome);
  for (const { witness, reason } of outcome.unheard)
    request.progress.warn(`the ${witness} was no witness: ${reason}`);
  return { ...board, outcome };
}

/** One run: what it is known by, and when it has to be over. */
interface Attempt extends AttemptBound {
  /** Aborts at its end. */
  readonly inTime: AbortSignal;
}

async function overItsAp(
  request: ProvisionBoardRequest,
  attempt: Attempt,
): Promise<ProvisionedBoard> {
  const { clock, progress, manifest, broker } = request;
  const board = await clock.run("join", async () => {
    const found = await joinOrFindOnline({
      ...request,
      timeoutMs: Math.min(request.joinTimeoutMs, request.timeoutMs),
      lookMs: request.timeoutMs,
    });
    return "api" in found ? found : onlineAlready(request, found);
  });
  if (!("api" in board)) return board;
  const networks = await clock.run("scan", async () => {
    const seen = await scanFor(board.api, request, attempt);
    refuseOtherSecurity(seen, request.credentials);
    return seen;
  });
  await clock.run("provision", () =>
    asTask(progress, "provision", () => post(board.api, request, attempt)),
  );
  const witnesses = [
    whenSilent(
      statusWitness(board.api, attempt.id, board.status, request.pollMs),
      request.apGoneMs,
      () => {
        void leave(request);
      },
    ),
    ...(broker ? [brokerWitness(broker, manifest.id, attempt.id)] : []),
    ...(request.witnesses ?? []).map((make) => make(attempt.id)),
  ];
  const outcome = await waitForGoal(request, witnesses, attempt);
  const brokerUri = brokerUriOf(request);
  return { attemptId: attempt.id, brokerUri, networks, outcome };
}

function brokerUriOf({ broker, manifest }: BrokerRequest): string {
  return broker?.uri ?? manifest.mqtt.uri;
}

/** Puts the host's WiFi back; it does so once, however often it is asked. */
async function leave({ wifi, progress }: ProvisionBoardRequest): Promise<void> {
  const report = await wifi.leave();
  if (report.changed && report.restored)
    progress.detail(`host WiFi restored: ${report.network ?? "not connected, as before"}`);
  if (!report.restored) progress.warn(report.message);
}

/** First what the device and its servers say of the enrolment, then the broker's proof. */
async function waitForGoal(
  request: ProvisionBoardRequest,
  witnesses: readonly Witness[],
  { endsAt }: Attempt,
): Promise<Outcome> {
  const { clock, progress, signal } = request;
  const goal = request.goal ?? "mqtt";
  const hearing = openHearing(witnesses, signal);
  const wait = (name: string, label: string, upTo: Milestone) =>
    clock.run(name, () =>
      asTask(progress, label, async (task) => {
        const timeoutMs = Math.max(LAST_LOOK_MS, Math.round(endsAt - performance.now()));
        try {
          return await hearing.until(upTo, timeoutMs, task);
        } catch (error) {
          throw namingTheBroker(error, brokerUriOf(request));
        }
      }),
    );
  try {
    const enrolled = await wait(
      "status",
      goal === "wifi" ? "wait for the WiFi" : "wait for WiFi and certificate",
      goal === "wifi" ? "wifi" : "certificate",
    );
    return goal === "mqtt" ? await wait("mqtt", "wait for MQTT", "mqtt") : enrolled;
  } finally {
    await hearing.close();
  }
}

/** What went wrong at the broker, of which neither the device nor the court says which one it is. */
function namingTheBroker(error: unknown, uri: string): unknown {
  if (!(error instanceof ProvError) || error.stage !== "mqtt") return error;
  if (!isFailureCode(error.code) && error.code !== "status_timeout") return error;
  const { code, message, hint, cause, details } = error;
  return new ProvError(code, `${uri}: ${message}`, { hint, cause, details });
}

/** Calls `act` once when the witness could ask nobody for `silentMs`. */
function whenSilent(witness: Witness, silentMs: number, act: () => void): Witness {
  let hasActed = false;
  return {
    ...witness,
    async watch(report, signal) {
      let silentSince: number | undefined;
      await witness.watch((each) => {
        silentSince = each.kind === "lost" ? (silentSince ?? performance.now()) : undefined;
        report(each);
        if (hasActed || silentSince === undefined || performance.now() - silentSince < silentMs)
          return;
        hasActed = true;
        act();
      }, signal);
    },
  };
}

/** What the board sees; warns when the network to join is missing or weak. A board that cannot scan now can still join. */
async function scanFor(
  api: DeviceApi,
  request: ProvisionBoardRequest,
  { inTime }: Attempt,
): Promise<readonly ScannedNetwork[]> {
  const { progress, credentials } = request;
  try {
    const networks = await asTask(progress, "scan", () =>
      abortsAs(inTime, TOO_LATE, () => api.scan(inTime)),
    );
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

/** What cannot work, as the board sees it, is not sent: the board would try for a minute and close its AP meanwhile. */
function refuseOtherSecurity(
  networks: readonly ScannedNetwork[],
  { ssid, password }: Credentials,
): void {
  const target = networks.find((network) => network.ssid === ssid);
  if (target === undefined || target.secure === (password !== "")) return;
  throw target.secure
    ? new ProvError("usage", `"${ssid}" has a password, as the board sees it; nothing was sent`, {
        hint: "Leave --open out and give the password.",
      })
    : new ProvError("usage", `"${ssid}" has no password, as the board sees it; nothing was sent`, {
        hint: "Is that the network you mean? If it is, use --open; wifi.allowOpen in the manifest has to be true.",
      });
}

async function post(
  api: DeviceApi,
  request: ProvisionBoardRequest,
  { id, inTime }: Attempt,
): Promise<void> {
  const { credentials, manifest, signal, progress } = request;
  if (inTime.aborted) throw abortError(inTime, TOO_LATE);
  try {
    const body = {
      ...credentials,
      deviceId: manifest.id,
      attemptId: id,
      timeSeconds: Math.floor(Date.now() / 1000),
    };
    await abortsAs(inTime, NO_REPLY, () => api.provision(body, inTime));
  } catch (error) {
    // The reply may be lost after the board has acted; whether it did, the witnesses will tell.
    if (!(error instanceof ProvError) || error.code !== "ap_unreachable") throw error;
    signal.throwIfAborted();
    progress.warn(`no reply to POST /provision (${error.message}); looking for the outcome`);
  }
}
