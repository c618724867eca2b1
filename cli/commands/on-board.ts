import type { CommandContext } from "../context.js";
import { ProvError } from "../errors.js";
import { bootBoard } from "../flow/boot-board.js";
import type { JoinedBoard } from "../flow/join.js";
import { type LiveDevice, onlineByItsLog } from "../flow/online-already.js";
import { openProject } from "../flow/project.js";
import { joinOrFindOnline, onlineInstead, type ReachRequest } from "../flow/reach.js";
import { secretsOfRun } from "../secrets.js";
import { deadline } from "../time/deadline.js";
import { abortsAs } from "../time/wait.js";
import { type BoardOptions, boundsOf, checkReachOptions, reachBoard } from "./options/board.js";
import {
  type BrokerOptions,
  brokerAccess,
  checkBrokerOptions,
  labBroker,
} from "./options/broker.js";

/** The options of the commands that ask a board something over its AP. */
export interface OnBoardOptions extends BoardOptions, BrokerOptions {
  /** Its serial port: it is restarted there, and its log tells whether it has an AP. */
  port?: string;
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
  options: OnBoardOptions,
  context: CommandContext,
  work: OnBoardWork<T>,
): Promise<T> {
  checkReachOptions(options);
  checkBrokerOptions(options);
  const project = await openProject(options, context);
  const { manifest } = project;
  const { port } = options;
  const { timeoutMs, joinTimeoutMs } = boundsOf(options.timeout);
  const endsAt = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(0, endsAt - performance.now());
  const inTime = AbortSignal.any([context.signal, deadline(timeoutMs)]);
  const reach = await reachBoard(options, project, context);
  const broker = reach.lab
    ? labBroker(reach.lab)
    : brokerAccess(options, manifest.mqtt.uri, context.env);
  const request = {
    manifest,
    wifi: reach.wifi,
    signal: context.signal,
    progress: context.out,
    ...(broker ? { broker } : {}),
    ...(reach.port === undefined ? {} : { port: reach.port }),
    ...(reach.apSsid === undefined ? {} : { apSsid: reach.apSsid }),
  };
  try {
    const network =
      port === undefined ? undefined : await onlineOnPort(port, request, options, context);
    const found = network
      ? await onlineByItsLog(request, network.digest, leftMs())
      : await joinOrFindOnline({
          ...request,
          timeoutMs: Math.min(joinTimeoutMs, leftMs()),
          lookMs: leftMs(),
        });
    if ("api" in found) return await abortsAs(inTime, TOO_SLOW, () => work.joined(found, inTime));
    if (!work.online) throw onlineInstead(found, manifest, reach.port);
    return work.online(manifest.id, found, request.broker?.uri ?? manifest.mqtt.uri);
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
  { manifest, broker }: Pick<ReachRequest, "manifest" | "broker">,
  { timeout }: OnBoardOptions,
  context: CommandContext,
): Promise<{ digest: string | undefined } | undefined> {
  const secrets = secretsOfRun({ env: context.env, manifest, broker });
  const booted = await bootBoard(port, manifest, context, secrets, timeout && timeout * 1000);
  if (booted?.device !== undefined && booted.device !== manifest.id)
    throw new ProvError(
      "device_mismatch",
      `the board on ${port} is "${booted.device}", not "${manifest.id}"`,
      {
        hint: "Name the port of this device, or the device of this port with --device or --config.",
      },
    );
  if (booted?.state === "WIFI_CONNECTING")
    context.out.warn(
      "it has credentials, but did not get online; its AP may be closed while it tries",
    );
  return booted?.state === "MQTT_CONNECTED" ? { digest: booted.network } : undefined;
}
