/** How `prov` reaches the board's SoftAP from this machine. Types only; one file per adapter. */

export type HostWifiKind = "nmcli" | "networksetup" | "netsh" | "manual" | "virtual";

/** One access point as a scan saw it. */
export interface AccessPoint {
  ssid: string;
  /** MAC of the access point, lower case with colons; null where the system hides it. */
  bssid: string | null;
  channel: number | null;
  /** Signal strength in dBm (an estimate where the system only gives a percentage). */
  rssiDbm: number | null;
  secure: boolean;
}

/** What `join` needs to know: an entry of a scan, or just the name. */
export type ApTarget = AccessPoint | { ssid: string };

/** The board's network, joined; `baseUrl` is where its HTTP API answers, without a trailing slash. */
export interface JoinedAp {
  /** null where the adapter cannot know which network the host is on. */
  ssid: string | null;
  baseUrl: string;
}

/** What `leave` did: `changed` tells whether the host's WiFi had been touched at all. */
export interface RestoreReport {
  changed: boolean;
  /** False when the previous network could not be brought back; `message` says why and what to do. */
  restored: boolean;
  /** Name of the network that is active again; null when there was none. */
  network: string | null;
  message: string;
}

/**
 * The host's WiFi. Errors are ProvErrors of exit code 6 (the AP) or 10 (this machine's WiFi).
 *
 * The signal bounds every call: aborting with a `TimeoutError` (AbortSignal.timeout) means "took too
 * long" and becomes `ap_not_found` or `ap_unreachable`, any other reason becomes `interrupted`.
 */
export interface HostWifi {
  readonly kind: HostWifiKind;
  /** Access points in reach now, strongest first, one entry per SSID and BSSID. */
  scan(signal: AbortSignal): Promise<AccessPoint[]>;
  /** Waits for the AP to appear, joins it and returns where the board answers. `null`: an open AP. */
  join(ap: ApTarget, password: string | null, options: { signal: AbortSignal }): Promise<JoinedAp>;
  /**
   * Puts the host's WiFi back as it was before the first `join`. Idempotent; never throws: a failed
   * restore is a report with `restored: false`. Call it on every way out, Ctrl-C included.
   */
  leave(): Promise<RestoreReport>;
}
