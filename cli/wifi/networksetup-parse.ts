import { z } from "zod";
import { parseJson } from "../files/json.js";
import type { AccessPoint } from "./host-wifi.js";

/**
 * Parsers of what macOS prints: networksetup(8), and system_profiler(8) with SPAirPortDataType and
 * -json. Since macOS 15 the names of networks may be hidden ("<redacted>") from programs without the
 * right to know the location.
 */
const REDACTED = "<redacted>";

const networkSchema = z.object({
  _name: z.string(),
  spairport_network_bssid: z.string().optional(),
  spairport_network_channel: z.union([z.string(), z.number()]).optional(),
  spairport_security_mode: z.string().optional(),
  /** "-52 dBm / -95 dBm" */
  spairport_signal_noise: z.string().optional(),
});

const interfaceSchema = z.object({
  _name: z.string(),
  spairport_status_information: z.string().optional(),
  // An adapter without a connection has an empty object here, or nothing.
  spairport_current_network_information: networkSchema.partial().optional(),
  /** What is in reach while the adapter is connected. */
  spairport_airport_other_local_wireless_networks: z.array(networkSchema).optional(),
  /** What is in reach while it is not. */
  spairport_airport_local_wireless_networks: z.array(networkSchema).optional(),
});

const profileSchema = z.object({
  SPAirPortDataType: z.array(
    z.object({ spairport_airport_interfaces: z.array(interfaceSchema).optional() }),
  ),
});

/** `networksetup -listallhardwareports`: the device of the (first) Wi-Fi port, such as `en0`. */
export function parseWifiDevice(stdout: string): string | null {
  const port = stdout
    .split(/\n\s*\n/)
    .find((block) => /^Hardware Port: (Wi-Fi|AirPort)$/m.test(block));
  return port?.match(/^Device: (\S+)$/m)?.[1] ?? null;
}

/** `networksetup -listpreferredwirelessnetworks en0`: one name a line, indented, under a heading. */
export function parsePreferred(stdout: string): string[] {
  return stdout
    .split("\n")
    .slice(1)
    .filter((line) => /^\s+\S/.test(line))
    .map((line) => line.replace(/^(\t| {4}| {2})/, ""));
}

/** What system_profiler knows of one WiFi adapter. */
export type MacWifiState = NonNullable<ReturnType<typeof parseAirport>>;

/** `system_profiler SPAirPortDataType -json` for one adapter; null when it lists no such adapter. */
export function parseAirport(json: string, iface: string) {
  const parsed = profileSchema.safeParse(parseJson(json));
  if (!parsed.success) return null;
  const interfaces = parsed.data.SPAirPortDataType.flatMap(
    (item) => item.spairport_airport_interfaces ?? [],
  );
  const adapter = interfaces.find(({ _name }) => _name === iface);
  if (adapter === undefined) return null;
  const current = adapter.spairport_current_network_information;
  const name = current?._name;
  const networks = [
    ...(adapter.spairport_airport_other_local_wireless_networks ?? []),
    ...(adapter.spairport_airport_local_wireless_networks ?? []),
    ...(name === undefined ? [] : [{ ...current, _name: name }]),
  ];
  const named = networks.filter(({ _name }) => _name !== REDACTED).map(toAccessPoint);
  return {
    isOff: adapter.spairport_status_information === "spairport_status_off",
    isConnected: name !== undefined,
    /** Null when there is none or macOS hides it. */
    ssid: name === undefined || name === REDACTED ? null : name,
    accessPoints: named.sort((a, b) => (b.rssiDbm ?? -127) - (a.rssiDbm ?? -127)),
    /** True when macOS hides the names of networks from this program. */
    isRedacted: named.length < networks.length,
  };
}

export type JoinFailure =
  | "not_found"
  | "refused"
  | "not_permitted"
  | "no_adapter"
  /** Tells neither what went wrong nor whether anything did. */
  | "unclear"
  | "other";

/** CWErr (CoreWLANTypes.h) as far as it tells what to do. */
const JOIN_FAILURES: Record<string, JoinFailure> = {
  // kCWInvalidParameterErr: networksetup says it, with "tmpErr", before an association has settled.
  "-3900": "unclear",
  "-3905": "unclear", // kCWTimeoutErr
  "-3906": "unclear", // kCWUnspecifiedFailureErr
  "-3912": "refused", // kCWChallengeFailureErr
  "-3924": "refused", // kCWInvalidPMKErr
  "-3925": "refused", // kCWSupplicantTimeoutErr: the WPA handshake
  "-3930": "not_permitted", // kCWOperationNotPermittedErr
};

/** Why `networksetup -setairportnetwork` failed; null when it did not (it may exit 0 either way). */
export function parseJoinFailure(output: string): JoinFailure | null {
  const lines = output.trim().split("\n");
  if (lines.join("") === "") return null;
  const says = (pattern: RegExp) => lines.some((line) => pattern.test(line));
  if (says(/^Could not find network/)) return "not_found";
  if (says(/ is not a Wi-Fi interface/)) return "no_adapter";
  if (says(/requires admin privileges/)) return "not_permitted";
  const code = lines.map((line) => /^Error:\s*(-\d+)/.exec(line)?.[1]).find(Boolean);
  if (code !== undefined) return JOIN_FAILURES[code] ?? "other";
  const reasons = lines.filter((line) => !line.startsWith("Failed to join network"));
  if (reasons.length === 0) return "unclear";
  return reasons.some((line) => /password|invalid key/i.test(line)) ? "refused" : "other";
}

/** Whether `networksetup -removepreferredwirelessnetwork` leaves the network out of the list. */
export function isForgotten(output: string): boolean {
  return /^(Removed .* from|Network .* was not found in) the preferred networks list/m.test(output);
}

function toAccessPoint(network: z.infer<typeof networkSchema>): AccessPoint {
  const channel = String(network.spairport_network_channel ?? "").match(/^\d+/)?.[0];
  const rssi = network.spairport_signal_noise?.match(/^-?\d+/)?.[0];
  return {
    ssid: network._name,
    bssid: network.spairport_network_bssid?.toLowerCase() ?? null,
    channel: channel === undefined ? null : Number(channel),
    rssiDbm: rssi === undefined ? null : Number(rssi),
    secure: !/none|open/i.test(network.spairport_security_mode ?? ""),
  };
}
