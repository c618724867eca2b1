import type { DeviceManifest } from "../../codegen/manifest.js";
import type { ScannedNetwork } from "../device/device-api.js";
import type { HostWifi } from "../wifi/host-wifi.js";
import type { BootReport } from "./boot.js";
import type { BrokerAccess } from "./broker-session.js";
import type { BuiltImage } from "./build.js";
import type { GeneratedConfig, LabConfig } from "./codegen.js";
import type { JoinedBoard } from "./join.js";
import type { Outcome, Witness } from "./outcome.js";

// A board on its way through the chain: what each stage makes of it is what the next one takes.

/** Where the firmware of a board comes from. */
export interface FirmwareSource {
  /** What the firmware is configured with: the device, as this board needs it. */
  readonly manifest: DeviceManifest;
  readonly lab?: LabConfig;
  build(config: GeneratedConfig): Promise<BuiltImage>;
}

/** What differs between a board on a cable and one in a lab. `Flashed` is what the one leaves to its own boot. */
export interface BoardSide<Flashed> extends FirmwareSource {
  /** @throws ProvError efuses_unconfirmed when the image would change the board for good, and nobody agreed */
  confirm(image: BuiltImage): void;
  flash(image: BuiltImage): Promise<Flashed>;
  /** @throws ProvError boot_timeout, port_* */
  boot(board: Flashed): Promise<BootedBoard>;
}

/** How a board that runs is reached, and who can tell besides how it fares. */
export interface BoardReach {
  readonly wifi: HostWifi;
  /** Exactly this AP, when several boards are near. */
  readonly apSsid?: string;
  /** Its serial port, where one is known. */
  readonly port?: string;
  /** The pause between two looks at its status. */
  readonly pollMs: number;
  /** How the broker can be watched, when it can. */
  readonly broker?: BrokerAccess;
  /** Further witnesses: the serial log, the lab's backend. */
  readonly witnesses?: readonly ((attemptId: string) => Witness)[];
}

export type BootedBoard = BoardReach & BootReport;

export interface ScannedBoard extends JoinedBoard {
  /** What it sees, strongest first; none when it could not look. */
  readonly networks: readonly ScannedNetwork[];
}

/** It has its credentials; where the reply was lost, the witnesses tell whether. */
export interface ProvisionedBoard extends ScannedBoard {
  readonly attemptId: string;
}

/** As far as the device and its servers say: on its network and, where that was the goal, with its certificate. */
export interface EnrolledBoard extends ProvisionedBoard {
  readonly outcome: Outcome;
}

/** Its outcome has reached the broker too. */
export type OnlineBoard = EnrolledBoard;

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

/** The end of the chain. */
export interface ChainResult {
  /** What the device was told to call this run; missing when it was told nothing. */
  readonly attemptId?: string;
  readonly networks: readonly ScannedNetwork[];
  readonly outcome: Outcome;
  /** The broker that the device reports to. */
  readonly brokerUri: string;
  /** Set when the device needed nothing: it has no AP any more because it is online on the network asked for. */
  readonly alreadyOnline?: {
    /** What was given, and neither sent nor compared. */
    readonly notUsed: readonly string[];
  };
}
