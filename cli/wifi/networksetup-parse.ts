import { z } from "zod";
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
  spairport_airport_other_local_wireless_networks: z.array(networkSchema).optional(),
});

const profileSchema = z.object({
  SPAirPortDataType: z.array(
    z.object({ spairport_airport_interfaces: z.array(interfaceSchema).optional() }),
  ),
});

/** What system_profiler knows of one WiFi adapter. */
export interface MacWifiState {
  isOff: boolean;
  isConnected: boolean;
  /** Null when there is none or macOS hides it. */
  ssid: string | null;
  accessPoints: AccessPoint[];
  /** True when every network in reach is nameless: macOS hides them from this program. */
  isRedacted: boolean;
}

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

/** `system_profiler SPAirPortDataType -json` for one adapter; null when it lists no such adapter. */
export function parseAirport(json: string, iface: string): MacWifiState | null {
  const parsed = profileSchema.safeParse(parseJson(json));
  if (!parsed.success) return null;
  const interfaces = parsed.data.SPAirPortDataType.flatMap(
    (item) => item.spairport_airport_interfaces ?? [],
  );
  const adapter = interfaces.find(({ _name }) => _name === iface);
  if (adapter === undefined) return null;
  const current = adapter.spairport_current_network_information;
  const name = current?._name;
  const others = adapter.spairport_airport_other_local_wireless_networks ?? [];
  const named = others.filter(({ _name }) => _name !== REDACTED).map(toAccessPoint);
  if (current !== undefined && name !== undefined && name !== REDACTED) {
    named.push(toAccessPoint({ ...current, _name: name }));
  }
  return {
    isOff: adapter.spairport_status_information === "spairport_status_off",
    isConnected: name !== undefined,
    ssid: name === undefined || name === REDACTED ? null : name,
    accessPoints: named.sort((a, b) => (b.rssiDbm ?? -127) - (a.rssiDbm ?? -127)),
    isRedacted: others.length > 0 && named.length === 0,
  };
}

/** Why `networksetup -setairportnetwork` failed; null when it did not (it exits 0 either way). */
export function parseJoinFailure(stdout: string): "not_found" | "refused" | "other" | null {
  const text = stdout.trim();
  if (text === "") return null;
  if (/^Could not find network/m.test(text)) return "not_found";
  // -3924, -3925, -3926 and -3906: the password did not fit or the association was refused.
  if (/^Error:\s*-39(24|25|26|06)\b/m.test(text) || /password|invalid key/i.test(text))
    return "refused";
  return "other";
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
