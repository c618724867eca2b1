import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Chip } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { emitSdkconfigDefaults } from "../../codegen/sdkconfig.js";
import { irreversibleStepsOfImage, securityDeviations } from "../../codegen/security.js";
import { idfKconfig } from "../helpers/idf-kconfig.js";
import { longer } from "../helpers/longer.js";
import { soundDevice } from "../helpers/manifest.js";
import { temporaryDir } from "../helpers/project.js";

/*
 * What a hardened device's sdkconfig.defaults become in ESP-IDF itself: its whole Kconfig, read by its own
 * tool. It needs the sources of ESP-IDF, which PyPI does not have: IDF_PATH tells where they are.
 */

const KEY = join(temporaryDir(), "boot.pem");
const TIMEOUT_MS = 60_000;
const { version, chips, missing, configure } = idfKconfig();
if (missing !== undefined)
  process.stderr.write(`skipped: hardening against ESP-IDF's own Kconfig (${missing})\n`);

function device(target: Chip, security: object): DeviceManifest {
  return soundDevice({ id: "vault-1", target, security });
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

const withHmac = chips.filter((chip) => chip !== "esp32" && chip !== "esp32c2");

describe.skipIf(missing !== undefined)(
  `ESP-IDF ${version}`,
  { timeout: longer(TIMEOUT_MS) },
  () => {
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
      const sdkconfig = await configure(
        "esp32c3",
        `${defaults}CONFIG_FLASH_ENCRYPTION_ENABLED=y\n`,
      );
      expect(sdkconfig).toMatch(/^CONFIG_SECURE_FLASH_ENC_ENABLED=y$/m);
    });
  },
);
