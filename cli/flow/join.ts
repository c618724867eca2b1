import type { DeviceManifest } from "../../codegen/manifest.js";
import { createDeviceApi, type DeviceApi, type DeviceStatus } from "../device/device-api.js";
import { type ErrorCode, ProvError } from "../errors.js";
import { visible } from "../terminal/foreign-text.js";
import type { Progress } from "../terminal/progress.js";
import { deadline } from "../time/deadline.js";
import { abortError, poll } from "../time/wait.js";
import { apNotFound } from "../wifi/access-point.js";
import type { ApTarget, HostWifi } from "../wifi/host-wifi.js";
import { POLL_MS } from "./timeouts.js";

/** The board's AP, joined, and the board on it known to be the right one. */
export interface JoinedBoard {
  readonly api: DeviceApi;
  /** Missing where the host was on it already, or reaches the board some other way. */
  readonly apSsid?: string;
  readonly status: DeviceStatus;
}

export interface JoinRequest {
  readonly wifi: HostWifi;
  readonly manifest: DeviceManifest;
  /** Exactly this AP, when several boards are near. */
  readonly apSsid?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Told when an AP that may be the board's has been seen. */
  readonly onSeen?: () => void;
}

/**
 * Finds the board's AP, joins it and asks who is there, before any secret is sent. When several boards are
 * near they are asked in turn, the strongest first, until the manifest's device answers.
 * @throws ProvError ap_not_found, ap_ambiguous, ap_wrong_password, ap_unreachable, device_mismatch
 */
export async function joinBoard(request: JoinRequest): Promise<JoinedBoard> {
  const { wifi, manifest, progress, apSsid } = request;
  const signal = deadline(request.timeoutMs, request.signal);
  const prefix = `${manifest.softAp.ssidPrefix}-`;
  const isManual = wifi.kind === "manual";
  const task = progress.task(isManual ? "reach the board" : "join the board's AP");
  let current = `${prefix}…`;
  const join = (ssid: string): Promise<JoinedBoard> => {
    current = ssid;
    task.update({ text: ssid });
    return joinOne({ ssid }, request, signal);
  };
  try {
    task.update({ text: isManual ? "" : current });
    // A wired or hand-joined board has no AP to look for.
    const board =
      apSsid !== undefined || isManual
        ? await join(apSsid ?? current)
        : await joinInTurn(prefix, request, signal, join);
    task.done(board.apSsid ?? board.api.baseUrl);
    return board;
  } catch (error) {
    if (isNotNeeded(request.signal)) task.done("it has none, it is online");
    else task.failed(isManual ? "" : current);
    throw error;
  }
}

/** Whether whoever wanted the AP has found out that the device is online. */
function isNotNeeded({ reason }: AbortSignal): boolean {
  return reason instanceof ProvError && reason.code === "device_online";
}

interface Refusal {
  readonly ssid: string;
  readonly error: ProvError;
}

async function joinInTurn(
  prefix: string,
  request: JoinRequest,
  signal: AbortSignal,
  join: (ssid: string) => Promise<JoinedBoard>,
): Promise<JoinedBoard> {
  const refusals: Refusal[] = [];
  const onTimeout = apNotFound(`${prefix}…`);
  const look = async (): Promise<string[] | undefined> => {
    const names = await boardsInReach(request.wifi, prefix, signal);
    return names.length > 0 || refusals.length > 0 ? names : undefined;
  };
  for (;;) {
    const names = await poll(look, { intervalMs: POLL_MS.join, signal, onTimeout });
    // A board that the last scan missed may be there now; those that have answered stay what they are.
    const fresh = names.filter((name) => !refusals.some(({ ssid }) => ssid === name));
    if (fresh.length === 0) throw noneIsOurs(refusals, request.manifest.id);
    request.onSeen?.();
    for (const ssid of fresh) {
      try {
        return await join(ssid);
      } catch (error) {
        if (!isOfOneBoard(error)) throw error;
        refusals.push({ ssid, error });
        if (signal.aborted) throw noneIsOurs(refusals, request.manifest.id);
      }
    }
  }
}

/** The names of the boards' APs, the strongest first, as scans list them. */
async function boardsInReach(
  wifi: HostWifi,
  prefix: string,
  signal: AbortSignal,
): Promise<string[]> {
  const seen = (await wifi.scan(signal)).filter((ap) => ap.ssid.startsWith(prefix));
  return [...new Set(seen.map((ap) => ap.ssid))];
}

/** The only board's own failure says more than that none was left. */
function noneIsOurs(refusals: readonly Refusal[], deviceId: string): ProvError {
  const [only, ...others] = refusals;
  if (only && others.length === 0) return only.error;
  const list = refusals.map(({ ssid, error }) => `${visible(ssid)}: ${error.message}`);
  return new ProvError(
    "ap_ambiguous",
    [`several boards are near, and none answered as "${deviceId}"`, ...list].join("\n"),
  );
}

/** What may go wrong with one board while the next one is the right one. */
function isOfOneBoard(error: unknown): error is ProvError {
  return error instanceof ProvError && ONE_BOARDS_FAILURES.has(error.code);
}

const ONE_BOARDS_FAILURES: ReadonlySet<ErrorCode> = new Set([
  "device_mismatch",
  "bad_answer",
  "ap_wrong_password",
  "ap_not_found",
  "ap_unreachable",
  "ap_no_dhcp",
  "ap_lost",
]);

async function joinOne(
  ap: ApTarget,
  { wifi, manifest }: JoinRequest,
  signal: AbortSignal,
): Promise<JoinedBoard> {
  const joined = await wifi.join(ap, manifest.softAp.password, { signal });
  const api = createDeviceApi(joined.baseUrl, manifest.softAp.pairingSecret);
  const status = await firstStatus(api, signal);
  requireDevice(status, manifest.id);
  return { api, status, ...(joined.ssid === null ? {} : { apSsid: joined.ssid }) };
}

/** @throws ProvError device_mismatch when another board answered */
function requireDevice(status: DeviceStatus, deviceId: string): void {
  if (status.deviceId === deviceId) return;
  throw new ProvError(
    "device_mismatch",
    `the board that answered is "${status.deviceId}", not "${deviceId}"; nothing was sent to it`,
  );
}

/** The first answer: right after joining, DHCP or the board's HTTP server may need another moment. */
async function firstStatus(api: DeviceApi, signal: AbortSignal): Promise<DeviceStatus> {
  const onTimeout = {
    code: "ap_unreachable",
    message: `${api.baseUrl} did not answer in time`,
  } as const;
  const ask = async (): Promise<DeviceStatus | undefined> => {
    try {
      return await api.status(signal);
    } catch (error) {
      if (signal.aborted) throw abortError(signal, onTimeout);
      if (error instanceof ProvError && error.code === "ap_unreachable") return undefined;
      throw error;
    }
  };
  return poll(ask, { intervalMs: POLL_MS.join, signal, onTimeout });
}
