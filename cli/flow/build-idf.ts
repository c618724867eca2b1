import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import type { Chip } from "../../codegen/chips.js";
import { PARTITION_TYPE_APP, parsePartitions } from "../../codegen/partitions.js";
import { partitionsFile, securityDeviations, securityLines } from "../../codegen/security.js";
import { ProvError } from "../errors.js";
import { readIfPresent } from "../files/files.js";
import { withLock } from "../files/lock.js";
import { refuseForBuild } from "../files/supported-path.js";
import { installRoot, readFirmwareFile } from "../paths.js";
import { runTool, type ToolRun } from "../processes/tool.js";
import { readFlasherArgs } from "../serial/flasher-args.js";
import { asTask, type Task } from "../terminal/progress.js";
import {
  type BuildRequest,
  type BuiltImage,
  type Follower,
  followBuild,
  keepArtefact,
  prepareBuildDir,
  sdkconfigBeside,
  sharedBuildDir,
  stageConfig,
  waitNote,
} from "./build.js";
import { buildFailed } from "./build-errors.js";
import { findIdf } from "./idf.js";

export interface IdfBuildRequest extends BuildRequest {
  readonly target: Chip;
  readonly env: NodeJS.ProcessEnv;
  /** The container image to build in, or undefined for the installed ESP-IDF. */
  readonly dockerImage?: string;
}

/** Where idf.py comes from. */
type Toolchain = { readonly idf: string } | { readonly image: string };

/** kconfgen has said it as "warning:", "info:" and "NOTE:" over the releases. */
const UNKNOWN_SYMBOL = /unknown kconfig symbol '?(\w+)'?/i;
/** ESP-IDF's check_sizes.py. */
const TOO_BIG = /app\w* partitions? (?:is|are) too small|Bootloader binary size .* is too large/;
/** What the docker client ends with when it was docker that failed, not the command in the container. */
const DOCKER_FAILED = 125;
const DOCKER_REASON = /^docker: |Cannot connect to the Docker daemon/;

/**
 * Builds the firmware for a chip with `idf.py`, which must stay in charge of its own build.
 * @throws ProvError path_unsupported, idf_missing, tool_missing, build_failed, manifest_invalid (unknown CONFIG_ name), image_too_big
 */
export async function buildWithIdf(request: IdfBuildRequest): Promise<BuiltImage> {
  const { root, manifest, config, progress, signal, target, dockerImage } = request;
  const firmware = join(installRoot(), "firmware");
  const { secureBoot } = manifest.security;
  refuseForBuild(firmware, root, ...(secureBoot === false ? [] : [secureBoot]));
  const toolchain: Toolchain =
    dockerImage === undefined ? { idf: findIdf(request.env, target) } : { image: dockerImage };
  // CMake binds a build folder to its toolchain, and ESP-IDF keeps the first sdkconfig that it made there.
  const buildDir = sharedBuildDir(root, target, [
    "idf" in toolchain ? toolchain.idf : toolchain.image,
    readFirmwareFile("sdkconfig.defaults"),
    readFirmwareFile(partitionsFile(manifest)),
    readFileSync(join(config.dir, "sdkconfig.defaults"), "utf8"),
    signingKeyDigest(secureBoot),
  ]);

  const image = await asTask(progress, `build ${target}`, (task) =>
    withLock(
      `${buildDir}.lock`,
      signal,
      async () => {
        // idf.py's own fullclean would take the staged configuration with it.
        prepareBuildDir(buildDir, firmware, request.clean);
        const staged = join(buildDir, "config");
        stageConfig(config, ["device_keys.h", "sdkconfig.defaults"], staged);
        const idfArgs = [
          ...["-C", firmware, "-B", buildDir],
          `-DIDF_TARGET=${target}`,
          `-DPROV_CONFIG_DIR=${staged}`,
          `-DSDKCONFIG=${join(buildDir, "sdkconfig")}`,
          "build",
        ];
        const tool = idfCommand(toolchain, idfArgs, firmware, buildDir, secureBoot);
        await runIdf(request, { ...tool, cwd: firmware, signal }, buildDir, task);
        refuseDeviations(request, buildDir);
        return collect(request, buildDir, join(config.dir, "..", "build", target));
      },
      waitNote(progress),
    ),
  );
  progress.note(
    `${manifest.id}: application ${image.appBytes} of ${image.partitionBytes} bytes (${Math.round((100 * image.appBytes) / image.partitionBytes)} %)`,
  );
  return image;
}

