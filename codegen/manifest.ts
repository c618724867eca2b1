import type { z } from "zod";
import type { deviceSchema } from "./manifest-fields.js";
import type { DeviceDefinition } from "./manifest-types.js";

export type { DeviceDefinition };

type Fixed<Value> = Value extends object
  ? { readonly [Key in keyof Value]: Fixed<Value[Key]> }
  : Value;

/** A device with every default filled in; what the rest of prov works with. */
export type DeviceManifest = Fixed<z.output<typeof deviceSchema>>;
export type KeyAlgorithm = DeviceManifest["key"]["algorithm"];

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

/** As `softAp.password`: one of its own for each device. */
export const PER_DEVICE = "per-device";
