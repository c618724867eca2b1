import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DeviceManifest, Target } from "../../codegen/manifest.js";
import { ProvError } from "../errors.js";
import type { Progress } from "../progress.js";
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
 * The folder in which a target is compiled. Devices that differ only in their keys share it, so that
 * the second one relinks and nothing more.
 */
export function sharedBuildDir(root: string, target: string, settings: string): string {
  const hash = createHash("sha256").update(settings).digest("hex").slice(0, 12);
  return join(root, ".prov", "build", `${target}-${hash}`);
}

/** Copies generated files into the compile folder, touching only those that changed. */
export function stageConfig(config: GeneratedConfig, names: readonly string[], dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const name of names) {
    const text = readFileSync(join(config.dir, name));
    const path = join(dir, name);
    if (!existsSync(path) || !readFileSync(path).equals(text))
      writeFileSync(path, text, { mode: 0o600 });
  }
}

const NINJA_STEP = /^\[(\d+)\/(\d+)\]\s+(.*)$/;
const FIRST_ERROR = /(?:\berror:|\bfatal error:|undefined reference|^FAILED:|CMake Error)/;
const WARNING = /\bwarning:/;

/** Follows a ninja build: how far it is, its warnings, its first error. */
export function followBuild(
  update: (state: { fraction: number; text: string }) => void,
  progress: Progress,
): { onLine: (line: string) => void; firstError: () => string | undefined } {
  const seen = new Set<string>();
  let firstError: string | undefined;
  return {
    onLine: (line) => {
      progress.detail(line);
      const step = NINJA_STEP.exec(line);
      if (step)
        update({ fraction: Number(step[1]) / Number(step[2]), text: shorten(step[3] ?? "") });
      if (WARNING.test(line) && !seen.has(line)) {
        seen.add(line);
        progress.warn(line);
      }
      if (firstError === undefined && FIRST_ERROR.test(line) && !line.startsWith("FAILED:"))
        firstError = line.trim();
    },
    firstError: () => firstError,
  };
}

export function buildFailed(
  tool: string,
  exitCode: number,
  lines: readonly string[],
  firstError: string | undefined,
): ProvError {
  const reason = firstError ?? lines.filter((line) => line.trim() !== "").at(-1) ?? "no output";
  return new ProvError("build_failed", `${tool} failed (exit ${exitCode}): ${reason}`, {
    cause: new Error(lines.slice(-60).join("\n")),
  });
}

/** Copies build products to the device's own folder. */
export function keepArtefact(from: string, to: string): void {
  mkdirSync(join(to, ".."), { recursive: true, mode: 0o700 });
  copyFileSync(from, to);
}

function shorten(text: string): string {
  const name = text.split("/").at(-1) ?? text;
  return name.length > 40 ? `${name.slice(0, 39)}…` : name;
}
