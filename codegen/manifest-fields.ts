import { z } from "zod";
import { findTarget, TARGETS } from "./chips.js";
import { DEVICE_ID_PATTERN } from "./device-keys.js";
import { LIMITS } from "./limits.js";
import { DEFAULTS, KEY_ALGORITHMS, LOG_LEVELS } from "./manifest.js";

/** Room for `-XXXXXX` (three bytes of the MAC) after the prefix. */
const SSID_PREFIX_MAX_BYTES = LIMITS.ssidMaxBytes - "-XXXXXX".length;
const URL_MAX_BYTES = LIMITS.backendUrlMaxBytes;
const PASSPHRASE = printable(LIMITS.passphraseMinBytes, LIMITS.passphraseMaxBytes);
const PAIRING_SECRET = printable(LIMITS.pairingSecretMinBytes, LIMITS.pairingSecretMaxBytes);
const PINNED_CA = `PEM with certificates only, ${LIMITS.pinnedCaMaxBytes / 1024} KiB at most, or the path of such a file, relative to the manifest`;
const SIGNING_KEY = "false, or the path of the PEM file with the signing key";
const PATH_MAX_BYTES = 1024;
/** They have to fit into the firmware's MQTT buffer (mqtt_link.c) with the rest of a CONNECT. */
const MQTT_USERNAME_MAX_BYTES = 128;
const MQTT_PASSWORD_MAX_BYTES = 512;

/**
 * Pass one: each field for itself. The message of a zod issue holds only what was *expected*; the
 * caller adds the path and what came, because only it knows which values are secret.
 */
export const deviceSchema = table({
  id: text("1–64 of A–Z a–z 0–9 _ -", (value) => DEVICE_ID_PATTERN.test(value)),
  target: z
    .any()
    .transform((value) => (typeof value === "string" ? (findTarget(value) ?? value) : value))
    .pipe(oneOf(TARGETS))
    .prefault(DEFAULTS.target),
  softAp: section({
    ssidPrefix: text(
      `1–${SSID_PREFIX_MAX_BYTES} bytes of text without control characters`,
      (value) => isPlainText(value, 1, SSID_PREFIX_MAX_BYTES),
    ).default(DEFAULTS.softAp.ssidPrefix),
    password: text(PASSPHRASE.expected, PASSPHRASE.accepts).default(DEFAULTS.softAp.password),
    channel: integer(1, 13).default(DEFAULTS.softAp.channel),
    pairingSecret: text(
      `${PAIRING_SECRET.expected}, or ""`,
      (value) => value === "" || PAIRING_SECRET.accepts(value),
    ).default(DEFAULTS.softAp.pairingSecret),
    windowSeconds: integer(0, 86_400).default(DEFAULTS.softAp.windowSeconds),
  }),
  wifi: section({
    allowOpen: z.boolean({ error: "boolean" }).default(DEFAULTS.wifi.allowOpen),
    country: text("two capital letters of ISO 3166, or 01", (value) =>
      /^([A-Z]{2}|01)$/.test(value),
    ).default(DEFAULTS.wifi.country),
    fallbackApSeconds: integer(0, 86_400).default(DEFAULTS.wifi.fallbackApSeconds),
  }),
  time: section({
    servers: z
      .array(
        text("host name or address of at most 64 bytes", (value) =>
          /^[A-Za-z0-9.:_-]{1,64}$/.test(value),
        ),
        { error: "array of 1–4 host names" },
      )
      .refine((list) => list.length >= 1 && list.length <= 4, {
        error: "array of 1–4 host names",
      })
      .default([...DEFAULTS.time.servers]),
  }),
  backend: section({
    url: text(
      `https:// URL of at most ${URL_MAX_BYTES} bytes, without user, query and fragment`,
      isBaseUrl,
    )
      .transform((url) => url.replace(/\/+$/, ""))
      .default(DEFAULTS.backend.url),
    // The judge of PEM has seen it before (manifest-schema.ts): here it is a text that is one, or none.
    ca: z.string({ error: PINNED_CA }).optional(),
    reportPath: text(
      `path of at most ${LIMITS.backendPathMaxBytes} printable ASCII characters that starts with "/", or ""`,
      (value) =>
        value === "" ||
        (/^\/[\x21-\x7e]*$/.test(value) && value.length <= LIMITS.backendPathMaxBytes),
    ).default(DEFAULTS.backend.reportPath),
  }),
  mqtt: section({
    uri: text(`mqtts:// URL of at most ${URL_MAX_BYTES} bytes, host and port only`, isBrokerUri)
      .transform((uri) => uri.replace(/\/$/, ""))
      .default(DEFAULTS.mqtt.uri),
    statusIntervalSeconds: integer(1, 86_400).default(DEFAULTS.mqtt.statusIntervalSeconds),
    username: plainText(MQTT_USERNAME_MAX_BYTES).default(DEFAULTS.mqtt.username),
    password: plainText(MQTT_PASSWORD_MAX_BYTES).default(DEFAULTS.mqtt.password),
  }),
  key: section({ algorithm: oneOf(KEY_ALGORITHMS).default(DEFAULTS.key.algorithm) }),
  security: section({
    nvsEncryption: offOr(["flash-encryption", "hmac"]),
    flashEncryption: offOr(["development", "release"]),
    secureBoot: z
      .union(
        [z.literal(false), text(SIGNING_KEY, (value) => isPlainText(value, 1, PATH_MAX_BYTES))],
        { error: SIGNING_KEY },
      )
      .default(DEFAULTS.security.secureBoot),
  }),
  logLevel: oneOf(LOG_LEVELS).default(DEFAULTS.logLevel),
  coreDump: z.boolean({ error: "boolean" }).default(DEFAULTS.coreDump),
  sdkconfig: z
    .record(z.string().regex(/^CONFIG_[A-Z0-9_]+$/), sdkconfigValue(), {
      error: (issue) =>
        issue.code === "invalid_key"
          ? "name like CONFIG_LWIP_MAX_SOCKETS"
          : "object of CONFIG_* values",
    })
    .default({}),
});

