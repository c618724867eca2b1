import { join } from "node:path";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { loadManifest, selectDevice } from "../config/load-manifest.js";
import { deviceWorkspace, type Workspace } from "../config/workspace.js";
import type { CommandContext, GlobalOptions } from "../context.js";

/** What most commands begin with: the device that is meant and where its files are. */
export interface Project {
  readonly manifest: DeviceManifest;
  /** The folder of the manifest. */
  readonly root: string;
  /** `.prov` in it. */
  readonly stateDir: string;
  readonly workspace: Workspace;
}

/** @throws ProvError of the manifest stage, device_unknown */
export async function openProject(
  options: GlobalOptions,
  context: CommandContext,
): Promise<Project> {
  const loaded = await loadManifest(options.config, context.cwd);
  const manifest = selectDevice(loaded, options.device);
  const { root } = loaded;
  return {
    manifest,
    root,
    stateDir: join(root, ".prov"),
    workspace: deviceWorkspace(root, manifest.id),
  };
}
