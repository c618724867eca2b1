/** Parsers for what the radio's tools print: `iw` and wpa_supplicant's events. */

export interface Sighting {
  ssid: string;
  bssid: string;
  rssi: number;
  channel: number;
  auth: "open" | "wep" | "wpa" | "wpa2" | "wpa3" | "wpa2wpa3";
}

export type SupplicantEvent =
  | { kind: "connected"; bssid: string }
  /** `reason` as ESP-IDF numbers it: IEEE 802.11's, or 201 and up. */
  | { kind: "ended"; reason: number };

export const REASON_NO_AP_FOUND = 201;
const REASON_AUTH_FAIL = 202;
const REASON_ASSOC_FAIL = 203;

/** `iw dev IFACE scan dump`; hidden networks and those not seen for `maxAgeMs` are left out. */
export function parseScan(text: string, maxAgeMs: number): Sighting[] {
  return text
    .split(/^BSS /m)
    .slice(1)
    .flatMap((block) => {
      const bssid = /^([0-9a-f:]{17})/.exec(block)?.[1];
      const ssid = /^\tSSID: (.*)$/m.exec(block)?.[1];
      const ageMs = Number(/last seen: (\d+) ms ago/.exec(block)?.[1] ?? 0);
      if (bssid === undefined || !ssid || ageMs > maxAgeMs) return [];
      return [{ ssid: unescapeSsid(ssid), bssid, ...signalOf(block), auth: authOf(block) }];
    });
}

/** `iw dev IFACE link`. */
export function parseLink(text: string): { rssi: number; channel: number } {
  return signalOf(text);
}

/** One line of wpa_supplicant's output; null when it says nothing about the connection. */
export function parseSupplicantLine(line: string): SupplicantEvent | null {
  const connected = /CTRL-EVENT-CONNECTED - Connection to ([0-9a-f:]{17})/.exec(line)?.[1];
  if (connected !== undefined) return { kind: "connected", bssid: connected };
  const reason = /CTRL-EVENT-DISCONNECTED .*reason=(\d+)/.exec(line)?.[1];
  if (reason !== undefined) return { kind: "ended", reason: Number(reason) };
  if (line.includes("CTRL-EVENT-AUTH-REJECT")) return { kind: "ended", reason: REASON_AUTH_FAIL };
  if (line.includes("CTRL-EVENT-ASSOC-REJECT")) return { kind: "ended", reason: REASON_ASSOC_FAIL };
  return null;
}

function signalOf(block: string): { rssi: number; channel: number } {
  const signal = /signal: (-?\d+)/.exec(block)?.[1] ?? "-60";
  const frequency = Number(/freq: (\d+)/.exec(block)?.[1] ?? "2412");
  const channel = frequency === 2484 ? 14 : Math.round((frequency - 2407) / 5);
  return { rssi: Number(signal), channel };
}

function authOf(block: string): Sighting["auth"] {
  const hasSae = /Authentication suites:.*\bSAE\b/.test(block);
  const hasPsk = /^\tRSN:/m.test(block) && /Authentication suites:.*\bPSK\b/.test(block);
  if (hasSae) return hasPsk ? "wpa2wpa3" : "wpa3";
  if (/^\tRSN:/m.test(block)) return "wpa2";
  if (/^\tWPA:/m.test(block)) return "wpa";
  return /capability:.*Privacy/.test(block) ? "wep" : "open";
}

/** iw prints bytes outside printable ASCII, and a backslash, as `\xNN`. */
function unescapeSsid(text: string): string {
  const bytes = text.replaceAll(/\\x([0-9a-f]{2})/g, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
