import type { DeviceManifest } from "../../codegen/manifest.js";
import { parseDevice } from "../../codegen/manifest-schema.js";

/** The device of a manifest. @throws what is wrong with one that is not sound */
export function soundDevice(definition: unknown): DeviceManifest {
  const parsed = parseDevice(definition);
  if (!parsed.ok) throw new Error(complaintsOf(definition).join("\n"));
  return parsed.device;
}

/** What is wrong with a manifest. */
export function complaintsOf(definition: unknown): string[] {
  const parsed = parseDevice(definition);
  return parsed.ok ? [] : parsed.issues.map((issue) => issue.message);
}

/** The least that a manifest may say. */
export const ID = { id: "d1" };

/** A path below the device set to a value: `at("softAp.channel", 3)`. */
export function at(path: string, value: unknown): Record<string, unknown> {
  const [head = "", ...rest] = path.split(".");
  return { ...ID, [head]: rest.length === 0 ? value : { [rest.join(".")]: value } };
}