async function runIdf(
  request: IdfBuildRequest,
  tool: ToolRun,
  buildDir: string,
  task: Task,
): Promise<void> {
  const follow = followBuild((state) => task.update(state), request.progress);
  const symbols = watchSymbols(request, buildDir);
  const { exitCode, lines } = await runTool({
    ...tool,
    signal: AbortSignal.any([tool.signal, symbols.signal]),
    onLine: (line) => {
      follow.onLine(line);
      symbols.onLine(line, follow.steps() > 0);
    },
  });
  symbols.refuse();
  if (exitCode !== 0) throw idfFailed(request, buildDir, exitCode, lines, follow);
}

/**
 * Kconfig at most warns about a name that it does not know, but in a manifest it is a mistake. All of them are
 * known once CMake has configured; `signal` aborts when the compilation begins, which nobody has to wait for.
 * Names that prov itself sets are passed over: releases differ in what they have.
 */
function watchSymbols({ manifest }: IdfBuildRequest, buildDir: string) {
  const essential = securityLines(manifest).filter((line) => line.essential);
  const asked = new Map([
    ...Object.keys(manifest.sdkconfig).map((name) => [name, `sdkconfig.${name}`] as const),
    ...essential.map(({ name, field }) => [name, `security.${field} (${name})`] as const),
  ]);
  const unknown = new Set<string>();
  let inspected = false;
  const inspect = (): void => {
    const known = symbolsOf(buildDir);
    if (inspected || known === undefined) return;
    inspected = true;
    for (const [name, field] of asked) if (!known.has(name)) unknown.add(field);
  };
  const stop = new AbortController();
  const rejection = (): ProvError =>
    new ProvError(
      "manifest_invalid",
      [...unknown].map((field) => `${field}: this ESP-IDF has no such option`).join("\n"),
    );
  // Without its cache CMake configures again next time, and so says it again.
  const forget = (): void => rmSync(join(buildDir, "CMakeCache.txt"), { force: true });
  return {
    signal: stop.signal,
    onLine: (line: string, compiling: boolean): void => {
      const name = UNKNOWN_SYMBOL.exec(line)?.[1];
      const full = `CONFIG_${name?.replace(/^CONFIG_/, "")}`;
      const field = asked.get(full);
      if (field !== undefined) unknown.add(field);
      if (compiling) inspect();
      if (!compiling || unknown.size === 0 || stop.signal.aborted) return;
      forget();
      stop.abort(rejection());
    },
    refuse: (): void => {
      inspect();
      if (unknown.size === 0) return;
      forget();
      throw rejection();
    },
  };
}

/**
 * The symbols that ESP-IDF has, by what its kconfgen leaves for editors; undefined before that. That of 5.0 says
 * nothing about others. A name of old that it still takes is in the sdkconfig alone.
 */
