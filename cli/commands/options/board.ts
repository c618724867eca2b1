import type { CommandContext, GlobalOptions } from "../../context.js";
import { ProvError } from "../../errors.js";
import type { Project } from "../../flow/project.js";
import { virtualWifi } from "../../lab/air/virtual-wifi.js";
import { findLab, type LabClient } from "../../lab/client.js";
import { optional } from "../../optional.js";
import type { HostWifi, HostWifiKind } from "../../wifi/host-wifi.js";
import { selectWifi } from "../../wifi/select.js";

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

export interface BoardReach {
  wifi: HostWifi;
  lab?: LabClient;
  /** The board's serial port, where one is known. */
  port?: string;
  apSsid?: string;
  pollMs: number;
}

/** A host follows the board's AP to another channel within seconds. */
export const AP_GONE_MS = 20_000;
const RADIO_POLL_MS = 500;
/** Loopback has no air time to save. */
const LAB_POLL_MS = 50;

/** Where no --timeout says otherwise: a device without an AP is not waited for as long as one that works. */
const DEFAULT_TIMEOUT_S = 120;
const DEFAULT_JOIN_S = 45;

export interface Bounds {
  /** On finding and joining the board's AP. */
  joinTimeoutMs: number;
  /** On all of it. */
  timeoutMs: number;
}

/** What --timeout, in seconds, means. */
export function boundsOf(timeout: number | undefined): Bounds {
  return {
    joinTimeoutMs: (timeout ?? DEFAULT_JOIN_S) * 1000,
    timeoutMs: (timeout ?? DEFAULT_TIMEOUT_S) * 1000,
  };
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

/** The lab that `--lab` means; undefined without it. */
export function labNameOf({ lab }: Pick<BoardOptions, "lab">): string | undefined {
  return lab === true ? "default" : lab;
}

/** How the board is reached, and where its serial port is: through a lab's air, an address, or this machine's WiFi. */
export async function reachBoard(
  options: BoardOptions,
  project: Project,
  context: CommandContext,
): Promise<BoardReach> {
  const name = labNameOf(options);
  const lab = name === undefined ? undefined : await findLab(project.root, name);
  if (lab) context.out.note(`using the lab "${name}": its board, backend, broker and CA`);
  const port = options.port ?? lab?.info.board.tty ?? undefined;
  const wifi = selectWifi({
    kind: options.wifi,
    stateDir: project.stateDir,
    ...optional({
      baseUrl: options.url,
      virtual: lab && virtualWifi(lab.info.airDir),
      iface: options.iface,
    }),
  });
  return {
    wifi,
    pollMs: lab ? LAB_POLL_MS : RADIO_POLL_MS,
    ...optional({ lab, port, apSsid: options.ap }),
  };
}
