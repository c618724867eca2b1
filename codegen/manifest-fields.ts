import { z } from "zod";
import { parseChipUrl } from "./chip-url.js";
import { findTarget, type ShortChip, TARGETS, type Target } from "./chips.js";
import { DEVICE_ID_PATTERN } from "./device-keys.js";
import {
  baseUrl,
  brokerUri,
  field,
  flag,
  hostNames,
  integer,
  isPath,
  offOr,
  oneOf,
  plainText,
  printable,
  sdkconfigValues,
  section,
  table,
  text,
  textOrNone,
  urlPath,
} from "./field-kinds.js";
import { LIMITS } from "./limits.js";

export const KEY_ALGORITHMS = ["P-256", "RSA-2048"] as const;

/** What the device's log holds, each level with those before it. The index is ESP-IDF's number for it. */
export const LOG_LEVELS = ["none", "error", "warn", "info", "debug", "verbose"] as const;

/** Hosts of the defaults: nobody has their devices there. */
const PLACEHOLDER_BACKEND = "your-backend.com";
const PLACEHOLDER_BROKER = "your-broker.com";

/** The AP's password in a manifest that says none: known to everybody. */
export const DEFAULT_AP_PASSWORD = "prov12345678";

/** Room for `-XXXXXX` (three bytes of the MAC) after the prefix. */
const SSID_PREFIX_MAX_BYTES = LIMITS.ssidMaxBytes - "-XXXXXX".length;
const PINNED_CA = `PEM with certificates only, ${LIMITS.pinnedCaMaxBytes / 1024} KiB at most, or the path of such a file, relative to the manifest`;
const SIGNING_KEY = "false, or the path of the PEM file with the signing key";
const DAY_SECONDS = 86_400;
/** They have to fit into the firmware's MQTT buffer (mqtt_link.c) with the rest of a CONNECT. */
const MQTT_USERNAME_MAX_BYTES = 128;
const MQTT_PASSWORD_MAX_BYTES = 512;

/**
 * Pass one: each field for itself, in one row. The message of a zod issue holds only what was *expected*; the
 * caller adds the path and what came, because only it knows which values are secret.
 */
