import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { CHIPS, type Chip } from "../../codegen/chips.js";
import { listFolder } from "../files/files.js";
import { childEnvironment } from "../processes/child-environment.js";
import { isExecutable } from "../processes/on-path.js";

const run = promisify(execFile);

const PANIC_LINE = /Backtrace:|\b(MEPC|RA|PC)\s*:|abort\(\) was called at PC/;
/** Code lies at 0x4… on every ESP32 chip. */
const CODE_ADDRESS = /0x4[0-9a-f]{7}\b/gi;
const DECODE_MS = 5_000;
const MAX_ADDRESSES = 100;

export interface BacktraceDecoder {
  /** `0x…: function at file:line` for each code address of a panic's line; empty for other lines. */
  decode(line: string): Promise<readonly string[]>;
}

/**
 * Decodes panics with the toolchain's addr2line.
 * @returns undefined when the ELF or the tool is not there
 */
export function createBacktraceDecoder(options: {
  elf: string;
  chip: Chip;
  /** Default: searched on the PATH and among ESP-IDF's tools. */
  addr2line?: string;
}): BacktraceDecoder | undefined {
  const tool = options.addr2line ?? findAddr2line(options.chip);
  if (tool === undefined || !existsSync(options.elf)) return undefined;
  return {
    async decode(line) {
      if (!PANIC_LINE.test(line)) return [];
      const addresses = [...line.matchAll(CODE_ADDRESS)].map(([address]) => address);
      if (addresses.length === 0) return [];
      const args = ["-pfiaC", "-e", options.elf, ...addresses.slice(0, MAX_ADDRESSES)];
      try {
        const { stdout } = await run(tool, args, { timeout: DECODE_MS, env: childEnvironment() });
        const known = stdout.split("\n").filter((text) => text !== "" && !text.includes("?? ??:0"));
        return known.map((text) => text.trimEnd());
      } catch {
        return []; // a log without names is better than none
      }
    },
  };
}

/** The toolchain's addr2line for this chip, or undefined. */
export function findAddr2line(
  chip: Chip,
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const name =
    CHIPS[chip].core === "xtensa" ? `xtensa-${chip}-elf-addr2line` : "riscv32-esp-elf-addr2line";
  const toolsRoot = environment.IDF_TOOLS_PATH ?? path.join(homedir(), ".espressif");
  const onPath = (environment.PATH ?? "").split(path.delimiter).filter(Boolean);
  const places = [...onPath, ...toolchainFolders(path.join(toolsRoot, "tools"))];
  return places.map((place) => path.join(place, name)).find(isExecutable);
}

/** tools/<toolchain>/<version>/<toolchain>/bin, newest version first. */
function toolchainFolders(tools: string): string[] {
  return ["xtensa-esp-elf", "xtensa-esp32-elf", "riscv32-esp-elf"].flatMap((toolchain) => {
    const versions = listFolder(path.join(tools, toolchain)).sort().reverse();
    return versions.map((version) => path.join(tools, toolchain, version, toolchain, "bin"));
  });
}
