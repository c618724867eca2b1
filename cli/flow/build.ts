import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import type { Workspace } from "../config/workspace.js";
import { readIfPresent, readText, SECRET_FILE, writeIfChanged } from "../files/files.js";
import { ensurePrivateDir, PROV_FOLDER } from "../files/private-dir.js";
import { naming } from "../system-error.js";
import { cutToWidth } from "../terminal/display-width.js";
import type { Progress } from "../terminal/progress.js";
import { createErrorFinder, NINJA_STEP } from "./build-errors.js";
import type { GeneratedConfig } from "./codegen.js";

/** What a build leaves behind, ready to be flashed. */
export interface BuiltImage {
  readonly deviceId: string;
  readonly target: Target;
  /** flasher_args.json; the files it names lie beside it. */
  readonly flasherArgs: string;
  /** The ELF, for decoding backtraces. */
  readonly elf: string;
  readonly appBytes: number;
  readonly partitionBytes: number;
}

/** Where the build of a target lies, if there is one. */
export function builtImage(
  { buildDir }: Workspace,
  target: Target,
): Pick<BuiltImage, "elf" | "flasherArgs"> {
  const inDir = (file: string): string => join(buildDir, target, file);
  return { elf: inDir("prov_firmware.elf"), flasherArgs: inDir("flasher_args.json") };
}

export interface BuildRequest {
  readonly manifest: DeviceManifest;
  readonly config: GeneratedConfig;
  /** The folder that holds `.prov`. */
  readonly root: string;
  readonly target: Target;
  readonly clean: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/**
 * The folder in which a target is compiled, one per set of `inputs` (settings, toolchain). Devices that
 * differ only in their keys share it, so that the second one relinks and nothing more.
 */
export function sharedBuildDir(root: string, target: string, inputs: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 12);
  return join(root, PROV_FOLDER, "build", `${target}-${hash}`);
}

/**
 * Makes the compile folder, empty when `clean` asks for it, and also when CMake made its cache somewhere else
 * (a project that was moved or copied), which CMake would refuse to go on with.
 */
export function prepareBuildDir(buildDir: string, sourceDir: string, clean: boolean): void {
  if (clean || hasForeignCache(buildDir, sourceDir))
    rmSync(buildDir, { recursive: true, force: true });
  ensurePrivateDir(buildDir);
}

function hasForeignCache(buildDir: string, sourceDir: string): boolean {
  const cache = readIfPresent(join(buildDir, "CMakeCache.txt")) ?? "";
  const entry = (name: string): string | undefined =>
    new RegExp(`^${name}:INTERNAL=(.*)$`, "m").exec(cache)?.[1];
  const isForeign = (made: string | undefined, now: string): boolean =>
    made !== undefined && made !== realpathSync(now);
  return (
    isForeign(entry("CMAKE_CACHEFILE_DIR"), buildDir) ||
    isForeign(entry("CMAKE_HOME_DIRECTORY"), sourceDir)
  );
}

/** Tells, once, that another prov compiles in the same folder. */
export function waitNote(progress: Progress): (pid: number) => void {
  return (pid) => progress.note(`waiting for another prov that builds here (process ${pid})`);
}

/** Copies generated files into the compile folder, touching only those that changed. */
export function stageConfig(config: GeneratedConfig, names: readonly string[], dir: string): void {
  for (const name of names)
    writeIfChanged(join(dir, name), readText(join(config.dir, name)), SECRET_FILE);
}

const PRODUCT_MAX_COLUMNS = 40;
const WARNING = /\bwarning:/;

export type Follower = ReturnType<typeof followBuild>;

/** Follows a ninja build: how far it is, its warnings, its first error. */
export function followBuild(
  update: (state: { fraction: number; text: string }) => void,
  progress: Progress,
) {
  const seen = new Set<string>();
  const errors = createErrorFinder();
  let steps = 0;
  return {
    onLine: (line: string) => {
      progress.detail(line);
      const step = NINJA_STEP.exec(line);
      if (step) {
        steps += 1;
        update({ fraction: Number(step[1]) / Number(step[2]), text: productOf(step[3] ?? "") });
      }
      if (WARNING.test(line) && !seen.has(line)) {
        seen.add(line);
        progress.warn(line);
      }
      errors.onLine(line);
    },
    firstError: errors.firstError,
    /** How many steps of the compilation have been seen. */
    steps: () => steps,
  };
}

/** The configuration that ESP-IDF built an image with: what the image does to a chip can be read there. */
export function sdkconfigBeside(flasherArgs: string): string {
  return join(flasherArgs, "..", "sdkconfig");
}

/** Copies a build product, which holds the device's key like any image, to the device's own folder. */
export function keepArtefact(from: string, to: string): void {
  ensurePrivateDir(join(to, ".."));
  naming(to, () => copyFileSync(from, to));
  chmodSync(to, 0o600);
}

/** The file that a step makes, without its folders. */
function productOf(step: string): string {
  return cutToWidth(step.split("/").at(-1) ?? step, PRODUCT_MAX_COLUMNS);
}
