import type { DeviceManifest } from "../../codegen/manifest.js";
import { deadline } from "../deadline.js";
import { createDeviceApi, type DeviceApi, type DeviceStatus } from "../device/device-api.js";
import { ProvError } from "../errors.js";
import { asTask, type Progress } from "../progress.js";
import type { AccessPoint, HostWifi } from "../wifi/host-wifi.js";
import { abortError, apNotFound, poll } from "../wifi/wait.js";

/** The board's AP, joined, and the board on it known to be the right one. */
export interface JoinedBoard {
  readonly api: DeviceApi;
  readonly apSsid: string;
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
}

const POLL_MS = 250;

/**
 * Finds the board's AP, joins it and asks who is there, before any secret is sent.
 * @throws ProvError ap_not_found, ap_ambiguous, ap_wrong_password, ap_unreachable, device_mismatch
 */
export async function joinBoard(request: JoinRequest): Promise<JoinedBoard> {
  const { wifi, manifest, progress } = request;
  const signal = AbortSignal.any([request.signal, deadline(request.timeoutMs)]);
  return asTask(progress, `join ${manifest.softAp.ssidPrefix}-…`, async (task) => {
    const ap = await chooseAp(request, signal);
    task.update({ text: ap.ssid });
    const joined = await wifi.join(ap, manifest.softAp.password, { signal });
    const api = createDeviceApi(joined.baseUrl, manifest.softAp.pairingSecret);
    const status = await firstStatus(api, signal);
    requireDevice(status, manifest.id);
    return { api, apSsid: joined.ssid, status };
  });
}

/** @throws ProvError device_mismatch when another board answered */
export function requireDevice(status: DeviceStatus, deviceId: string): void {
  if (status.deviceId === deviceId) return;
  throw new ProvError(
    "device_mismatch",
    `the board that answered is "${status.deviceId}", not "${deviceId}"; nothing was sent to it`,
  );
}

async function chooseAp(
  request: JoinRequest,
  signal: AbortSignal,
): Promise<AccessPoint | { ssid: string }> {
  const { wifi, manifest, apSsid } = request;
  const prefix = `${manifest.softAp.ssidPrefix}-`;
  if (apSsid !== undefined) return { ssid: apSsid };
  // A wired or hand-joined board has no AP to look for.
  if (wifi.kind === "manual") return { ssid: manifest.softAp.ssidPrefix };
  const look = async (): Promise<AccessPoint | undefined> => {
    const seen = (await wifi.scan(signal)).filter((ap) => ap.ssid.startsWith(prefix));
    const names = [...new Set(seen.map((ap) => ap.ssid))];
    if (names.length > 1)
      throw new ProvError("ap_ambiguous", `several boards are near: ${names.join(", ")}`);
    return seen[0];
  };
  return poll(look, { intervalMs: POLL_MS, signal, onTimeout: apNotFound(`${prefix}…`) });
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
  return poll(ask, { intervalMs: POLL_MS, signal, onTimeout });
}
