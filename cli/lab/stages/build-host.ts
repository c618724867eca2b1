import { join } from "node:path";
import { type Chip, DEFAULT_LOADER_CHIP } from "../../../codegen/chips.js";
import type { DeviceManifest } from "../../../codegen/manifest.js";
import { encodePartitionTable, parsePartitions } from "../../../codegen/partitions.js";
import { ProvError } from "../../errors.js";
import { withLock } from "../../files/lock.js";
import { PROV_FOLDER } from "../../files/private-dir.js";
import { refuseForBuild } from "../../files/supported-path.js";
import {
  type BuildRequest,
  type BuiltImage,
  followBuild,
  keepArtefact,
  prepareBuildDir,
  stageConfig,
  waitNote,
} from "../../flow/build.js";
import { buildFailed } from "../../flow/build-errors.js";
import { installRoot, readFirmwareFile } from "../../paths.js";
import { requireProgram } from "../../processes/on-path.js";
import { runTool } from "../../processes/tool.js";
import { asTask } from "../../terminal/progress.js";
import { APP_OFFSET, packHostImage } from "../board/host-image.js";

export type Sanitizer = "address" | "undefined" | "thread";

export interface HostBuildRequest extends BuildRequest {
  /** The chip whose ROM loader the virtual board speaks. */
  readonly chip: Chip;
  readonly sanitize?: Sanitizer | undefined;
}

/** The chip that a virtual board of this device plays. */
export function chipPlayedBy({ target }: DeviceManifest): Chip {
  return target === "host" ? DEFAULT_LOADER_CHIP : target;
}

const BINARY = "prov_firmware";

/**
 * Builds the firmware as a process of this machine and packs it as the image of the virtual board.
 * @throws ProvError path_unsupported, build_failed, tool_missing, image_too_big
 */
export async function buildForHost(request: HostBuildRequest): Promise<BuiltImage> {
  const { root, manifest, progress, signal } = request;
  const firmware = join(installRoot(), "firmware");
  const variant = request.sanitize ? `host-${request.sanitize}` : "host";
  const buildDir = join(root, PROV_FOLDER, "build", variant);
  refuseForBuild(firmware, root);
  const outDir = join(request.config.dir, "..", "build", variant);
  const partitions = parsePartitions(readFirmwareFile("partitions.csv"));
  const app = partitions.find((partition) => partition.offset === APP_OFFSET);
  if (!app)
    throw new ProvError(
      "build_failed",
      `partitions.csv has no partition at 0x${APP_OFFSET.toString(16)}`,
    );

  return asTask(progress, `build ${variant}`, (task) =>
    withLock(
      `${buildDir}.lock`,
      signal,
      async () => {
        for (const tool of ["cmake", "ninja"] as const) requireProgram(tool, process.env);
        prepareBuildDir(buildDir, join(firmware, "host"), request.clean);
        stageConfig(request.config, ["device_keys.h", "sdkconfig.h"], join(buildDir, "config"));
        const follow = followBuild((state) => task.update(state), progress);
        const tool = async (args: readonly string[]): Promise<void> => {
          const { exitCode, lines } = await runTool({
            command: "cmake",
            args,
            cwd: firmware,
            signal,
            onLine: follow.onLine,
          });
          if (exitCode !== 0)
            throw buildFailed("cmake", exitCode, lines, follow.firstError(), buildDir);
        };
        await tool([
          ...["-S", join(firmware, "host"), "-B", buildDir, "-G", "Ninja"],
          `-DPROV_CONFIG_DIR=${join(buildDir, "config")}`,
          `-DPROV_SANITIZE=${request.sanitize ?? ""}`,
        ]);
        await tool(["--build", buildDir]);

        const elf = join(outDir, `${BINARY}.elf`);
        keepArtefact(join(buildDir, BINARY), elf);
        const packed = packHostImage({
          elf: await flashable(elf, request.sanitize, signal),
          chip: request.chip,
          partitionTable: encodePartitionTable(partitions),
          appPartitionSize: app.size,
          outDir,
        });
        return {
          deviceId: manifest.id,
          target: "host",
          flasherArgs: packed.flasherArgs,
          elf,
          appBytes: packed.appSize,
          partitionBytes: app.size,
        };
      },
      waitNote(progress),
    ),
  );
}

/** The ELF without its debug sections, as a chip image has none either; sanitizers need theirs to name lines. */
async function flashable(
  elf: string,
  sanitize: Sanitizer | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (sanitize) return elf;
  const stripped = `${elf}.stripped`;
  const { exitCode, lines } = await runTool({
    command: "strip",
    args: ["-o", stripped, elf],
    cwd: "/",
    signal,
  });
  if (exitCode !== 0) throw buildFailed("strip", exitCode, lines, undefined);
  return stripped;
}
