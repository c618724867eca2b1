import type { DeviceManifest } from "../../codegen/manifest.js";
import type { WorkContext } from "../context.js";
import { ProvError } from "../errors.js";
import { secretsOfRun } from "../secrets.js";
import { deadline } from "../time/deadline.js";
import { abortsAs } from "../time/wait.js";
import type { BoardReach } from "./board.js";
import { bootBoard } from "./boot-board.js";
import { type BrokerRequest, brokerUriOf } from "./broker-proof.js";
import type { JoinedBoard } from "./join.js";
import { type LiveDevice, onlineByItsLog } from "./online-already.js";
import { joinOrFindOnline, onlineInstead } from "./reach.js";
import { boundsOf } from "./timeouts.js";

export interface OnBoardRequest {
  readonly manifest: DeviceManifest;
  readonly reach: BoardReach;
  /** A serial port on which it is restarted first: its log tells whether it has an AP. */
  readonly restartOn?: string | undefined;
  /** Bound on all of it, in seconds. */
  readonly timeoutS?: number | undefined;
}

export interface OnBoardWork<T> {
  /** Done on the board's AP; `inTime` aborts when the time is up. */
  joined(board: JoinedBoard, inTime: AbortSignal): Promise<T>;
  /** Done for a device that is online and has no AP; without it that is an error. */
  online?(deviceId: string, device: LiveDevice, brokerUri: string): T;
}

const TOO_SLOW = {
  code: "ap_unreachable",
  message: "the board answered too slowly: time was up",
} as const;

/**
 * Joins the board's AP, runs the work there, and puts the host's WiFi back on every way out. The broker, with an
 * operator certificate, and the log, with a port, tell meanwhile whether the device is online and has no AP.
 * @throws ProvError of the join stage, device_online, boot_timeout, port_*
 */
export async function onBoard<T>(
  { manifest, reach, restartOn, timeoutS }: OnBoardRequest,
  context: WorkContext,
  work: OnBoardWork<T>,
): Promise<T> {
  const { timeoutMs, joinTimeoutMs } = boundsOf(timeoutS);
  const endsAt = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(0, endsAt - performance.now());
  const inTime = deadline(timeoutMs, context.signal);
  const request = { ...reach, manifest, signal: context.signal, progress: context.out };
  try {
    const network =
      restartOn === undefined
        ? undefined
        : await onlineOnPort(restartOn, request, context, timeoutS);
    const found = network
      ? await onlineByItsLog(request, network.digest, leftMs())
      : await joinOrFindOnline({
          ...request,
          timeoutMs: Math.min(joinTimeoutMs, leftMs()),
          lookMs: leftMs(),
        });
    if ("api" in found) return await abortsAs(inTime, TOO_SLOW, () => work.joined(found, inTime));
    if (!work.online) throw onlineInstead(found, manifest, reach.port);
    return work.online(manifest.id, found, brokerUriOf(request));
  } finally {
    const report = await reach.wifi.leave();
    if (!report.restored) context.out.warn(report.message);
  }
}

/**
 * What its log tells of the network that a board is online on; undefined for one that is not online.
 * @throws ProvError device_mismatch when another device is on the port
 */
async function onlineOnPort(
  port: string,
  { manifest, broker }: BrokerRequest,
  context: WorkContext,
  timeoutS: number | undefined,
): Promise<{ digest: string | undefined } | undefined> {
  const secrets = secretsOfRun({ env: context.env, manifest, broker });
  const { phase, device, network } = await bootBoard(port, manifest, context, secrets, timeoutS);
  if (device !== undefined && device !== manifest.id)
    throw new ProvError(
      "device_mismatch",
      `the board on ${port} is "${device}", not "${manifest.id}"`,
      {
        hint: "Name the port of this device, or the device of this port with --device or --config.",
      },
    );
  if (phase === "working")
    context.out.warn(
      "it has credentials, but did not get online; its AP may be closed while it tries",
    );
  return phase === "online" ? { digest: network } : undefined;
}
