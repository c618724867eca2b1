import type { DeviceDefinition, DeviceManifest } from "./manifest-types.js";

export type { DeviceDefinition, DeviceManifest };

export const KEY_ALGORITHMS = ["P-256", "RSA-2048"] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** What the device's log holds, each level with those before it. The index is ESP-IDF's number for it. */
export const LOG_LEVELS = ["none", "error", "warn", "info", "debug", "verbose"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type SdkconfigValue = string | number | boolean;

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
