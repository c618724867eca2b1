import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Chip } from "../../codegen/manifest.js";
import { parsePartitions } from "../../codegen/partitions.js";
import { ProvError } from "../errors.js";
import { withLock } from "../lock.js";
import { installRoot } from "../paths.js";
import { asTask } from "../progress.js";
import { readFlasherArgs } from "../serial/flasher-args.js";
import { APP_OFFSET } from "../serial/host-image.js";
import { runTool, type ToolRun } from "../tool.js";
import {
  type BuildRequest,
  type BuiltImage,
  buildFailed,
  followBuild,
  keepArtefact,
  sharedBuildDir,
  stageConfig,
} from "./build.js";
import { findIdf } from "./idf.js";

export interface IdfBuildRequest extends BuildRequest {
  readonly target: Chip;
  readonly env: NodeJS.ProcessEnv;
  /** The container image to build in, or undefined for the installed ESP-IDF. */
  readonly dockerImage?: string;
}

const UNKNOWN_SYMBOL = /unknown kconfig symbol '?(\w+)'?/i;

/**
 * Builds the firmware for a chip with `idf.py`, which must stay in charge of its own build.
 * @throws ProvError idf_missing, build_failed, manifest_invalid (unknown CONFIG_ name), image_too_big
 */
export async function buildWithIdf(request: IdfBuildRequest): Promise<BuiltImage> {
  const { root, manifest, config, progress, signal, target } = request;
  const firmware = join(installRoot(), "firmware");
  const buildDir = sharedBuildDir(
    root,
    target,
    readFileSync(join(config.dir, "sdkconfig.defaults"), "utf8"),
  );
  const outDir = join(config.dir, "..", "build", target);
  const idf = request.dockerImage ? undefined : findIdf(request.env, target);

  const image = await asTask(progress, `build ${target}`, (task) =>
    withLock(`${buildDir}.lock`, signal, async () => {
      const staged = join(buildDir, "config");
      stageConfig(config, ["device_keys.h", "sdkconfig.defaults"], staged);
      const follow = followBuild((state) => task.update(state), progress);
      const idfArgs = [
        ...["-C", firmware, "-B", buildDir],
        `-DIDF_TARGET=${target}`,
        `-DPROV_CONFIG_DIR=${staged}`,
        `-DSDKCONFIG=${join(buildDir, "sdkconfig")}`,
        ...(request.clean && existsSync(join(buildDir, "CMakeCache.txt")) ? ["fullclean"] : []),
        "build",
      ];
      const { exitCode, lines } = await runTool({
        ...idfCommand(idf, request, idfArgs, firmware),
        cwd: firmware,
        signal,
        onLine: follow.onLine,
      });
      rejectUnknownSymbols(lines);
      if (exitCode !== 0) throw buildFailed("idf.py", exitCode, lines, follow.firstError());
      return collect(request, buildDir, outDir);
    }),
  );
  progress.note(
    `${manifest.id}: application ${image.appBytes} of ${image.partitionBytes} bytes (${Math.round((100 * image.appBytes) / image.partitionBytes)} %)`,
  );
  return image;
}

function idfCommand(
  idf: string | undefined,
  request: IdfBuildRequest,
  args: readonly string[],
  firmware: string,
): Pick<ToolRun, "command" | "args" | "source" | "env"> {
  if (idf)
    return { command: "idf.py", args, source: join(idf, "export.sh"), env: { IDF_PATH: idf } };
  const image = request.dockerImage ?? "";
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  return {
    command: "docker",
    args: [
      "run",
      "--rm",
      "--user",
      user,
      "-e",
      "HOME=/tmp",
      "-v",
      `${firmware}:${firmware}`,
      "-v",
      `${request.root}:${request.root}`,
      "-w",
      firmware,
      image,
      "idf.py",
      ...args,
    ],
  };
}

/** Kconfig only warns about a name that it does not know; in a manifest it is a mistake. */
function rejectUnknownSymbols(lines: readonly string[]): void {
  const unknown = new Set(lines.flatMap((line) => UNKNOWN_SYMBOL.exec(line)?.[1] ?? []));
  if (unknown.size === 0) return;
  const names = [...unknown].map((name) => `CONFIG_${name.replace(/^CONFIG_/, "")}`);
  throw new ProvError("manifest_invalid", `sdkconfig: this ESP-IDF has no ${names.join(", ")}`);
}

/** Copies what is to be flashed to the device's own folder: the compile folder belongs to all devices. */
function collect(request: IdfBuildRequest, buildDir: string, outDir: string): BuiltImage {
  const args = readFlasherArgs(join(buildDir, "flasher_args.json"));
  for (const { file } of args.files)
    keepArtefact(file, join(outDir, file.slice(buildDir.length + 1)));
  keepArtefact(args.path, join(outDir, "flasher_args.json"));
  const elf = join(outDir, "prov_firmware.elf");
  keepArtefact(join(buildDir, "prov_firmware.elf"), elf);
  const partitions = parsePartitions(
    readFileSync(join(installRoot(), "firmware", "partitions.csv"), "utf8"),
  );
  const app = partitions.find((partition) => partition.offset === APP_OFFSET);
  const image = args.files.find((file) => file.offset === app?.offset);
  if (!app || !image)
    throw new ProvError(
      "build_failed",
      "flasher_args.json has no image for the application partition",
    );
  const appBytes = readFileSync(image.file).length;
  if (appBytes > app.size)
    throw new ProvError(
      "image_too_big",
      `the application has ${appBytes} bytes, its partition ${app.size}`,
    );
  return {
    deviceId: request.manifest.id,
    target: request.target,
    flasherArgs: join(outDir, "flasher_args.json"),
    elf,
    appBytes,
    partitionBytes: app.size,
  };
}
