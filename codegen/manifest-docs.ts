import type { DeviceManifest } from "./manifest.js";
import { deviceSchema, FIELD_NAMES } from "./manifest-fields.js";

type Section = "softAp" | "wifi" | "time" | "backend" | "mqtt" | "key" | "security";
type FieldPath =
  | Exclude<keyof DeviceManifest, Section>
  | { [Name in Section]: `${Name}.${keyof DeviceManifest[Name] & string}` }[Section];

/** What becomes of each field of the manifest; what it takes and its default are the schema's to say. */
const MEANINGS: Readonly<Record<FieldPath, string>> = {
  id: "`DEVICE_ID`, certificate CN, MQTT client id",
  target: "the chip (`s2` is short for `esp32s2`), or `host`: a process of this machine",
  "softAp.ssidPrefix": "the AP is `<prefix>-XXXXXX`",
  "softAp.password": 'the AP\'s password; `"per-device"`: a random one',
  "softAp.channel": "the AP's channel; 12 and 13 where `wifi.country` allows them",
  "softAp.pairingSecret": "POSTs must carry it; 5 wrong tries lock",
  "softAp.windowSeconds":
    "the unused AP closes after this long, until the next power-up; 0 is never",
  "wifi.allowOpen": "whether networks without a password may be joined",
  "wifi.country":
    "where the radio is used: a code that the WiFi driver knows; `01` is legal everywhere",
  "wifi.fallbackApSeconds":
    "without WiFi for this long, the AP opens and the device tries on; 0 is never",
  "time.servers": "SNTP servers, tried in turn",
  "backend.url": "`/sign-csr`, `/renew-csr` and the report go there; the default is a placeholder",
  "backend.ca": "the CA to pin; the system's bundle without it",
  "backend.reportPath": 'where the report goes; `""` switches it off',
  "mqtt.uri": "the broker; the default is a placeholder",
  "mqtt.statusIntervalSeconds": "how often the status is published",
  "mqtt.username": "for a broker that wants it beside the certificate",
  "mqtt.password": "goes with the user name",
  "key.algorithm": "the device's private key",
  "security.nvsEncryption": "see [Hardening](#hardening)",
  "security.flashEncryption": "see [Hardening](#hardening)",
  "security.secureBoot": "the firmware is signed with it",
  logLevel: "how much the device logs",
  coreDump: "a crash leaves a core dump in flash, with all that it held",
  sdkconfig: "further `CONFIG_*` lines for ESP-IDF",
};

export interface FieldDoc {
  readonly path: string;
  /** What the field takes, in the words in which the schema refuses anything else. */
  readonly takes: string;
  /** As JSON; undefined for none. */
  readonly fallback: string | undefined;
  /** Markdown. */
  readonly meaning: string;
}

/** Every field of the manifest, in the schema's order. */
export function manifestFields(): FieldDoc[] {
  return (FIELD_NAMES[""] ?? []).flatMap((name) =>
    Object.hasOwn(FIELD_NAMES, name)
      ? (FIELD_NAMES[name] ?? []).map((field) => describe([name, field]))
      : [describe([name])],
  );
}

function describe(path: readonly string[]): FieldDoc {
  const name = path.join(".") as FieldPath;
  return { path: name, takes: expected(path), fallback: fallback(path), meaning: MEANINGS[name] };
}

function expected(path: readonly string[]): string {
  const nothingTakesThis = Symbol();
  const wrong = path.reduceRight<unknown>((value, key) => ({ [key]: value }), nothingTakesThis);
  const { error } = deviceSchema.safeParse({ id: "any", ...(wrong as object) });
  return error?.issues[0]?.message ?? "";
}

function fallback(path: readonly string[]): string | undefined {
  let value: unknown = deviceSchema.parse({ id: "any" });
  for (const key of path) value = (value as Record<string, unknown>)[key];
  return path[0] === "id" || value === undefined ? undefined : JSON.stringify(value);
}
