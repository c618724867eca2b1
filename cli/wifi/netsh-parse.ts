import { escapeXml } from "../terminal/escape-xml.js";
import type { AccessPoint } from "./host-wifi.js";

/**
 * Parsers of `netsh wlan show …`. Its labels are translated, `BSSID` among them; `SSID`, the values
 * of the security modes and the order of the lines are not, so those are what is relied upon.
 */

interface Field {
  label: string;
  value: string;
}

export type NetshRefusal = "service_down" | "no_location" | "powered_down" | "no_adapter";

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
/** The name is the same in every language; NBSP may stand before the colon. */
const SSID_LINE = /^SSID \d+\s*: ?(.*)$/;

/** English, German and French, Spanish and Portuguese, Italian, Dutch. */
const PROFILE_LABEL = /^(Profile?|Perfil|Profilo|Profiel)$/;

/** Why netsh answers nothing; null when it gives no reason that is known. */
export function parseRefusal(output: string): NetshRefusal | null {
  // Names of networks and profiles are on lines that are indented or begin with SSID.
  const sentences = output
    .split(/\r?\n/)
    .filter((line) => /^\S/.test(line) && !SSID_LINE.test(line))
    .join("\n");
  if (/wlansvc/i.test(sentences)) return "service_down";
  // Since Windows 11 24H2; the address of the settings page is not translated.
  if (sentences.includes("ms-settings:privacy-location")) return "no_location";
  if (/interface is powered down/i.test(sentences)) return "powered_down";
  if (/no (such )?wireless interface/i.test(sentences)) return "no_adapter";
  return null;
}

export type WindowsInterface = ReturnType<typeof parseInterfaces>[number];

/** `netsh wlan show interfaces`. */
export function parseInterfaces(stdout: string) {
  return blocksOf(stdout)
    .filter((fields) => fields.some(({ value }) => MAC.test(value)))
    .map((fields) => {
      const ssid = lookUp(fields, "SSID");
      const radio = fields.filter(({ value }) => /^(Hardware|Software) (On|Off)$/i.test(value));
      return {
        name: fields[0]?.value ?? "",
        /** Null when it is not connected, as is the profile. */
        ssid,
        // Nearly always the network's name, but the second profile of a name is called "name 2".
        profile: fields.find(({ label }) => PROFILE_LABEL.test(label))?.value ?? ssid,
        /** Null where the radio's switches are not shown. */
        radioOn: radio.length === 0 ? null : radio.every(({ value }) => /On$/i.test(value)),
      };
    });
}

/**
 * `netsh wlan show networks mode=bssid`, one entry per BSSID, strongest first; hidden ones left out.
 * `iface` leaves out what other adapters see.
 */
export function parseNetworks(stdout: string, iface?: string): AccessPoint[] {
  const aps: AccessPoint[] = [];
  let isWanted = true;
  let ssid = "";
  let secure = false;
  let current: AccessPoint | null = null;
  const lines = stdout.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const network = SSID_LINE.exec(line)?.[1];
    const adapter = adapterOf(line, lines[index + 1] ?? "");
    if (adapter !== null) isWanted = iface === undefined || adapter === iface;
    if (network !== undefined || adapter !== null) {
      ssid = isWanted ? (network ?? "") : "";
      secure = false;
      current = null;
      continue;
    }
    const { value } = toField(line) ?? { value: "" };
    if (/^(WPA|WEP|CCMP|TKIP|GCMP)/i.test(value)) secure = true;
    if (MAC.test(value) && ssid !== "") {
      current = { ssid, bssid: value.toLowerCase(), channel: null, rssiDbm: null, secure };
      aps.push(current);
    }
    if (current === null) continue;
    if (/^\d+%$/.test(value)) current.rssiDbm = Math.round(Number.parseInt(value, 10) / 2 - 100);
    // The channel is the first bare number below a BSSID; loads and QoS follow, rates are lists.
    if (/^\d+$/.test(value)) current.channel ??= Number(value);
  }
  return aps.sort((a, b) => (b.rssiDbm ?? -127) - (a.rssiDbm ?? -127));
}

/** The adapter that a heading names: above the line with the count, which has no colon. */
function adapterOf(line: string, next: string): string | null {
  if (SSID_LINE.test(line) || !/^[^\s:][^:]*$/.test(next)) return null;
  return /^[^\s:][^:]*: ?(.*\S)\s*$/.exec(line)?.[1] ?? null;
}

/** A WLAN profile that never connects by itself; its elements in the order of Microsoft's schema. */
export function profileXml(profile: {
  name: string;
  ssid: string;
  password: string | null;
}): string {
  const hex = Buffer.from(profile.ssid).toString("hex").toUpperCase();
  const raw = profile.password !== null && /^[0-9a-f]{64}$/i.test(profile.password);
  const security =
    profile.password === null
      ? "<authEncryption><authentication>open</authentication><encryption>none</encryption><useOneX>false</useOneX></authEncryption>"
      : "<authEncryption><authentication>WPA2PSK</authentication><encryption>AES</encryption><useOneX>false</useOneX></authEncryption>" +
        `<sharedKey><keyType>${raw ? "networkKey" : "passPhrase"}</keyType><protected>false</protected>` +
        `<keyMaterial>${escapeXml(profile.password)}</keyMaterial></sharedKey>`;
  return (
    '<?xml version="1.0"?>\r\n' +
    '<WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1">' +
    `<name>${escapeXml(profile.name)}</name>` +
    `<SSIDConfig><SSID><hex>${hex}</hex></SSID></SSIDConfig>` +
    "<connectionType>ESS</connectionType><connectionMode>manual</connectionMode>" +
    `<MSM><security>${security}</security></MSM></WLANProfile>\r\n`
  );
}

/** Groups of fields parted by empty lines; a line without a label continues the value before it. */
function blocksOf(stdout: string): Field[][] {
  return stdout.split(/\r?\n\s*\r?\n/).map((block) => {
    const fields: Field[] = [];
    for (const line of block.split(/\r?\n/)) {
      const field = toField(line);
      if (field) fields.push(field);
      else if (/^\s{8,}\S/.test(line)) fields.push({ label: "", value: line.trim() });
    }
    return fields;
  });
}

function toField(line: string): Field | null {
  const match = /^\s+(\S.*?)\s*: ?(.*)$/.exec(line);
  return match ? { label: match[1] ?? "", value: (match[2] ?? "").trimEnd() } : null;
}

function lookUp(fields: Field[], label: string): string | null {
  return fields.find((field) => field.label === label)?.value ?? null;
}
