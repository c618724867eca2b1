import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { type LoadedManifest, loadManifest, selectDevice } from "../config/load-manifest.js";
import { deviceWorkspace, type Workspace } from "../config/workspace.js";
import type { GlobalOptions, WorkContext } from "../context.js";
import { withApPassword } from "../device/ap-password.js";
import { ProvError } from "../errors.js";
import { keepFromGit, PROV_FOLDER } from "../files/private-dir.js";
import { refuseBackslash } from "../files/supported-path.js";
import { systemError } from "../system-error.js";
import type { Progress } from "../terminal/progress.js";
import { hasJournal } from "../wifi/journal.js";
import { stateDir, thisMachine } from "../wifi/state-dir.js";

/** What most commands begin with: the device that is meant and where its files are. */
export interface Project {
  readonly manifest: DeviceManifest;
  /** The folder of the manifest. */
  readonly root: string;
  /** Where the journal of this machine's WiFi lies. */
  readonly stateDir: string;
  readonly workspace: Workspace;
}

/**
 * @param readOnly for a check, which must write nothing
 * @throws ProvError of the manifest stage, device_unknown, path_unsupported, identity_invalid
 */
export async function openProject(
  options: GlobalOptions,
  context: WorkContext,
  readOnly = false,
): Promise<Project> {
  const loaded = await loadManifestFor(options, context);
  const selected = selectDevice(loaded, options.device);
  const { root } = loaded;
  const provDir = join(root, PROV_FOLDER);
  if (!readOnly) ignoreOlder(provDir);
  const workspace = deviceWorkspace(root, selected.id);
  const manifest = withApPassword(selected, workspace, readOnly);
  const journalDir = journalDirOf(root, context);
  await repairWifi(journalDir, context.out);
  return {
    manifest,
    root,
    stateDir: journalDir,
    workspace,
  };
}

/**
 * The device that --device names, or all of the manifest, for a check: nothing is written for them.
 * @throws ProvError of the manifest stage, device_unknown, path_unsupported, identity_invalid
 */
export async function openDevices(
  options: GlobalOptions,
  context: WorkContext,
): Promise<{ root: string; devices: readonly DeviceManifest[] }> {
  const loaded = await loadManifestFor(options, context);
  const { root } = loaded;
  const chosen =
    options.device === undefined ? loaded.devices : [selectDevice(loaded, options.device)];
  const devices = chosen.map((device) =>
    withApPassword(device, deviceWorkspace(root, device.id), true),
  );
  await repairWifi(journalDirOf(root, context), context.out);
  return { root, devices };
}

function journalDirOf(root: string, { env }: WorkContext): string {
  return stateDir(thisMachine(env), join(root, PROV_FOLDER));
}

/**
 * The manifest that a command line means.
 * @throws ProvError of the manifest stage, path_unsupported
 */
export async function loadManifestFor(
  { config }: GlobalOptions,
  { cwd, signal }: WorkContext,
): Promise<LoadedManifest> {
  const path = resolve(cwd, config);
  if (existsSync(path)) refuseBackslash(path, "the loader of manifests");
  return loadManifest(config, cwd, signal);
}

/** A `.prov` that an older version made, or a user, may not be ignored by git yet. */
function ignoreOlder(provDir: string): void {
  if (!existsSync(provDir)) return;
  try {
    keepFromGit(provDir);
  } catch (error) {
    // Where this cannot be written, nothing else can: whoever needs to write there says so.
    if (systemError(error) === undefined) throw error;
  }
}

/** A run that was killed may have left this machine on a board's AP. */
async function repairWifi(journalDir: string, out: Progress): Promise<void> {
  if (!hasJournal(journalDir)) return;
  const { repairFromJournal } = await import("../wifi/repair.js");
  try {
    const report = await repairFromJournal(journalDir);
    if (report?.restored)
      out.note(`put back the WiFi that an earlier run left changed: ${report.message}`);
    else if (report) out.warn(report.message);
  } catch (error) {
    // Only a command that needs the WiFi fails over it, when it joins.
    if (!(error instanceof ProvError)) throw error;
    out.warn(`${error.message}. ${error.hint}`);
  }
}
