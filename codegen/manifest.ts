import type { ShortChip, Target } from "./chips.js";

export const KEY_ALGORITHMS = ["P-256", "RSA-2048"] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** What the device's log holds, each level with those before it. The index is ESP-IDF's number for it. */
export const LOG_LEVELS = ["none", "error", "warn", "info", "debug", "verbose"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type SdkconfigValue = string | number | boolean;

/** What `device.config.ts` may say about a device; everything but `id` has a default. */
export interface DeviceDefinition {
  /** Name of the device, certificate CN and MQTT client id: 1–64 of `A–Z a–z 0–9 _ -`. */
  readonly id: string;
  /** The chip, or `host`. Default `esp32`. */
  readonly target?: Target | ShortChip | undefined;
  readonly softAp?:
    | {
        /** The AP is called `<prefix>-XXXXXX`; at most 25 bytes. Default `ESP32-Prov`. */
        readonly ssidPrefix?: string | undefined;
        /** WPA2 password of the AP, 8–63 printable ASCII characters, or `per-device`: a random one that `prov keys` prints. Default `prov12345678`. */
        readonly password?: string | undefined;
        /** WiFi channel of the AP, 1–11, or up to 13 where `wifi.country` allows it. Default 1. */
        readonly channel?: number | undefined;
        /** Asked of whoever provisions or resets, besides the AP's password; 8–64 printable ASCII characters. Default "": none. */
        readonly pairingSecret?: string | undefined;
        /** The AP closes after this long without a provisioning, until the next power-up; 0–86400. Default 0: never. */
        readonly windowSeconds?: number | undefined;
      }
    | undefined;
  readonly wifi?:
    | {
        /** Whether the device joins networks without a password. Default false. */
        readonly allowOpen?: boolean | undefined;
        /** Where the radio is used: ISO 3166 code that the driver knows, or `01`, which is legal everywhere. Default `01`. */
        readonly country?: string | undefined;
        /** The AP opens after this long without WiFi, while the device goes on trying; 0–86400, 0 is never. Default 300. */
        readonly fallbackApSeconds?: number | undefined;
      }
    | undefined;
  readonly time?:
    | {
        /** SNTP servers, tried in turn: 1–4 host names or addresses. Default `["pool.ntp.org"]`. */
        readonly servers?: readonly string[] | undefined;
      }
    | undefined;
  readonly backend?:
    | {
        /** Base URL of the backend that signs the CSR; https only. */
        readonly url?: string | undefined;
        /** CA to pin: PEM text, or a path relative to the manifest. Default: the system bundle. */
        readonly ca?: string | undefined;
        /** Path of the report after enrolment; "" switches it off. Default `/device-report`. */
        readonly reportPath?: string | undefined;
      }
    | undefined;
  readonly mqtt?:
    | {
        /** The broker; mqtts only. */
        readonly uri?: string | undefined;
        /** Seconds between two status messages, 1–86400. Default 30. */
        readonly statusIntervalSeconds?: number | undefined;
        /** For a broker that wants it beside the certificate: 1–128 bytes. Default "": none. */
        readonly username?: string | undefined;
        /** Goes with `username`: 1–512 bytes. It is as secret as the device's key. Default "": none. */
        readonly password?: string | undefined;
      }
    | undefined;
  /** The device's private key. Default P-256. */
  readonly key?: { readonly algorithm?: KeyAlgorithm | undefined } | undefined;
  /** What protects the device against somebody who holds it. All off by default; most of it is for good. */
  readonly security?:
    | {
        /** Encrypts settings, tokens and certificates in flash; `hmac` burns an eFuse block. */
        readonly nvsEncryption?: false | "flash-encryption" | "hmac" | undefined;
        /** Encrypts the whole flash, and with it the device's private key. Burns eFuses. */
        readonly flashEncryption?: false | "development" | "release" | undefined;
        /** Runs signed firmware only: the PEM file with the signing key, relative to the manifest. Burns eFuses. */
        readonly secureBoot?: false | string | undefined;
      }
    | undefined;
  /** How much the device logs. Default `info`: below it, the log no longer tells the states that `prov` reads there. */
  readonly logLevel?: LogLevel | undefined;
  /** Whether a crash leaves a core dump in flash. It holds what was in memory, secrets included. Default false. */
  readonly coreDump?: boolean | undefined;
  /** Further `CONFIG_*` lines for ESP-IDF. */
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
  readonly time: { readonly servers: readonly string[] };
  readonly backend: {
    /** Without a trailing slash. */
    readonly url: string;
    /** PEM, or null for the system bundle. */
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
  readonly key: { readonly algorithm: KeyAlgorithm };
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

const PLACEHOLDER_BACKEND = "your-backend.com";
const PLACEHOLDER_BROKER = "your-broker.com";

/** As `softAp.password`: one of its own for each device. */
export const PER_DEVICE = "per-device";

export const DEFAULTS = {
  target: "esp32",
  softAp: {
    ssidPrefix: "ESP32-Prov",
    password: "prov12345678",
    channel: 1,
    pairingSecret: "",
    windowSeconds: 0,
  },
  wifi: { allowOpen: false, country: "01", fallbackApSeconds: 300 },
  time: { servers: ["pool.ntp.org"] },
  backend: { url: `https://${PLACEHOLDER_BACKEND}`, reportPath: "/device-report" },
  mqtt: {
    uri: `mqtts://${PLACEHOLDER_BROKER}:8883`,
    statusIntervalSeconds: 30,
    username: "",
    password: "",
  },
  key: { algorithm: "P-256" },
  security: { nvsEncryption: false, flashEncryption: false, secureBoot: false },
  logLevel: "info",
  coreDump: false,
} as const;
