import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { type LoadedManifest, loadManifest, selectDevice } from "../config/load-manifest.js";
import { deviceWorkspace, type Workspace } from "../config/workspace.js";
import type { CommandContext, GlobalOptions } from "../context.js";
import type { Progress } from "../progress.js";
import { refuseBackslash } from "../supported-path.js";
import { hasJournal } from "../wifi/journal.js";

/** What most commands begin with: the device that is meant and where its files are. */
export interface Project {
  readonly manifest: DeviceManifest;
  /** The folder of the manifest. */
  readonly root: string;
  /** `.prov` in it. */
  readonly stateDir: string;
  readonly workspace: Workspace;
}

/** @throws ProvError of the manifest stage, device_unknown, path_unsupported */
export async function openProject(
  options: GlobalOptions,
  context: CommandContext,
): Promise<Project> {
  const loaded = await loadManifestFor(options, context);
  const manifest = selectDevice(loaded, options.device);
  const { root } = loaded;
  const stateDir = join(root, ".prov");
  await repairWifi(stateDir, context.out);
  return {
    manifest,
    root,
    stateDir,
    workspace: deviceWorkspace(root, manifest.id),
  };
}

/**
 * The manifest that a command line means.
 * @throws ProvError of the manifest stage, path_unsupported
 */
export async function loadManifestFor(
  { config }: GlobalOptions,
  { cwd }: CommandContext,
): Promise<LoadedManifest> {
  const path = resolve(cwd, config);
  if (existsSync(path)) refuseBackslash(path, "the loader of manifests");
  return loadManifest(config, cwd);
}

/** A run that was killed may have left this machine on a board's AP. */
async function repairWifi(stateDir: string, out: Progress): Promise<void> {
  if (!hasJournal(stateDir)) return;
  const { repairFromJournal } = await import("../wifi/repair.js");
  const report = await repairFromJournal(stateDir);
  if (report?.restored)
    out.note(`put back the WiFi that an earlier run left changed: ${report.message}`);
  else if (report) out.warn(report.message);
}
