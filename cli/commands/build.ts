import type { Target } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import type { CommandContext, GlobalOptions } from "../context.js";
import { ProvError } from "../errors.js";
import type { FirmwareSource } from "../flow/board.js";
import type { Project } from "../flow/project.js";
import type { Verb } from "../verb.js";

interface BuildOptions extends GlobalOptions {
  target?: string;
  clean?: boolean;
  docker?: boolean;
  idfImage?: string;
}

const DEFAULT_IDF_IMAGE = "espressif/idf:release-v5.5";

/** `prov build`: keys → codegen → firmware image. */
export const build: Verb<BuildOptions> = {
  name: "build",
  summary: "build the firmware (ESP-IDF for a chip, cmake for the virtual board)",
  options: (command) =>
    command
      .option(
        "--target <chip>",
        "override the manifest's target; `host` builds for the virtual board",
      )
      .option("--clean", "build everything again")
      .option("--docker", "build in the espressif/idf image")
      .option("--idf-image <image>", `the image for --docker; default ${DEFAULT_IDF_IMAGE}`),
  async action(options, context) {
    const { buildFirmware } = await import("../flow/chain.js");
    const { openProject } = await import("../flow/project.js");
    const { createStageClock } = await import("../flow/stages.js");
    const { parseTarget } = await import("./options/target.js");
    const given = parseTarget(options.target);
    if (options.idfImage !== undefined && !options.docker)
      throw new ProvError("usage", "--idf-image is the image for --docker, which is not given");
    const project = await openProject(options, context);
    const target = given ?? project.manifest.target;
    if (target === "host" && options.docker)
      throw new ProvError("usage", "--docker is for a chip's build, and the target is `host`");
    const source = await sourceFor(target, project, options, context);
    const image = await buildFirmware(project, source, createStageClock(), context.out.warn);
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
  },
};

/** ESP-IDF for a chip; for `host`, what the lab builds with. */
async function sourceFor(
  target: Target,
  { manifest, root }: Project,
  options: BuildOptions,
  { out, signal, env }: CommandContext,
): Promise<FirmwareSource> {
  const request = { manifest, root, clean: options.clean ?? false, signal, progress: out };
  if (target === "host") {
    const { buildForHost, chipPlayedBy } = await import("../lab/stages/build-host.js");
    const chip = chipPlayedBy(manifest);
    return { manifest, build: (config) => buildForHost({ ...request, config, target, chip }) };
  }
  const { securityIssues } = await import("../../codegen/security.js");
  const { buildWithIdf } = await import("../flow/build-idf.js");
  const configured: DeviceManifest = { ...manifest, target };
  const issue = securityIssues(configured)[0];
  if (issue !== undefined)
    throw new ProvError("manifest_invalid", `${issue.path}: expected ${issue.expected}`);
  const docker = options.docker ? { dockerImage: options.idfImage ?? DEFAULT_IDF_IMAGE } : {};
  return {
    manifest: configured,
    build: (config) => buildWithIdf({ ...request, config, target, env, ...docker }),
  };
}
