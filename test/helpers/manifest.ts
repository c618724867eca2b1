import type { DeviceManifest } from "../../codegen/manifest.js";
import { parseDevice } from "../../codegen/manifest-schema.js";

/** The device of a manifest. @throws what is wrong with one that is not sound */
export function soundDevice(definition: object): DeviceManifest {
  const parsed = parseDevice(definition);
  if (!parsed.ok) throw new Error(complaintsOf(definition).join("\n"));
  return parsed.device;
}

/** What is wrong with a manifest. */
export function complaintsOf(definition: object): string[] {
  const parsed = parseDevice(definition);
  return parsed.ok ? [] : parsed.issues.map((issue) => issue.message);
}
