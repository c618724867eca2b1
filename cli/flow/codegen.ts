import { join } from "node:path";
import { emitDeviceKeys } from "../../codegen/device-keys.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { placeholderFields } from "../../codegen/manifest-fields.js";
import { parseDevice } from "../../codegen/manifest-schema.js";
import { emitSdkconfigDefaults, emitSdkconfigHeader } from "../../codegen/sdkconfig.js";
import { irreversibleSteps } from "../../codegen/security.js";
import type { Workspace } from "../config/workspace.js";
import { openApWarnings } from "../device/ap-password.js";
import { ProvError } from "../errors.js";
import { isCurrent, PLAIN_FILE, SECRET_FILE, writeIfChanged } from "../files/files.js";
import type { Identity } from "../pki/identity.js";

/** What a build of the firmware is configured with. */
export interface GeneratedConfig {
  /** Holds device_keys.h, sdkconfig.defaults and sdkconfig.h; absolute. */
  readonly dir: string;
  readonly changedFiles: readonly string[];
  readonly warnings: readonly string[];
}

/** Values that the lab puts in the place of the manifest's. */
export interface ManifestOverrides {
  readonly backendUrl?: string;
  /** PEM. */
  readonly backendCa?: string;
  readonly mqttUri?: string;
}

/** Where a lab keeps the configuration of its firmware, and what it changes in it. */
export interface LabConfig {
  readonly dir: string;
  readonly overrides: ManifestOverrides;
}

interface GeneratedFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/**
 * The manifest with the overrides in place, checked like any other.
 * @throws ProvError manifest_invalid
 */
export function applyOverrides(
  manifest: DeviceManifest,
  overrides: ManifestOverrides,
): DeviceManifest {
  const result = parseDevice({
    ...manifest,
    backend: {
      ...manifest.backend,
      url: overrides.backendUrl ?? manifest.backend.url,
      ca: overrides.backendCa ?? manifest.backend.ca ?? undefined,
    },
    mqtt: { ...manifest.mqtt, uri: overrides.mqttUri ?? manifest.mqtt.uri },
  });
  if (result.ok) return result.device;
  throw new ProvError("manifest_invalid", result.issues.map((issue) => issue.message).join("\n"));
}

/**
 * Writes the configuration of a device's firmware; only files that changed, and none when any cannot
 * be made. With `lab` it goes into that lab's own folder, with the lab's addresses in the place of the
 * manifest's: two labs build at the same time, and plain `idf.py` is not led to either.
 * @throws ProvError codegen_stale (with `check`, which writes nothing), manifest_invalid
 */
export function generateConfig(
  manifest: DeviceManifest,
  identity: Identity,
  workspace: Workspace,
  options: { readonly check?: boolean; readonly lab?: LabConfig } = {},
): GeneratedConfig {
  const { lab } = options;
  const effective = lab === undefined ? manifest : applyOverrides(manifest, lab.overrides);
  const dir = lab?.dir ?? workspace.configDir;
  const files = emitAll(effective, identity, dir);
  if (options.check) refuseStale(files);
  const pointer = { path: workspace.firmwareCmake, text: pointerTo(dir), mode: PLAIN_FILE };
  const wanted = options.check || lab !== undefined ? files : [...files, pointer];
  const changed = options.check
    ? []
    : wanted.filter(({ path, text, mode }) => writeIfChanged(path, text, mode));
  // A lab's board is a virtual one, which has no eFuses.
  const steps = lab === undefined ? irreversibleSteps(effective) : [];
  return {
    dir,
    changedFiles: changed.map((file) => file.path),
    warnings: [
      ...placeholderWarnings(effective),
      ...(lab === undefined ? openApWarnings(effective) : []),
      ...steps,
    ],
  };
}

function emitAll(manifest: DeviceManifest, identity: Identity, dir: string): GeneratedFile[] {
  const keys = emitDeviceKeys({
    deviceId: manifest.id,
    privateKeyPem: identity.privateKeyPem,
    csrPem: identity.csrPem,
    backendCaPem: manifest.backend.ca,
    mqttUsername: manifest.mqtt.username,
    mqttPassword: manifest.mqtt.password,
  });
  // sdkconfig holds the AP's password.
  return [
    { path: join(dir, "device_keys.h"), text: keys, mode: SECRET_FILE },
    {
      path: join(dir, "sdkconfig.defaults"),
      text: emitSdkconfigDefaults(manifest),
      mode: SECRET_FILE,
    },
    { path: join(dir, "sdkconfig.h"), text: emitSdkconfigHeader(manifest), mode: SECRET_FILE },
  ];
}

/** The pointer belongs to the device generated last, so `--check` leaves it alone. */
function refuseStale(files: readonly GeneratedFile[]): void {
  const stale = files.filter(({ path, text, mode }) => !isCurrent(path, text, mode));
  if (stale.length === 0) return;
  const list = stale.map((file) => `  ${file.path}`).join("\n");
  throw new ProvError("codegen_stale", `these files do not match the manifest:\n${list}`);
}

/** A bracket argument takes every character as it is; CMake wants forward slashes on Windows too. */
function pointerTo(dir: string): string {
  const path = process.platform === "win32" ? dir.replaceAll("\\", "/") : dir;
  return `# Generated by prov. Do not edit.\nset(PROV_CONFIG_DIR [==[${path}]==])\n`;
}

function placeholderWarnings(manifest: DeviceManifest): string[] {
  return placeholderFields(manifest).map(
    (field) => `${field} is still a placeholder; \`prov flash\` will refuse it`,
  );
}
