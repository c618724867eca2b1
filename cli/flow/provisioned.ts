import type { ScannedNetwork } from "../device/device-api.js";
import type { Outcome } from "./outcome.js";

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

export interface ProvisionedBoard {
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
