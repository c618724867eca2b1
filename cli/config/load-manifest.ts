import { accessSync, constants, statSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { parseDevice } from "../../codegen/manifest-schema.js";
import { looksLikePem } from "../../codegen/pem-content.js";
import { valueAt } from "../../codegen/value-at.js";
import { ProvError } from "../errors.js";
import { reasonOf, systemError } from "../system-error.js";
import { contain } from "./contain.js";
import { readNamedFile } from "./named-file.js";
import { signingKeyFault } from "./signing-key.js";

export const MANIFEST_NAME = "device.config.ts";

/** A manifest whose every device has been checked. */
export interface LoadedManifest {
  /** Absolute path of the manifest. */
  readonly path: string;
  /** Its folder, which also holds `.prov`. */
  readonly root: string;
  readonly devices: readonly DeviceManifest[];
}

/** A manifest may ask somebody for a value, but nobody waits for it longer than this. */
const LOAD_LIMIT_MS = 30_000;

/**
 * Loads and checks a manifest, whose code is the user's and may do anything.
 * @param file path as given by the user, or undefined for `device.config.ts` in `cwd`
 * @throws ProvError manifest_not_found, file_inaccessible, manifest_unloadable, manifest_invalid; the reason of
 * `signal` when that aborts
 */
export async function loadManifest(
  file: string | undefined,
  cwd: string,
  signal: AbortSignal,
  limitMs = LOAD_LIMIT_MS,
): Promise<LoadedManifest> {
  const path = resolve(cwd, file ?? MANIFEST_NAME);
  requireFile(path);
  try {
    return await contain(() => load(path), { signal, limitMs });
  } catch (error) {
    if (error instanceof ProvError) throw error;
    throw new ProvError("manifest_unloadable", `${path} cannot be loaded: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** The checks belong to it: what they read may be a getter. */
async function load(path: string): Promise<LoadedManifest> {
  const root = dirname(path);
  const exported = await importDefault(path);
  const definitions: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  if (definitions.length === 0)
    throw new ProvError("manifest_invalid", `${path} defines no device`, {
      hint: "Export at least one: export default [defineDevice({ id: … })].",
    });
  return { path, root, devices: checkDevices(definitions, root, path, Array.isArray(exported)) };
}

function requireFile(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code !== "ENOENT")
      throw systemError(error, path) ?? error;
    throw new ProvError("manifest_not_found", `there is no manifest at ${path}`, { cause: error });
  }
  if (statSync(path).isDirectory())
    throw new ProvError("file_inaccessible", `${path}: it is a folder`, {
      hint: "Name the manifest itself with --config FILE.",
    });
}

/**
 * The device that the user means: the one named, or the only one.
 * @throws ProvError device_unknown
 */
export function selectDevice(manifest: LoadedManifest, id: string | undefined): DeviceManifest {
  const [first, ...others] = manifest.devices;
  const found = id === undefined ? first : manifest.devices.find((device) => device.id === id);
  const ids = manifest.devices.map((device) => device.id).join(", ");
  if (id === undefined && others.length > 0) {
    throw new ProvError("device_unknown", `the manifest defines several devices: ${ids}`, {
      hint: "Choose one with --device ID.",
    });
  }
  if (found === undefined) {
    throw new ProvError("device_unknown", `the manifest defines no device "${id}"; it has: ${ids}`);
  }
  return found;
}

async function importDefault(path: string): Promise<unknown> {
  // The manifest's `import … from "prov"` gets the module beside this one, compiled or not.
  const prov = fileURLToPath(
    new URL(`../../codegen/manifest${extname(import.meta.url)}`, import.meta.url),
  );
  const jiti = createJiti(import.meta.url, { fsCache: false, moduleCache: false, alias: { prov } });
  const module: unknown = await jiti.import(path);
  if (typeof module !== "object" || module === null || !("default" in module)) {
    throw new ProvError("manifest_invalid", `${path} has no default export`, {
      hint: "Write `export default defineDevice({ … })`.",
    });
  }
  return module.default;
}

function checkDevices(
  definitions: readonly unknown[],
  root: string,
  path: string,
  several: boolean,
): DeviceManifest[] {
  const devices: DeviceManifest[] = [];
  const faults: string[] = [];
  for (const [index, definition] of definitions.entries()) {
    const prefix = several ? `[${index}].` : "";
    const result = parseDevice(withSigningKeyPath(definition, root), {
      readFile: (file) => readNamedFile(resolve(root, file)),
      written: definition,
    });
    if (result.ok) {
      devices.push(result.device);
      const fault = signingKeyFault(result.device);
      if (fault !== undefined) faults.push(prefix + fault);
    } else faults.push(...result.issues.map((issue) => prefix + issue.message));
  }
  faults.push(...duplicateIds(devices));
  if (faults.length === 0) return devices;
  throw new ProvError(
    "manifest_invalid",
    `${path} is not valid:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
  );
}

/** Ids name folders, and some file systems do not tell case apart. */
function duplicateIds(devices: readonly DeviceManifest[]): string[] {
  const seen = new Map<string, string>();
  const faults: string[] = [];
  for (const { id } of devices) {
    const earlier = seen.get(id.toLowerCase());
    if (earlier !== undefined)
      faults.push(`id: expected a different one per device, got "${earlier}" and "${id}"`);
    seen.set(id.toLowerCase(), id);
  }
  return faults;
}

/** The build runs elsewhere, so the key's path becomes an absolute one. */
function withSigningKeyPath(definition: unknown, root: string): unknown {
  const security = valueAt(definition, ["security"]);
  const key = valueAt(security, ["secureBoot"]);
  if (typeof key !== "string" || key === "" || looksLikePem(key)) return definition;
  return {
    ...Object(definition),
    security: { ...Object(security), secureBoot: resolve(root, key) },
  };
}
