import type { AccessPoint } from "./host-wifi.js";

/**
 * Parsers of `netsh wlan show …`. Its labels are translated; `SSID`, `BSSID` and the values of the
 * security modes are not, and the order of the lines is fixed, so those are what is relied upon.
 */
export interface WindowsInterface {
  name: string;
  /** Null when it is not connected. */
  ssid: string | null;
  /** The profile in use; null when it is not connected. */
  profile: string | null;
  /** Null where the radio's switches are not shown. */
  radioOn: boolean | null;
}

interface Field {
  label: string;
  value: string;
}

/** `netsh wlan show interfaces`. */
export function parseInterfaces(stdout: string): WindowsInterface[] {
  return blocksOf(stdout)
    .filter((fields) => fields.some(({ value }) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)))
    .map((fields) => {
      const ssid = lookUp(fields, "SSID");
      const radio = fields.filter(({ value }) => /^(Hardware|Software) (On|Off)$/i.test(value));
      return {
        name: fields[0]?.value ?? "",
        ssid,
        // A profile nearly always bears the network's name; its own label may be translated.
        profile: lookUp(fields, "Profile") ?? ssid,
        radioOn: radio.length === 0 ? null : radio.every(({ value }) => /On$/i.test(value)),
      };
    });
}

/** `netsh wlan show networks mode=bssid`, one entry per BSSID, strongest first; hidden ones left out. */
export function parseNetworks(stdout: string): AccessPoint[] {
  const aps: AccessPoint[] = [];
  let ssid = "";
  let secure = false;
  let current: AccessPoint | null = null;
  for (const line of stdout.split(/\r?\n/)) {
    const network = /^SSID \d+ : ?(.*)$/.exec(line);
    if (network) {
      ssid = network[1] ?? "";
      secure = false;
      current = null;
      continue;
    }
    const { label, value } = toField(line) ?? { label: "", value: "" };
    if (/^(WPA|WEP|CCMP|TKIP|GCMP)/i.test(value)) secure = true;
    if (/^BSSID \d+$/.test(label) && ssid !== "") {
      current = { ssid, bssid: value.toLowerCase(), channel: null, rssiDbm: null, secure };
      aps.push(current);
    }
    if (current === null) continue;
    if (/^\d+%$/.test(value)) current.rssiDbm = Math.round(Number.parseInt(value, 10) / 2 - 100);
    // The channel is the first bare number below a BSSID; the rates that follow are lists.
    if (/^\d+$/.test(value)) current.channel ??= Number(value);
  }
  return aps.sort((a, b) => (b.rssiDbm ?? -127) - (a.rssiDbm ?? -127));
}

/** A WLAN profile (WLAN_profile v1 schema) that never connects by itself. */
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

function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
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
