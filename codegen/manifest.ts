import type { ShortChip, Target } from "./chips.js";

export const KEY_ALGORITHMS = ["P-256", "RSA-2048"] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** What the device's log holds, each level with those before it. The index is ESP-IDF's number for it. */
export const LOG_LEVELS = ["none", "error", "warn", "info", "debug", "verbose"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type SdkconfigValue = string | number | boolean;

// The types of the fields: written by `npm run generate` from manifest-fields.ts.
// fields
/** What `device.config.ts` may say about a device; everything but `id` has a default. */
export interface DeviceDefinition {
  /** The device's name: certificate CN, MQTT client id, `DEVICE_ID`. 1–64 of A–Z a–z 0–9 _ -. */
  readonly id: string;
  /** The chip (`s2` is short for `esp32s2`), or `host`: a process of this machine. Default "esp32". */
  readonly target?: Target | ShortChip | undefined;
  readonly softAp?:
    | {
        /** The AP is `<prefix>-XXXXXX`. 1–25 bytes of text without control characters. Default "ESP32-Prov". */
        readonly ssidPrefix?: string | undefined;
        /** The AP's password, WPA2; `"per-device"`: a random one that `prov keys` prints. 8–63 printable ASCII characters. Default "prov12345678". */
        readonly password?: string | undefined;
        /** The AP's channel; 12 and 13 where `wifi.country` allows them. Integer 1–13. Default 1. */
        readonly channel?: number | undefined;
        /** Whoever provisions or resets must give it, besides the AP's password; 5 wrong tries lock. 8–64 printable ASCII characters, or "". Default "". */
        readonly pairingSecret?: string | undefined;
        /** The unused AP closes after this long, until the next power-up; 0 is never. Integer 0–86400. Default 0. */
        readonly windowSeconds?: number | undefined;
      }
    | undefined;
  readonly wifi?:
    | {
        /** Whether networks without a password may be joined. Default false. */
        readonly allowOpen?: boolean | undefined;
        /** Where the radio is used: a code that the WiFi driver knows; `01` is legal everywhere. Two capital letters of ISO 3166, or 01. Default "01". */
        readonly country?: string | undefined;
        /** Without WiFi for this long, the AP opens and the device tries on; 0 is never. Integer 0–86400. Default 300. */
        readonly fallbackApSeconds?: number | undefined;
      }
    | undefined;
  readonly time?:
    | {
        /** SNTP servers, tried in turn. Array of 1–4 host names. Default ["pool.ntp.org"]. */
        readonly servers?: readonly string[] | undefined;
      }
    | undefined;
  readonly backend?:
    | {
        /** The backend that signs the CSR: `/sign-csr`, `/renew-csr` and the report go there; the default is a placeholder. https:// URL of at most 256 bytes, without user, query and fragment. Default "https://your-backend.com". */
        readonly url?: string | undefined;
        /** The CA to pin; the system's bundle without it. PEM with certificates only, 16 KiB at most, or the path of such a file, relative to the manifest. */
        readonly ca?: string | undefined;
        /** Where the report after enrolment goes; `""` switches it off. Path of at most 128 printable ASCII characters that starts with "/", or "". Default "/device-report". */
        readonly reportPath?: string | undefined;
      }
    | undefined;
  readonly mqtt?:
    | {
        /** The broker; the default is a placeholder. mqtts:// URL of at most 256 bytes, host and port only. Default "mqtts://your-broker.com:8883". */
        readonly uri?: string | undefined;
        /** Seconds between two status messages. Integer 1–86400. Default 30. */
        readonly statusIntervalSeconds?: number | undefined;
        /** For a broker that wants it beside the certificate. 1–128 bytes of text without control characters, or "". Default "". */
        readonly username?: string | undefined;
        /** Goes with the user name; as secret as the device's key. 1–512 bytes of text without control characters, or "". Default "". */
        readonly password?: string | undefined;
      }
    | undefined;
  readonly key?:
    | {
        /** The device's private key. Default "P-256". */
        readonly algorithm?: KeyAlgorithm | undefined;
      }
    | undefined;
  /** What protects the device against somebody who holds it: all off by default, most of it is for good. */
  readonly security?:
    | {
        /** Encrypts settings, tokens and certificates in flash; `hmac` burns an eFuse block, see Hardening in the README. Default false. */
        readonly nvsEncryption?: false | "flash-encryption" | "hmac" | undefined;
        /** Encrypts the whole flash, and with it the device's private key; burns eFuses, see Hardening in the README. Default false. */
        readonly flashEncryption?: false | "development" | "release" | undefined;
        /** Runs signed firmware only; the path is relative to the manifest; burns eFuses, see Hardening in the README. False, or the path of the PEM file with the signing key. Default false. */
        readonly secureBoot?: false | string | undefined;
      }
    | undefined;
  /** How much the device logs; below `info` the log no longer tells the states that `prov` reads there. Default "info". */
  readonly logLevel?: LogLevel | undefined;
  /** A crash leaves a core dump in flash, with all that was in memory, secrets included. Default false. */
  readonly coreDump?: boolean | undefined;
  /** Further `CONFIG_*` lines for ESP-IDF. Default {}. */
  readonly sdkconfig?: { readonly [symbol: `CONFIG_${string}`]: SdkconfigValue } | undefined;
}

/** A device with every default filled in; what the rest of prov works with. */
export interface DeviceManifest {
  readonly id: string;
  readonly target: Target;
  readonly softAp: {
    readonly ssidPrefix: string;
    readonly password: string;
    readonly channel: number;
    /** "" for none. */
    readonly pairingSecret: string;
    /** 0 for never. */
    readonly windowSeconds: number;
  };
  readonly wifi: {
    readonly allowOpen: boolean;
    readonly country: string;
    /** 0 for never. */
    readonly fallbackApSeconds: number;
  };
  readonly time: {
    readonly servers: readonly string[];
  };
  readonly backend: {
    /** Without a trailing slash. */
    readonly url: string;
    /** PEM, or null for the system's bundle. */
    readonly ca: string | null;
    readonly reportPath: string;
  };
  readonly mqtt: {
    readonly uri: string;
    readonly statusIntervalSeconds: number;
    /** "" for none. */
    readonly username: string;
    /** "" for none. */
    readonly password: string;
  };
  readonly key: {
    readonly algorithm: KeyAlgorithm;
  };
  readonly security: {
    readonly nvsEncryption: false | "flash-encryption" | "hmac";
    readonly flashEncryption: false | "development" | "release";
    /** Absolute path of the signing key. */
    readonly secureBoot: false | string;
  };
  readonly logLevel: LogLevel;
  readonly coreDump: boolean;
  readonly sdkconfig: { readonly [symbol: string]: SdkconfigValue };
}
// /fields

/** `never` at each field that the definition does not have, at any depth, so that a typo does not compile. */
type Exact<Shape, Given> = Given extends object
  ? {
      [Key in keyof Given]: Key extends keyof Shape
        ? Exact<NonNullable<Shape[Key]>, Given[Key]>
        : never;
    }
  : Given;

/**
 * Declares a device. The manifest exports one device, or an array of them, as its default:
 *
 *     export default defineDevice({ id: "sensor-1", target: "esp32c3" });
 */
export function defineDevice<const Given extends DeviceDefinition>(
  definition: Given & Exact<DeviceDefinition, Given>,
): Given {
  return definition;
}

/** The fields that still hold a placeholder of the defaults: a warning at codegen, an error at flash. */
export function placeholderFields(manifest: DeviceManifest): string[] {
  const fields: string[] = [];
  if (new URL(manifest.backend.url).hostname === PLACEHOLDER_BACKEND) fields.push("backend.url");
  if (new URL(manifest.mqtt.uri).hostname === PLACEHOLDER_BROKER) fields.push("mqtt.uri");
  return fields;
}

/** Hosts of the defaults: nobody has their devices there. */
export const PLACEHOLDER_BACKEND = "your-backend.com";
export const PLACEHOLDER_BROKER = "your-broker.com";

/** As `softAp.password`: one of its own for each device. */
export const PER_DEVICE = "per-device";

/** The AP's password in a manifest that says none: known to everybody. */
export const DEFAULT_AP_PASSWORD = "prov12345678";
