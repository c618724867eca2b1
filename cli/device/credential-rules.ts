import { isWpaPassword, LIMITS } from "../../codegen/limits.js";

/** What is wrong with a thing that a device is to be given, by the device's own limits; undefined when nothing is. */
export type Flaw = string | undefined;

/** An SSID, of a network or of the board's AP. */
export function ssidFlaw(ssid: string): Flaw {
  const bytes = Buffer.byteLength(ssid);
  if (ssid.includes("\0")) return "holds a NUL";
  if (bytes >= 1 && bytes <= LIMITS.ssidMaxBytes) return undefined;
  return `has ${bytes} bytes; an SSID has 1 to ${LIMITS.ssidMaxBytes}`;
}

/** The password of a network that has one. The flaw never quotes it. */
export function passwordFlaw(password: string): Flaw {
  const { passphraseMinBytes: min, passphraseMaxBytes: max, rawKeyHexDigits: digits } = LIMITS;
  if (password.includes("\0")) return "holds a NUL";
  if (isWpaPassword(password)) return undefined;
  const bytes = Buffer.byteLength(password);
  return `has ${bytes} bytes; a passphrase has ${min} to ${max}, a raw key ${digits} hex digits`;
}

/** A token travels in an HTTP header. The flaw never quotes it. */
export function tokenFlaw(token: string, maxBytes: number): Flaw {
  const bytes = Buffer.byteLength(token);
  if (bytes < 1 || bytes > maxBytes) return `has ${bytes} bytes; the device takes 1 to ${maxBytes}`;
  if (/^[\x21-\x7e]+$/.test(token)) return undefined;
  return "holds something else than visible ASCII characters (a space, a line break?)";
}

/** A user name or password for a broker. The flaw never quotes it. */
export function mqttTextFlaw(text: string): Flaw {
  const bytes = Buffer.byteLength(text);
  // MQTT 3.1.1, 1.5.3: a length of two bytes, and no U+0000.
  if (bytes > MQTT_TEXT_MAX_BYTES)
    return `has ${bytes} bytes; MQTT has room for ${MQTT_TEXT_MAX_BYTES}`;
  return text.includes("\0") ? "holds a NUL" : undefined;
}

const MQTT_TEXT_MAX_BYTES = 65_535;

/** The address of a board, as `--url` has it. */
export function boardUrlFlaw(text: string): Flaw {
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text))
    return "is no http:// URL, such as http://192.168.4.1";
  const { username, password, search, hash } = new URL(text);
  if (username !== "" || password !== "") return "must not hold a user or a password";
  return search === "" && hash === "" ? undefined : "must not hold a query or a fragment";
}