/** The fields of each section (`""` is the device itself), for the hint at a misspelt one. */
export const FIELD_NAMES: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(deviceSchema.shape),
  ...Object.fromEntries(
    (["softAp", "wifi", "time", "backend", "mqtt", "key", "security"] as const).map((name) => [
      name,
      Object.keys(deviceSchema.shape[name].unwrap().shape),
    ]),
  ),
};

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function table<const Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: "object" });
}

/** An object that may be left out because each of its fields has a default. */
function section<const Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const inner = table(shape);
  return inner.prefault({} as z.input<typeof inner>);
}

function text(expected: string, accepts: (value: string) => boolean) {
  return z.string({ error: expected }).refine(accepts, { error: expected });
}

function plainText(maxBytes: number) {
  return text(`1–${maxBytes} bytes of text without control characters, or ""`, (value) =>
    isPlainText(value, 0, maxBytes),
  );
}

function printable(min: number, max: number) {
  const pattern = new RegExp(`^[\\x20-\\x7e]{${min},${max}}$`);
  return {
    expected: `${min}–${max} printable ASCII characters`,
    accepts: (value: string) => pattern.test(value),
  };
}

function integer(min: number, max: number) {
  const expected = `integer ${min}–${max}`;
  return z.int({ error: expected }).min(min, { error: expected }).max(max, { error: expected });
}

function oneOf<const Values extends readonly [string, ...string[]] | readonly string[]>(
  values: Values,
) {
  return z.enum(values as readonly Values[number][], { error: `one of ${values.join(", ")}` });
}

/** A protection that is off unless it is named. */
function offOr<const Values extends readonly string[]>(values: Values) {
  const error = `false, ${values.map((value) => `"${value}"`).join(" or ")}`;
  return z
    .union([z.literal(false), z.enum(values as readonly Values[number][])], { error })
    .default(false);
}

function sdkconfigValue() {
  const expected = "boolean, integer, or text of at most 1024 bytes without control characters";
  return z.union(
    [
      z.boolean(),
      z.int(),
      z.string().refine((value) => isPlainText(value, 0, 1024), { error: expected }),
    ],
    { error: expected },
  );
}

function isPlainText(value: string, minBytes: number, maxBytes: number): boolean {
  const bytes = byteLength(value);
  // A lone surrogate has no UTF-8 form and would turn into U+FFFD on the way to the chip.
  return (
    bytes >= minBytes &&
    bytes <= maxBytes &&
    !/\p{Surrogate}/u.test(value) &&
    !/\p{Cc}/u.test(value)
  );
}

function isBaseUrl(value: string): boolean {
  const url = parseUrl(value, "https:");
  return url !== undefined && url.search === "" && url.hash === "" && !/[?#]/.test(value);
}

function isBrokerUri(value: string): boolean {
  const url = parseUrl(value, "mqtts:");
  return url !== undefined && /^mqtts:\/\/[^/?#]+\/?$/.test(value);
}

/** Printable ASCII only: the value becomes a C string that esp_http_client and esp-mqtt parse themselves. */
function parseUrl(value: string, protocol: string): URL | undefined {
  if (!/^[\x21-\x7e]+$/.test(value) || value.length > URL_MAX_BYTES) return undefined;
  if (!value.startsWith(`${protocol}//`) || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  const plain =
    url.hostname !== "" && url.username === "" && url.password === "" && url.port !== "0";
  return plain && !value.includes("@") ? url : undefined;
}
