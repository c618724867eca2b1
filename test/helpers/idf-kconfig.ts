import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHIP_NAMES, type Chip } from "../../codegen/chips.js";
import { findPython } from "../support/python-tools.js";
import { temporaryDir } from "./project.js";
import { REPOSITORY, run } from "./prov.js";

/*
 * The whole Kconfig of an ESP-IDF, read by its own tool. Its sources are not to be had from PyPI: IDF_PATH tells where
 * they are; the Kconfig files, those of tools/cmake and the soc folders' are enough.
 */

const FIRMWARE = join(REPOSITORY, "firmware");

export interface IdfKconfig {
  /** Why there is none. */
  readonly missing: string | undefined;
  /** 5.0, as a number; 0 without it. */
  readonly version: number;
  readonly chips: readonly Chip[];
  /** The sdkconfig that it makes of an sdkconfig.defaults, as tools/cmake/kconfig.cmake has it made. */
  configure(target: Chip, defaults: string): Promise<string>;
  /** Every option that it has, without CONFIG_. */
  options(): Set<string>;
}

export function idfKconfig(): IdfKconfig {
  const idf = process.env.IDF_PATH ?? "";
  const found = existsSync(join(idf, "Kconfig"))
    ? findPython("idf-tools", ["esp-idf-kconfig>=3,<4"])
    : { missing: "IDF_PATH names no ESP-IDF" };
  const python = "python" in found ? found.python : "";
  const version = releaseOf(idf);
  const folder = temporaryDir();

  async function configure(target: Chip, defaults: string): Promise<string> {
    const components = readdirSync(join(idf, "components")).map((name) =>
      join(idf, "components", name),
    );
    const named = (name: string): string[] =>
      components.map((component) => join(component, name)).filter((path) => existsSync(path));
    const list = (name: string, paths: readonly string[]): string => {
      const path = join(folder, name);
      writeFileSync(path, paths.map((each) => `source "${each}"\n`).join(""));
      return path;
    };
    const env = {
      IDF_TARGET: target,
      IDF_PATH: idf,
      IDF_TOOLCHAIN: "gcc",
      IDF_ENV_FPGA: "",
      IDF_CI_BUILD: "",
      IDF_MINIMAL_BUILD: "n",
      IDF_INIT_VERSION: String(version),
      IDF_VERSION: String(version),
      COMPONENT_KCONFIGS_SOURCE_FILE: list("kconfigs.in", named("Kconfig")),
      COMPONENT_KCONFIGS_PROJBUILD_SOURCE_FILE: list("projbuild.in", [
        ...named("Kconfig.projbuild"),
        join(FIRMWARE, "main", "Kconfig.projbuild"),
      ]),
      COMPONENT_SDKCONFIG_RENAMES: [
        ...named("sdkconfig.rename"),
        ...named(`sdkconfig.rename.${target}`),
      ].join(" "),
    };
    const input = join(folder, "sdkconfig.defaults");
    const output = join(folder, "sdkconfig");
    const environment = join(folder, "config.env");
    writeFileSync(input, defaults);
    writeFileSync(environment, JSON.stringify(env));
    rmSync(output, { force: true });
    const { code, stdout, stderr } = await run(python, [
      ...["-m", "kconfgen", "--kconfig", join(idf, "Kconfig"), "--env-file", environment],
      ...["--defaults", join(FIRMWARE, "sdkconfig.defaults"), "--defaults", input],
      ...["--config", output, "--output", "config", output],
    ]);
    if (code !== 0) throw new Error(`kconfgen: ${stdout}${stderr}`);
    return readFileSync(output, "utf8");
  }

  return {
    missing: "missing" in found ? found.missing : undefined,
    version,
    chips: CHIP_NAMES.filter((chip) => existsSync(join(idf, "components", "soc", chip))),
    configure,
    options: () => optionsBelow(idf),
  };
}

function releaseOf(idf: string): number {
  const path = join(idf, "tools", "cmake", "version.cmake");
  if (!existsSync(path)) return 0;
  const [major, minor] = ["MAJOR", "MINOR"].map((part) =>
    Number(new RegExp(`IDF_VERSION_${part} (\\d+)`).exec(readFileSync(path, "utf8"))?.[1]),
  );
  return (major ?? 0) + (minor ?? 0) / 10;
}

function optionsBelow(idf: string): Set<string> {
  const files = readdirSync(idf, { recursive: true, encoding: "utf8" })
    .filter((path) => /^(components\/.*\/)?Kconfig[^/]*$/.test(path))
    .filter((path) => statSync(join(idf, path)).isFile());
  const texts = files.map((path) => readFileSync(join(idf, path), "utf8"));
  const names = texts.flatMap((text) => [...text.matchAll(/^\s*(?:menu)?config\s+(\w+)/gm)]);
  return new Set(names.map(([, name = ""]) => name));
}
