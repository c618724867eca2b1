import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { emitSdkconfigHeader } from "../../codegen/sdkconfig.js";
import { FIRMWARE_MAIN, firmwareFiles, firmwareFolders } from "../helpers/firmware-main.js";
import { soundDevice } from "../helpers/manifest.js";

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const HEADERS = join(REPOSITORY, "firmware", "host", "include");
const SHIMS = join(REPOSITORY, "test", "firmware", "riscv");
const CACHE = join(REPOSITORY, ".cache", "chip-objects");
export const PREFIX = "riscv64-unknown-elf-";
const SPECS = "/usr/lib/picolibc/riscv64-unknown-elf/picolibc.specs";
/** Libraries whose headers the chips' compiler may share with this machine's, since they name no system. */
const LIBRARIES = ["cjson", "mbedtls", "psa"];

/** C6 and C5; C3 and C2, which lack the A extension. */
export type Architecture = "rv32imac" | "rv32imc";

/** Why the bare compiler cannot be used here; undefined when it can. */
export function missingCompiler(): string | undefined {
  try {
    execFileSync(`${PREFIX}gcc`, ["--version"], { stdio: "ignore" });
  } catch {
    return "there is no riscv64-unknown-elf-gcc (Debian: gcc-riscv64-unknown-elf)";
  }
  return existsSync(SPECS) ? undefined : `there is no ${SPECS} (picolibc-riscv64-unknown-elf)`;
}

/**
 * Compiles firmware/main as a chip's compiler does, against the host port's headers of ESP-IDF, without
 * a warning. Does nothing when nothing has changed since.
 * @returns the objects' paths
 */
export async function compileForChip(architecture: Architecture): Promise<readonly string[]> {
  const out = join(CACHE, architecture);
  const sources = firmwareFiles(".c");
  const objects = sources.map((path) => join(out, `${basename(path, ".c")}.o`));
  const sdkconfig = emitSdkconfigHeader(soundDevice({ id: "plain" }));
  const wanted = fingerprint(sdkconfig);
  const stamp = join(out, "stamp");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return objects;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "libraries"), { recursive: true });
  writeFileSync(join(out, "sdkconfig.h"), sdkconfig);
  // The key is the device's, not the code's: an empty one stands in for it.
  const keys = ["DEVICE_ID", "DEVICE_PRIVATE_KEY_PEM", "DEVICE_CSR_PEM"];
  writeFileSync(join(out, "device_keys.h"), keys.map((name) => `#define ${name} ""\n`).join(""));
  for (const name of LIBRARIES)
    symlinkSync(join("/usr/include", name), join(out, "libraries", name));
  const flags = [
    ...[`-march=${architecture}`, "-mabi=ilp32", `--specs=${SPECS}`, "-std=gnu11", "-Os", "-c"],
    ...["-ffunction-sections", "-fdata-sections"],
    ...["-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"],
    ...[...firmwareFolders(), out, HEADERS, SHIMS].flatMap((dir) => ["-I", dir]),
    ...["-isystem", join(out, "libraries")],
  ];
  await run(`${PREFIX}gcc`, [...flags, ...sources], { cwd: out, maxBuffer: 1 << 24 });
  writeFileSync(stamp, wanted);
  return objects;
}

function fingerprint(sdkconfig: string): string {
  const hash = createHash("sha256").update(sdkconfig);
  hash.update(execFileSync(`${PREFIX}gcc`, ["--version"]));
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  for (const dir of [FIRMWARE_MAIN, HEADERS, SHIMS]) {
    const names = readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
    for (const name of names.filter((each) => /\.(c|h|inc)$/.test(each)))
      hash.update(`${name}\n`).update(readFileSync(join(dir, name)));
  }
  return hash.digest("hex");
}

/**
 * What of the objects goes to flash: code, constants and the initial values of variables, linked as ESP-IDF
 * links them, which drops what nobody calls and keeps one copy of equal texts. What they call of ESP-IDF is left out.
 */
export async function flashBytes(objects: readonly string[]): Promise<number> {
  const [first = ""] = objects;
  const linked = join(dirname(first), "linked.elf");
  const arguments_ = [
    ...["-march=rv32imac", "-mabi=ilp32", "-nostdlib", "-Wl,--gc-sections", "-Wl,-e,app_main"],
    ...["-Wl,--unresolved-symbols=ignore-all", "-o", linked],
  ];
  await run(`${PREFIX}gcc`, [...arguments_, ...objects]);
  const { stdout } = await run(`${PREFIX}size`, [linked]);
  const [text, data] = (stdout.trim().split("\n").at(-1) ?? "").trim().split(/\s+/).map(Number);
  if (!text || data === undefined) throw new Error(`size said:\n${stdout}`);
  return text + data;
}

/** The symbols that an object leaves to others, each as `file: symbol`. */
export async function undefinedSymbols(objects: readonly string[]): Promise<readonly string[]> {
  const lists = objects.map(async (object) => {
    const { stdout } = await run(`${PREFIX}nm`, ["-u", object]);
    const file = object.slice(object.lastIndexOf("/") + 1);
    return [...stdout.matchAll(/U (\S+)/g)].map(([, symbol]) => `${file}: ${symbol}`);
  });
  return (await Promise.all(lists)).flat();
}
