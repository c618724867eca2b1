import { ProvError } from "../errors.js";
import { optional } from "../optional.js";
import type { HostWifi, HostWifiKind } from "./host-wifi.js";
import { manualWifi } from "./manual.js";
import { netshWifi } from "./netsh.js";
import { networksetupWifi } from "./networksetup.js";
import { nmcliWifi } from "./nmcli.js";

export interface WifiChoice {
  /** `--wifi KIND`; absent or "auto": by the other fields and the platform. */
  kind?: HostWifiKind | "auto";
  /** `--url`: where the board already answers; implies `manual`. */
  baseUrl?: string;
  /** The adapter for the air of a lab that runs; implies `virtual`. */
  virtual?: HostWifi;
  /** `--iface`: the WiFi adapter to use (nmcli, networksetup, netsh). */
  iface?: string;
  /** Where the restore journal lies. */
  stateDir: string;
  platform?: NodeJS.Platform;
}

/** The adapter for these flags and this platform. Throws `wifi_no_adapter` where there is none. */
export function selectWifi(choice: WifiChoice): HostWifi {
  const { stateDir, iface } = choice;
  const host = { stateDir, ...optional({ iface }) };
  switch (chooseKind(choice)) {
    case "manual":
      return manualWifi(optional({ baseUrl: choice.baseUrl }));
    case "virtual":
      if (choice.virtual === undefined) {
        throw new ProvError("lab_not_running", "the virtual WiFi adapter needs a running lab");
      }
      return choice.virtual;
    case "nmcli":
      return nmcliWifi(host);
    case "networksetup":
      return networksetupWifi(host);
    case "netsh":
      return netshWifi(host);
  }
}

/** Which adapter the flags and the platform ask for. */
export function chooseKind(choice: WifiChoice): HostWifiKind {
  if (choice.kind !== undefined && choice.kind !== "auto") return choice.kind;
  if (choice.baseUrl !== undefined) return "manual";
  if (choice.virtual !== undefined) return "virtual";
  const platform = choice.platform ?? process.platform;
  if (platform === "linux") return "nmcli";
  if (platform === "darwin") return "networksetup";
  if (platform === "win32") return "netsh";
  throw new ProvError("wifi_no_adapter", `prov cannot drive the WiFi of ${platform}`);
}
