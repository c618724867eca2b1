import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { longer } from "../helpers/longer.js";
import { REPOSITORY } from "../helpers/prov.js";

/** Espressif's own tool, in the version the tests were written against and later ones of its major. */
const PACKAGE = "esptool>=5.0,<6";
const VENV = path.join(REPOSITORY, ".cache", "venv-esptool");
const INSTALL_MS = 240_000;

export interface Esptool {
  readonly version: string;
  run(...args: string[]): Promise<Outcome>;
  /**
   * The same, but pyserial's RFC 2217 client does not negotiate every setting anew each time that
   * esptool sets a timeout (twice a command, 0.1 s each).
   */
  runQuickly(...args: string[]): Promise<Outcome>;
}

interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

const QUICK_TIMEOUTS = `import serial.rfc2217
def set_timeout(port, value):
    port._timeout = value
serial.rfc2217.Serial.timeout = property(lambda port: port._timeout, set_timeout)
`;

/** esptool gives the chip 200 ms to start what is in its RAM, which a busy machine may not have for it. */
const PATIENCE = `[esptool]
mem_end_rom_timeout = 5
`;

/**
 * Python esptool in a virtual environment of its own, which is made when it is missing.
 * @returns why there is none, when PyPI is out of reach
 */
export function findEsptool(): Esptool | { missing: string } {
  const esptool = path.join(VENV, "bin", "esptool");
  if (!existsSync(esptool)) {
    const missing = install();
    if (missing !== undefined) return { missing };
  }
  const { stdout } = spawnSync(esptool, ["version"], { encoding: "utf8" });
  const version = /\b5\.\d+\.\d+\b/.exec(stdout)?.[0];
  if (version === undefined) return { missing: `${esptool} is not esptool 5: ${stdout.trim()}` };
  const patches = mkdtempSync(path.join(tmpdir(), "prov-esptool-"));
  writeFileSync(path.join(patches, "sitecustomize.py"), QUICK_TIMEOUTS);
  const ESPTOOL_CFGFILE = path.join(patches, "esptool.cfg");
  writeFileSync(ESPTOOL_CFGFILE, PATIENCE);
  return {
    version,
    run: (...args) => runEsptool(esptool, args, { ESPTOOL_CFGFILE }),
    runQuickly: (...args) => runEsptool(esptool, args, { ESPTOOL_CFGFILE, PYTHONPATH: patches }),
  };
}

function install(): string | undefined {
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", VENV]],
    [path.join(VENV, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", PACKAGE]],
  ];
  for (const [command, args] of steps) {
    const { status, error, stderr } = spawnSync(command, args, {
      encoding: "utf8",
      timeout: longer(INSTALL_MS),
    });
    if (status === 0) continue;
    const why = error?.message ?? stderr.trim().split("\n").at(-1) ?? "it failed";
    return `${path.basename(command)} ${args.join(" ")}: ${why}`;
  }
  return undefined;
}

function runEsptool(
  esptool: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(esptool, [...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    let output = "";
    const take = (bytes: Buffer): void => {
      output += bytes.toString("utf8");
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("close", (code) => resolve({ exitCode: code ?? -1, output }));
  });
}