function symbolsOf(buildDir: string): Set<string> | undefined {
  const menus = readIfPresent(join(buildDir, "config", "kconfig_menus.json"));
  const sdkconfig = readIfPresent(join(buildDir, "sdkconfig"));
  if (menus === undefined || sdkconfig === undefined) return undefined;
  const current = menus.matchAll(/"name":\s*"(\w+)"/g);
  const written = sdkconfig.matchAll(/^(?:# )?CONFIG_(\w+)(?:=| is not set$)/gm);
  return new Set(Array.from([...current, ...written], ([, name]) => `CONFIG_${name}`));
}

/** An image that is less than the manifest asks for, or burns more, must not reach a board. */
function refuseDeviations({ manifest }: IdfBuildRequest, buildDir: string): void {
  const sdkconfig = readIfPresent(join(buildDir, "sdkconfig")) ?? "";
  const deviations = securityDeviations(manifest, sdkconfig);
  if (deviations.length === 0) return;
  throw new ProvError("manifest_invalid", deviations.join("\n"), {
    hint: "Use a later ESP-IDF, or take what contradicts it out of `security` or `sdkconfig`.",
  });
}

/** Bootloader and application of one build have to be signed with one key, whatever its file is called. */
function signingKeyDigest(path: string | false): string {
  return path === false ? "" : createHash("sha256").update(readFileSync(path)).digest("hex");
}

function idfFailed(
  request: IdfBuildRequest,
  buildDir: string,
  exitCode: number,
  lines: readonly string[],
  follow: Follower,
): ProvError {
  if (request.dockerImage !== undefined && exitCode === DOCKER_FAILED)
    return new ProvError("tool_missing", `docker failed: ${dockerReason(lines)}`, {
      hint: "Is the Docker daemon running, and may you use it? `docker run hello-world` tells.",
    });
  const tooBig = lines.find((line) => TOO_BIG.test(line));
  if (tooBig) return new ProvError("image_too_big", tooBig.trim().replace(/^Error: /, ""));
  return buildFailed("idf.py", exitCode, lines, follow.firstError(), buildDir);
}

/** Its last line is where to find help. */
function dockerReason(lines: readonly string[]): string {
  const reason = lines.find((line) => DOCKER_REASON.test(line)) ?? lines.at(-1) ?? "no output";
  return reason.replace(/^docker: /, "");
}

function idfCommand(
  toolchain: Toolchain,
  args: readonly string[],
  firmware: string,
  buildDir: string,
  signingKey: string | false,
): Pick<ToolRun, "command" | "args" | "source" | "env"> {
  if ("idf" in toolchain) {
    const { idf } = toolchain;
    return { command: "idf.py", args, source: join(idf, "export.sh"), env: { IDF_PATH: idf } };
  }
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  return {
    command: "docker",
    args: [
      ...["run", "--rm", "--user", user, "-e", "HOME=/tmp"],
      // As process 1 idf.py would ignore the SIGTERM of an interruption.
      "--init",
      ...["-v", `${firmware}:${firmware}`, "-v", `${buildDir}:${buildDir}`, "-w", firmware],
      ...(signingKey === false ? [] : ["-v", `${signingKey}:${signingKey}:ro`]),
      ...[toolchain.image, "idf.py", ...args],
    ],
  };
}

/** Copies what is to be flashed to the device's own folder: the compile folder belongs to all devices. */
function collect(request: IdfBuildRequest, buildDir: string, outDir: string): BuiltImage {
  const args = readFlasherArgs(join(buildDir, "flasher_args.json"));
  const partitions = parsePartitions(readFirmwareFile(partitionsFile(request.manifest)));
  const app = partitions.find((partition) => partition.type === PARTITION_TYPE_APP);
  const image = args.files.find((file) => file.offset === app?.offset);
  const absent = args.files.find(({ file }) => !existsSync(file));
  if (!app || !image || absent)
    throw new ProvError(
      "build_failed",
      absent
        ? `idf.py made no ${absent.file}`
        : "flasher_args.json has no image for the application partition",
    );
  const appBytes = readFileSync(image.file).length;
  if (appBytes > app.size)
    throw new ProvError(
      "image_too_big",
      `the application has ${appBytes} bytes, its partition ${app.size}`,
    );
  for (const { file } of args.files) keepArtefact(file, join(outDir, relative(buildDir, file)));
  keepArtefact(args.path, join(outDir, "flasher_args.json"));
  const elf = join(outDir, "prov_firmware.elf");
  keepArtefact(join(buildDir, "prov_firmware.elf"), elf);
  keepArtefact(join(buildDir, "sdkconfig"), sdkconfigBeside(join(outDir, "flasher_args.json")));
  return {
    deviceId: request.manifest.id,
    target: request.target,
    flasherArgs: join(outDir, "flasher_args.json"),
    elf,
    appBytes,
    partitionBytes: app.size,
  };
}
