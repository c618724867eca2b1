import type { AccessPoint } from "./host-wifi.js";

/**
 * Parsers of nmcli's terse output (`-t -e yes`, LC_ALL=C). In it `:` separates fields and both `:`
 * and `\` inside a value carry a backslash (nmcli(1), "--terse" and "--escape").
 */

/** Columns to ask for with `-f` so that `parseDevices` can read the answer. */
export const DEVICE_FIELDS = "DEVICE,TYPE,STATE,CONNECTION,CON-UUID";
/** Columns for `parseApList`. SSID-HEX carries the exact bytes; SSID may be a lossy rendering. */
export const AP_FIELDS = "IN-USE,SSID-HEX,BSSID,CHAN,SIGNAL,SECURITY";

export interface NmDevice {
  name: string;
  type: string;
  /** As nmcli words it: "connected", "disconnected", "unavailable", "connecting (…)" … */
  state: string;
  connection: { uuid: string; name: string } | null;
}

/** An entry of the scan list, with what joining needs to know besides. */
export interface NmAccessPoint extends AccessPoint {
  inUse: boolean;
  /** nmcli's words: "", "WPA2", "WPA1 WPA2", "WPA3", "WEP", "WPA2 802.1X" … */
  security: string;
}

/** Removes `ESC [2K CR`, with which nmcli erases its progress line even when it writes to a pipe. */
export function stripControls(text: string): string {
  return text.replaceAll("\u001b[2K", "").replaceAll("\r", "");
}

/** Splits one terse line at its unescaped colons and unescapes the fields. */
export function splitTerse(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  for (let i = 0; i < line.length; i += 1) {
    const char = line.charAt(i);
    if (char === ":") {
      fields.push(field);
      field = "";
    } else if (char === "\\" && i + 1 < line.length) {
      i += 1;
      field += line.charAt(i);
    } else {
      field += char;
    }
  }
  return [...fields, field];
}

/** The rows of a terse table. Several adapters give several lists, parted by empty lines. */
export function parseRows(stdout: string): string[][] {
  return stripControls(stdout)
    .split("\n")
    .filter((line) => line !== "")
    .map(splitTerse);
}

/** `nmcli -f DEVICE_FIELDS device status`. */
export function parseDevices(stdout: string): NmDevice[] {
  return parseRows(stdout).flatMap(([name, type, state, connection, uuid]) => {
    if (name === undefined || type === undefined || state === undefined) return [];
    return [{ name, type, state, connection: uuid ? { uuid, name: connection ?? "" } : null }];
  });
}

/** `nmcli -f AP_FIELDS device wifi list`, strongest first; hidden networks (no SSID) are left out. */
export function parseApList(stdout: string): NmAccessPoint[] {
  const aps = parseRows(stdout).flatMap((row) => {
    const [inUse, hex, bssid, channel, signal, security] = row;
    if (hex === undefined || security === undefined || !/^([0-9A-F]{2})+$/i.test(hex)) return [];
    return [
      {
        inUse: inUse === "*",
        ssid: Buffer.from(hex, "hex").toString("utf8"),
        bssid: bssid ? bssid.toLowerCase() : null,
        channel: toInteger(channel),
        rssiDbm: percentToDbm(toInteger(signal)),
        secure: security !== "" && security !== "--",
        security,
      },
    ];
  });
  return aps.sort((a, b) => (b.rssiDbm ?? -127) - (a.rssiDbm ?? -127));
}

/** `nmcli device show IFACE`: `KEY:value` lines; of a repeated key every value is kept. */
export function parseProperties(stdout: string): Map<string, string[]> {
  const properties = new Map<string, string[]>();
  for (const line of stripControls(stdout).split("\n")) {
    const [key, ...rest] = splitTerse(line);
    if (key === undefined || rest.length === 0) continue;
    const name = key.replace(/\[\d+\]$/, "");
    properties.set(name, [...(properties.get(name) ?? []), rest.join(":")]);
  }
  return properties;
}

/** The board's address: its DHCP server, else the router it names, else null. */
export function boardAddress(properties: Map<string, string[]>): string | null {
  const options = properties.get("DHCP4.OPTION") ?? [];
  for (const name of ["dhcp_server_identifier", "routers"]) {
    const prefix = `${name} = `;
    const value = options.find((option) => option.startsWith(prefix))?.slice(prefix.length);
    const address = value?.split(" ")[0];
    if (address) return address;
  }
  return properties.get("IP4.GATEWAY")?.find((gateway) => gateway !== "") ?? null;
}

/**
 * A line of nmcli's passwd-file. Backslashes and spaces at either end would be interpreted
 * (`nmc_utils_parse_passwd_file`), so they go in as octal escapes.
 */
export function passwdFileLine(property: string, secret: string): string {
  const octal = (char: string) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  const escaped = secret
    .replaceAll("\\", octal)
    .replace(/^\s+|\s+$/g, (ends) => ends.replaceAll(/\s/g, octal));
  return `${property}:${escaped}\n`;
}

function toInteger(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

/** NetworkManager maps -100…-40 dBm to 0…100 %; this is the way back. */
function percentToDbm(percent: number | null): number | null {
  return percent === null ? null : Math.round(-100 + 0.6 * percent);
}
