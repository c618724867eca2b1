import { findTarget, TARGETS, type Target } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { securityIssues } from "../../codegen/security.js";
import type { CommandContext, GlobalOptions } from "../context.js";
import { ProvError } from "../errors.js";
import type { BuiltImage } from "../flow/build.js";
import { buildWithIdf } from "../flow/build-idf.js";
import { generateConfig } from "../flow/codegen.js";
import { makeKeys } from "../flow/keys.js";
import { openProject, type Project } from "../flow/project.js";
import { buildForHost, DEFAULT_VIRTUAL_CHIP } from "../lab/stages/build-host.js";
import type { CommandResult } from "../terminal/output.js";

export interface BuildOptions extends GlobalOptions {
  target?: string;
  clean?: boolean;
  docker?: boolean;
  idfImage?: string;
}

const DEFAULT_IDF_IMAGE = "espressif/idf:release-v5.5";

/** `prov build`: keys → codegen → firmware image. */
export function buildCommand(
  options: BuildOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
    const given = parseTarget(options.target);
    if (options.idfImage !== undefined && !options.docker)
      throw new ProvError("usage", "--idf-image is the image for --docker, which is not given");
    const project = await openProject(options, context);
    const target = given ?? project.manifest.target;
    if (target === "host" && options.docker)
      throw new ProvError("usage", "--docker is for a chip's build, and the target is `host`");
    const image = await buildDevice(project, target, options, context);
    const percent = Math.round((100 * image.appBytes) / image.partitionBytes);
    return {
      json: {
        device: image.deviceId,
        target,
        flasherArgs: image.flasherArgs,
        elf: image.elf,
        size: { app: image.appBytes, partition: image.partitionBytes },
      },
      text: `${image.flasherArgs}\napplication: ${image.appBytes} of ${image.partitionBytes} bytes (${percent} %)`,
    };
  };
}

async function buildDevice(
  project: Project,
  target: Target,
  options: BuildOptions,
  context: CommandContext,
): Promise<BuiltImage> {
  const { manifest, root, workspace } = project;
  const identity = await makeKeys(root, manifest, false);
  const config = generateConfig(configuredFor(manifest, target), identity, workspace);
  for (const warning of config.warnings) context.out.warn(warning);
  const request = {
    manifest,
    config,
    root,
    clean: options.clean ?? false,
    signal: context.signal,
    progress: context.out,
  };
  if (target === "host") {
    const chip = manifest.target === "host" ? DEFAULT_VIRTUAL_CHIP : manifest.target;
    return buildForHost({ ...request, target, chip });
  }
  return buildWithIdf({
    ...request,
    target,
    env: context.env,
    ...(options.docker ? { dockerImage: options.idfImage ?? DEFAULT_IDF_IMAGE } : {}),
  });
}

/** A chip's configuration names the chip; the host's is that of the chip that the virtual board plays. */
function configuredFor(manifest: DeviceManifest, target: Target): DeviceManifest {
  if (target === "host") return manifest;
  const configured = { ...manifest, target };
  const issue = securityIssues(configured)[0];
  if (issue === undefined) return configured;
  throw new ProvError("manifest_invalid", `${issue.path}: expected ${issue.expected}`);
}

/** Accepts `esp32c3`, `c3` and `host`. @throws ProvError usage */
export function parseTarget(given: string | undefined): Target | undefined {
  if (given === undefined) return undefined;
  const found = findTarget(given);
  if (!found)
    throw new ProvError("usage", `--target: expected one of ${TARGETS.join(", ")}, got "${given}"`);
  return found;
}
