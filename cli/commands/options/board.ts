import type { CommandContext, GlobalOptions } from "../../context.js";
import { ProvError } from "../../errors.js";
import type { BoardReach } from "../../flow/board.js";
import { type OnBoardWork, onBoard } from "../../flow/on-board.js";
import { openProject, type Project } from "../../flow/project.js";
import { POLL_MS } from "../../flow/timeouts.js";
import { optional } from "../../optional.js";
import type { HostWifiKind } from "../../wifi/host-wifi.js";
import { selectWifi } from "../../wifi/select.js";
import { type BrokerOptions, brokerAccess, checkBrokerOptions } from "./broker.js";
import { labNameOf } from "./values.js";

/** The options of every command that talks to a board over its AP. */
export interface BoardOptions extends GlobalOptions {
  /** `true` when --lab has no name. */
  lab?: string | true;
  url?: string;
  ap?: string;
  iface?: string;
  wifi: HostWifiKind | "auto";
  port?: string;
  /** Seconds; raises and lowers every bound. */
  timeout?: number;
}

/** The options of the commands that ask a board something over its AP. */
export interface OnBoardOptions extends BoardOptions, BrokerOptions {
  /** Its serial port: it is restarted there, and its log tells whether it has an AP. */
  port?: string;
}

/**
 * Runs the work on the board that the options mean.
 * @throws ProvError usage, and what `onBoard` throws
 */
export async function onBoardOf<T>(
  options: OnBoardOptions,
  context: CommandContext,
  work: OnBoardWork<T>,
): Promise<T> {
  checkReachOptions(options);
  checkBrokerOptions(options);
  const project = await openProject(options, context);
  const { manifest } = project;
  const reach = await reachBoard(options, project, context);
  const { port: restartOn, timeout: timeoutS } = options;
  return onBoard({ manifest, reach, restartOn, timeoutS }, context, work);
}

/** Judges what flags alone tell. @throws ProvError usage for one that would be left aside */
export function checkReachOptions(options: Omit<BoardOptions, keyof GlobalOptions>): void {
  const { lab, url, ap, iface, wifi } = options;
  const adapter = wifi === "auto" || wifi === "manual" ? undefined : `--wifi ${wifi}`;
  const joining = [ap && "--ap", iface && "--iface", adapter];
  if (url !== undefined) refuseBeside("--url", joining);
  if (wifi === "manual") refuseBeside("--wifi manual", joining);
  if (lab !== undefined) refuseBeside("--lab", [iface && "--iface", adapter]);
}

/** @throws ProvError usage when one of `others`, the options that are given, is there */
export function refuseBeside(option: string, others: readonly (string | undefined)[]): void {
  const other = others.find(Boolean);
  if (other) throw new ProvError("usage", `${option} and ${other} exclude each other`);
}

/**
 * How the board is reached, and who watches: a lab's air and servers, or an address or this machine's WiFi and, with an
 * operator certificate, the broker.
 * @throws ProvError usage, file_inaccessible, lab_not_running, wifi_no_adapter
 */
export async function reachBoard(
  options: BoardOptions & BrokerOptions,
  project: Project,
  context: CommandContext,
): Promise<BoardReach> {
  const { manifest, root, stateDir } = project;
  const lab = await labOf(options, root);
  if (lab) context.out.note(`using the lab "${lab.info.name}": its board, backend, broker and CA`);
  const inLab = lab?.reach(manifest.id);
  const broker = lab ? undefined : brokerAccess(options, manifest.mqtt.uri, context.env);
  const port = options.port ?? lab?.info.board.tty ?? undefined;
  const wifi = selectWifi({
    kind: options.wifi,
    stateDir,
    ...optional({ baseUrl: options.url, virtual: inLab?.wifi, iface: options.iface }),
  });
  return {
    pollMs: POLL_MS.radio,
    ...inLab,
    wifi,
    ...optional({ broker, port, apSsid: options.ap }),
  };
}

/** The running lab that the options mean. Its code is loaded for it only. */
async function labOf(options: BoardOptions, root: string) {
  const name = labNameOf(options);
  if (name === undefined) return undefined;
  const { findLab } = await import("../../lab/client.js");
  const { labReach } = await import("../../lab/stages/reach.js");
  const { info, nextEvent } = await findLab(root, name);
  return { info, reach: (deviceId: string) => labReach(info, deviceId, nextEvent) };
}