export const deviceSchema = table({
  id: field(
    text("1–64 of A–Z a–z 0–9 _ -", (value) => DEVICE_ID_PATTERN.test(value)),
    {
      doc: "the device's name: certificate CN, MQTT client id, `DEVICE_ID`",
    },
  ),
  target: field(
    z
      .custom<Target | ShortChip>()
      .transform((value) => (typeof value === "string" ? (findTarget(value) ?? value) : value))
      .pipe(oneOf(TARGETS))
      .default("esp32"),
    {
      doc: "the chip (`s2` is short for `esp32s2`), or `host`: a process of this machine",
      type: "Target | ShortChip",
    },
  ),
  softAp: section({
    ssidPrefix: field(text(...plainText(SSID_PREFIX_MAX_BYTES)).default("ESP32-Prov"), {
      doc: "the AP is `<prefix>-XXXXXX`",
      option: ["PROV_SOFTAP_SSID_PREFIX", "SoftAP name prefix"],
    }),
    password: field(
      text(...printable(LIMITS.passphraseMinBytes, LIMITS.passphraseMaxBytes)).default(
        DEFAULT_AP_PASSWORD,
      ),
      {
        doc: 'the AP\'s password, WPA2; `"per-device"`: a random one that `prov keys` prints',
        option: ["PROV_SOFTAP_PASSWORD", "SoftAP password", "8 to 63 bytes, WPA2."],
      },
    ),
    channel: field(integer(1, 13).default(1), {
      doc: "the AP's channel; 12 and 13 where `wifi.country` allows them",
      option: [
        "PROV_SOFTAP_CHANNEL",
        "SoftAP channel",
        "Until the device joins a network: then the SoftAP follows to that network's channel. 12 and 13 are for countries that allow them; where the driver refuses it, it is 1.",
      ],
    }),
    pairingSecret: field(
      textOrNone(...printable(LIMITS.pairingSecretMinBytes, LIMITS.pairingSecretMaxBytes)).default(
        "",
      ),
      {
        doc: "whoever provisions or resets must give it, besides the AP's password; 5 wrong tries lock",
        option: ["PROV_PAIRING_SECRET", "Pairing secret"],
      },
    ),
    windowSeconds: field(integer(0, DAY_SECONDS).default(0), {
      doc: "the unused AP closes after this long, until the next power-up; 0 is never",
      option: ["PROV_AP_WINDOW_S", "The SoftAP closes after this long without a provisioning (s)"],
    }),
  }),
  wifi: section({
    allowOpen: field(flag().default(false), {
      doc: "whether networks without a password may be joined",
      option: ["PROV_WIFI_ALLOW_OPEN", "Join networks without a password"],
    }),
    country: field(
      text("two capital letters of ISO 3166, or 01", (value) =>
        /^([A-Z]{2}|01)$/.test(value),
      ).default("01"),
      {
        doc: "where the radio is used: a code that the WiFi driver knows; `01` is legal everywhere",
        option: [
          "PROV_WIFI_COUNTRY",
          "Country code",
          "One that esp_wifi_set_country_code() knows, or 01 for what is legal everywhere, which is also what is used instead of any other.",
        ],
      },
    ),
    fallbackApSeconds: field(integer(0, DAY_SECONDS).default(300), {
      doc: "without WiFi for this long, the AP opens and the device tries on; 0 is never",
      option: ["PROV_FALLBACK_AP_S", "The SoftAP opens after this long without WiFi (s)"],
    }),
  }),
  time: section({
    servers: field(hostNames(4).default(["pool.ntp.org"]), {
      doc: "SNTP servers, tried in turn",
      option: ["PROV_SNTP_SERVERS", "Time servers", "Separated by spaces; tried in turn."],
    }),
  }),
  backend: section({
    url: field(baseUrl().default(`https://${PLACEHOLDER_BACKEND}`), {
      doc: "the backend that signs the CSR: `/sign-csr`, `/renew-csr` and the report go there; the default is a placeholder",
      option: ["PROV_BACKEND_URL", "Backend URL"],
    }),
    // The judge of PEM has seen it before (manifest-schema.ts): here it is a text that is one, or none.
    ca: field(
      z
        .string({ error: PINNED_CA })
        .optional()
        .transform((pem) => pem ?? null),
      {
        doc: "the CA to pin; the system's bundle without it",
      },
    ),
    reportPath: field(urlPath().default("/device-report"), {
      doc: 'where the report after enrolment goes; `""` switches it off',
      option: [
        "PROV_REPORT_PATH",
        "Path of the report after enrolment",
        "POST <URL><path> on the user's behalf, with the Bearer token of the provisioning. Empty switches the report off.",
      ],
    }),
  }),
  mqtt: section({
    uri: field(brokerUri().default(`mqtts://${PLACEHOLDER_BROKER}:8883`), {
      doc: "the broker; the default is a placeholder",
      option: ["PROV_MQTT_BROKER_URI", "Broker URI"],
    }),
    statusIntervalSeconds: field(integer(1, DAY_SECONDS).default(30), {
      doc: "seconds between two status messages",
      option: ["PROV_MQTT_STATUS_INTERVAL_S", "Interval of the status message (s)"],
    }),
    username: field(textOrNone(...plainText(MQTT_USERNAME_MAX_BYTES)).default(""), {
      doc: "for a broker that wants it beside the certificate",
    }),
    password: field(textOrNone(...plainText(MQTT_PASSWORD_MAX_BYTES)).default(""), {
      doc: "goes with the user name; as secret as the device's key",
    }),
  }),
  key: section({
    algorithm: field(oneOf(KEY_ALGORITHMS).default("P-256"), {
      doc: "the device's private key",
    }),
  }),
  tls: section({
    allSuites: field(flag().default(false), {
      doc: "offers all cipher suites and curves of ESP-IDF; without it ECDHE with AES-GCM on P-256, P-384, P-521 and X25519",
      option: [
        "PROV_TLS_ALL_SUITES",
        "Offer all cipher suites of mbedTLS",
        "Off: four suites, ECDHE with AES-GCM. The options of mbedTLS's menu can take away from them, and add nothing.",
      ],
    }),
    dynamicBuffers: field(flag().default(true), {
      doc: "TLS buffers that are there only while they hold something: some 20 KB more heap for each session",
      option: ["MBEDTLS_DYNAMIC_BUFFER"],
    }),
  }),
  security: section(
    {
      nvsEncryption: field(offOr(["flash-encryption", "hmac"]).default(false), {
        doc: "encrypts settings, tokens and certificates in flash; `hmac` burns an eFuse block, see [Hardening](#hardening)",
      }),
      flashEncryption: field(offOr(["development", "release"]).default(false), {
        doc: "encrypts the whole flash, and with it the device's private key; burns eFuses, see [Hardening](#hardening)",
      }),
      secureBoot: field(
        z
          .union([z.literal(false), text(SIGNING_KEY, isPath)], { error: SIGNING_KEY })
          .default(false),
        {
          doc: "runs signed firmware only; the path is relative to the manifest; burns eFuses, see [Hardening](#hardening)",
        },
      ),
    },
    "what protects the device against somebody who holds it: all off by default, most of it is for good",
  ),
  logLevel: field(oneOf(LOG_LEVELS).default("info"), {
    doc: "how much the device logs; below `info` the log no longer tells the states that `prov` reads there",
  }),
  coreDump: field(flag().default(false), {
    doc: "a crash leaves a core dump in flash, with all that was in memory, secrets included",
    option: ["ESP_COREDUMP_ENABLE_TO_FLASH"],
  }),
  sdkconfig: field(sdkconfigValues().default({}), {
    doc: "further `CONFIG_*` lines for ESP-IDF",
    type: `{ readonly [symbol: \`CONFIG_\${string}\`]: string | number | boolean }`,
  }),
});

/** The fields of each section, and under `""` those of the device itself, sections included. */
export const SHAPES: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>> = {
  "": deviceSchema.shape,
  ...Object.fromEntries(
    Object.entries(deviceSchema.shape).flatMap(([name, schema]) =>
      schema instanceof z.ZodPrefault ? [[name, schema.unwrap().shape]] : [],
    ),
  ),
};

/** The fields that still hold a placeholder of the defaults: a warning at codegen, an error at flash. */
export function placeholderFields({
  backend,
  mqtt,
}: Pick<z.output<typeof deviceSchema>, "backend" | "mqtt">): string[] {
  const fields: string[] = [];
  const hostOf = (url: string) => parseChipUrl(url)?.host?.toLowerCase();
  if (hostOf(backend.url) === PLACEHOLDER_BACKEND) fields.push("backend.url");
  if (hostOf(mqtt.uri) === PLACEHOLDER_BROKER) fields.push("mqtt.uri");
  return fields;
}
