import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CHIP_NAMES, type Chip } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { emitSdkconfigDefaults } from "../../codegen/sdkconfig.js";
import { irreversibleStepsOfImage, securityDeviations } from "../../codegen/security.js";
import { longer } from "../helpers/longer.js";
import { soundDevice } from "../helpers/manifest.js";
import { temporaryDir } from "../helpers/project.js";
import { REPOSITORY, run } from "../helpers/prov.js";
import { findPython } from "../support/python-tools.js";

/*
 * What a hardened device's sdkconfig.defaults become in ESP-IDF itself: its whole Kconfig, read by its own
 * tool. It needs the sources of ESP-IDF, which PyPI does not have: IDF_PATH tells where they are.
 */

const idf = process.env.IDF_PATH ?? "";
const found = existsSync(join(idf, "Kconfig"))
  ? findPython("idf-tools", ["esp-idf-kconfig>=3,<4"])
  : { missing: "IDF_PATH names no ESP-IDF" };
const python = "python" in found ? found.python : "";
if ("missing" in found)
  process.stderr.write(`skipped: hardening against ESP-IDF's own Kconfig (${found.missing})\n`);

const folder = temporaryDir();

const FIRMWARE = join(REPOSITORY, "firmware");
const KEY = join(folder, "boot.pem");
const version = release();
const TIMEOUT_MS = 60_000;

function release(): number {
  const path = join(idf, "tools", "cmake", "version.cmake");
  if (!existsSync(path)) return 0;
  const [major, minor] = ["MAJOR", "MINOR"].map((part) =>
    Number(new RegExp(`IDF_VERSION_${part} (\\d+)`).exec(readFileSync(path, "utf8"))?.[1]),
  );
  return (major ?? 0) + (minor ?? 0) / 10;
}

function device(target: Chip, security: object): DeviceManifest {
  return soundDevice({ id: "vault-1", target, security });
}

/** As tools/cmake/kconfig.cmake calls it; returns the sdkconfig. */
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

async function judge(target: Chip, security: object) {
  const manifest = device(target, security);
  const sdkconfig = await configure(target, emitSdkconfigDefaults(manifest));
  return {
    deviations: securityDeviations(manifest, sdkconfig),
    steps: irreversibleStepsOfImage(sdkconfig),
    sdkconfig,
  };
}

const chips = CHIP_NAMES.filter((chip) => existsSync(join(idf, "components", "soc", chip)));
const withHmac = chips.filter((chip) => chip !== "esp32" && chip !== "esp32c2");

describe.skipIf("missing" in found)(`ESP-IDF ${version}`, { timeout: longer(TIMEOUT_MS) }, () => {
  it.each(chips)("%s: nothing irreversible by default", async (chip) => {
    expect(await judge(chip, {})).toMatchObject({ deviations: [], steps: [] });
  });

  it.each(
    chips.flatMap((chip) =>
      (["development", "release"] as const).flatMap((mode) =>
        ([false, "flash-encryption"] as const).map((nvs) => [chip, mode, nvs] as const),
      ),
    ),
  )("%s: flash encryption for %s, NVS encryption %s", async (chip, flashEncryption, nvs) => {
    const { deviations, steps, sdkconfig } = await judge(chip, {
      flashEncryption,
      nvsEncryption: nvs,
    });
    expect(deviations).toEqual([]);
    expect(steps).toHaveLength(1);
    expect(/^CONFIG_NVS_ENCRYPTION=y$/m.test(sdkconfig)).toBe(nvs !== false);
  });

  it.each(withHmac)("%s: NVS encryption by HMAC, which came with 5.2", async (chip) => {
    const { deviations, steps, sdkconfig } = await judge(chip, { nvsEncryption: "hmac" });
    expect(deviations.length > 0).toBe(version < 5.2);
    if (version < 5.2) return;
    expect(steps).toHaveLength(1);
    expect(sdkconfig).toMatch(/^CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID=5$/m);
    expect(sdkconfig).not.toMatch(/^CONFIG_SECURE_(BOOT|FLASH_ENC_ENABLED)=y$/m);
  });

  it.each(
    chips.flatMap((chip) => ([false, "release"] as const).map((mode) => [chip, mode] as const)),
  )("%s: secure boot, whole from 5.2 on, flash encryption %s", async (chip, flashEncryption) => {
    const nvsEncryption = flashEncryption === false ? false : "flash-encryption";
    const { deviations, sdkconfig } = await judge(chip, {
      secureBoot: KEY,
      flashEncryption,
      nvsEncryption,
    });
    if (version < 5.2) {
      expect(deviations).toEqual([
        "security.secureBoot: this ESP-IDF did not take CONFIG_SECURE_BOOT_FLASH_BOOTLOADER_DEFAULT",
      ]);
      return;
    }
    expect(deviations).toEqual([]);
    const scheme = chip === "esp32c2" ? "ECDSA_V2" : "RSA";
    expect(sdkconfig).toMatch(new RegExp(`^CONFIG_SECURE_SIGNED_APPS_${scheme}_SCHEME=y$`, "m"));
    expect(sdkconfig).toContain(`CONFIG_SECURE_BOOT_SIGNING_KEY="${KEY}"`);
  });

  it("encrypts the flash under the name of old, which is why the manifest refuses it", async () => {
    const defaults = emitSdkconfigDefaults(device("esp32c3", {}));
    const sdkconfig = await configure("esp32c3", `${defaults}CONFIG_FLASH_ENCRYPTION_ENABLED=y\n`);
    expect(sdkconfig).toMatch(/^CONFIG_SECURE_FLASH_ENC_ENABLED=y$/m);
  });
});
