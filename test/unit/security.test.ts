import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { confirmEfuses } from "../../cli/flow/flash.js";
import { CHIP_NAMES } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { encodePartitionTable, parsePartitions } from "../../codegen/partitions.js";
import { emitSdkconfigDefaults } from "../../codegen/sdkconfig.js";
import {
  irreversibleSteps,
  irreversibleStepsOfImage,
  partitionsFile,
  securityLines,
} from "../../codegen/security.js";
import { complaintsOf, soundDevice } from "../helpers/manifest.js";
import { REPOSITORY } from "../helpers/prov.js";

const FLASH_SIZE = 4 * 1024 * 1024;

function device(target: string, security: object, sdkconfig: object = {}): DeviceManifest {
  return soundDevice({ id: "vault-1", target, security, sdkconfig });
}

function faults(target: string, security: object, sdkconfig: object = {}): string[] {
  return complaintsOf({ id: "vault-1", target, security, sdkconfig });
}

/** The lines that `security` adds to sdkconfig.defaults. */
function added(target: string, security: object, sdkconfig: object = {}): string[] {
  const lines = (manifest: DeviceManifest): string[] => emitSdkconfigDefaults(manifest).split("\n");
  const before = new Set(lines(device(target, {}, sdkconfig)));
  return lines(device(target, security, sdkconfig)).filter((line) => !before.has(line));
}

const HEADING = "# From `security` of the manifest";
const LAYOUT = [
  'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions_secure.csv"',
  "CONFIG_PARTITION_TABLE_OFFSET=0x10000",
];

describe("security in the manifest", () => {
  it("is off by default, and then changes nothing and burns nothing", () => {
    for (const target of CHIP_NAMES) {
      const manifest = device(target, {});
      expect(securityLines(manifest)).toEqual([]);
      expect(irreversibleSteps(manifest)).toEqual([]);
      expect(partitionsFile(manifest)).toBe("partitions.csv");
      expect(emitSdkconfigDefaults(manifest)).not.toMatch(/SECURE_(BOOT|FLASH)|NVS_ENC|NVS_SEC/);
    }
  });

  it.each(["development", "release"] as const)("encrypts the flash for %s", (flashEncryption) => {
    expect(added("esp32c3", { flashEncryption })).toEqual([
      LAYOUT[0],
      HEADING,
      "CONFIG_SECURE_FLASH_ENC_ENABLED=y",
      `CONFIG_SECURE_FLASH_ENCRYPTION_MODE_${flashEncryption.toUpperCase()}=y`,
      "# CONFIG_NVS_ENCRYPTION is not set",
      LAYOUT[1],
    ]);
  });

  it("protects the NVS by flash encryption, and never lets ESP-IDF choose an eFuse for it", () => {
    const security = { nvsEncryption: "flash-encryption", flashEncryption: "release" };
    for (const target of CHIP_NAMES) {
      expect(added(target, security)).toEqual([
        LAYOUT[0],
        HEADING,
        "CONFIG_SECURE_FLASH_ENC_ENABLED=y",
        "CONFIG_SECURE_FLASH_ENCRYPTION_MODE_RELEASE=y",
        "CONFIG_NVS_ENCRYPTION=y",
        "CONFIG_NVS_SEC_KEY_PROTECT_USING_FLASH_ENC=y",
        LAYOUT[1],
      ]);
    }
  });

  it("derives the keys of the NVS by HMAC only when asked to, in a block that can be chosen", () => {
    const expected = (block: number) => [
      HEADING,
      "CONFIG_NVS_ENCRYPTION=y",
      "CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC=y",
      `CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID=${block}`,
    ];
    expect(added("esp32s3", { nvsEncryption: "hmac" })).toEqual(expected(5));
    const chosen = device(
      "esp32s3",
      { nvsEncryption: "hmac" },
      { CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID: 3 },
    );
    expect(emitSdkconfigDefaults(chosen)).toContain(expected(3).join("\n"));
    expect(partitionsFile(chosen)).toBe("partitions.csv");
  });

  it("signs for secure boot v2, on an ESP32 from revision 3 on", () => {
    const lines = [
      "CONFIG_SECURE_BOOT=y",
      "CONFIG_SECURE_BOOT_V2_ENABLED=y",
      "CONFIG_SECURE_SIGNED_APPS_RSA_SCHEME=y",
      "CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES=y",
      'CONFIG_SECURE_BOOT_SIGNING_KEY="/keys/boot.pem"',
      "CONFIG_SECURE_BOOT_FLASH_BOOTLOADER_DEFAULT=y",
      LAYOUT[1],
    ];
    expect(added("esp32c6", { secureBoot: "/keys/boot.pem" })).toEqual([
      LAYOUT[0],
      HEADING,
      ...lines,
    ]);
    expect(added("esp32", { secureBoot: "/keys/boot.pem" })).toContain("CONFIG_ESP32_REV_MIN_3=y");
    expect(added("esp32c2", { secureBoot: "/keys/boot.pem" })).toContain(
      "CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME=y",
    );
  });

  it("refuses what the chip or the combination cannot do", () => {
    expect(faults("esp32", { nvsEncryption: "hmac" })).toEqual([
      'security.nvsEncryption: expected a chip with an HMAC peripheral, which the esp32 does not have, got "hmac"',
    ]);
    expect(faults("c2", { nvsEncryption: "hmac" })).toHaveLength(1);
    expect(faults("esp32c3", { nvsEncryption: "flash-encryption" })).toEqual([
      'security.nvsEncryption: expected security.flashEncryption too, which protects its keys, got "flash-encryption"',
    ]);
    expect(faults("esp32c3", { nvsEncryption: "hmac", secureBoot: "/keys/boot.pem" })).toEqual([
      'security.nvsEncryption: expected "flash-encryption" beside security.secureBoot, whose first boot leaves no eFuse to hide the HMAC key in, got "hmac"',
    ]);
    for (const block of [-1, 6, "5"])
      expect(
        faults("esp32c3", { nvsEncryption: "hmac" }, { CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID: block }),
      ).toHaveLength(1);
    expect(faults("host", { flashEncryption: "development" })).toEqual([
      "security: expected a chip in the field target, got host",
    ]);
    expect(faults("esp32c3", { flashEncryption: true })).toEqual([
      'security.flashEncryption: expected false, "development" or "release", got true',
    ]);
    expect(faults("esp32c3", { secureboot: "x" })[0]).toContain('did you mean "secureBoot"');
  });

  it("is the only way to anything irreversible", () => {
    for (const name of [
      "CONFIG_SECURE_FLASH_ENC_ENABLED",
      "CONFIG_SECURE_FLASH_ENCRYPTION_MODE_RELEASE",
      "CONFIG_SECURE_BOOT",
      "CONFIG_SECURE_BOOT_V2_ENABLED",
      "CONFIG_NVS_ENCRYPTION",
      "CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC",
      // Names of old that ESP-IDF still takes.
      "CONFIG_FLASH_ENCRYPTION_ENABLED",
      "CONFIG_SECURE_BOOT_ENABLED",
    ])
      expect(faults("esp32c3", {}, { [name]: true }), name).toHaveLength(1);
    const offset = { CONFIG_PARTITION_TABLE_OFFSET: "0x9000" };
    expect(faults("esp32c3", { flashEncryption: "release" }, offset)).toHaveLength(1);
    expect(faults("esp32c3", {}, offset)).toEqual([]);
    const file = { CONFIG_PARTITION_TABLE_CUSTOM_FILENAME: "mine.csv" };
    expect(faults("esp32c3", { flashEncryption: "release" }, file)).toHaveLength(1);
    expect(faults("esp32c3", {}, file)).toEqual([]);
  });
});

describe("partitions_secure.csv", () => {
  const text = readFileSync(join(REPOSITORY, "firmware", "partitions_secure.csv"), "utf8");
  const partitions = parsePartitions(text);

  it("holds what partitions.csv does, and an encrypted home for the keys of the NVS", () => {
    const named = (name: string) => partitions.find((partition) => partition.name === name);
    const names = partitions.map(({ name }) => name);
    expect(names).toEqual(["nvs", "nvs_keys", "phy_init", "factory", "coredump"]);
    expect(named("nvs")).toMatchObject({ size: 0x6000, encrypted: false });
    expect(named("nvs_keys")).toMatchObject({ type: 1, subtype: 4, size: 0x1000, encrypted: true });
    expect(named("coredump")).toMatchObject({ type: 1, subtype: 3, encrypted: true });
    expect(encodePartitionTable(partitions)).toHaveLength(0xc00);
  });

  it("lies behind its own table and within 4 MB", () => {
    const tableEnd = 0x10000 + 0x1000;
    const last = partitions.at(-1);
    expect(partitions[0]?.offset).toBeGreaterThanOrEqual(tableEnd);
    expect((last?.offset ?? 0) + (last?.size ?? 0)).toBeLessThanOrEqual(FLASH_SIZE);
  });
});

describe("what cannot be undone", () => {
  it.each([
    ["development", { flashEncryption: "development" }, /only esptool's --encrypt can/],
    ["release", { flashEncryption: "release" }, /never be replaced/],
    ["secureBoot", { secureBoot: "/keys/boot.pem" }, /without that key no firmware/],
    ["hmac", { nvsEncryption: "hmac" }, /eFuse block/],
  ])("%s is said before it happens, and needs a yes", (_name, security, words) => {
    const manifest = device("esp32s3", security);
    expect(irreversibleSteps(manifest).join("\n")).toMatch(words);
    expect(() => confirmEfuses(manifest, false)).toThrow(
      expect.objectContaining({
        code: "efuses_unconfirmed",
        message: expect.stringMatching(words),
        hint: expect.stringContaining("--yes-burn-efuses"),
      }),
    );
    expect(() => confirmEfuses(manifest, true)).not.toThrow();
  });

  it("is also what an image was built with, under whatever manifest", () => {
    const burning = [
      "CONFIG_SECURE_BOOT=y",
      "CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC=y",
      "CONFIG_ESP32_DISABLE_BASIC_ROM_CONSOLE=y",
    ];
    expect(irreversibleStepsOfImage(burning.join("\n"))).toHaveLength(3);
    const quiet = "# CONFIG_SECURE_BOOT is not set\nCONFIG_SECURE_BOOT_V2_RSA_SUPPORTED=y\n";
    expect(irreversibleStepsOfImage(quiet)).toEqual([]);
  });

  it("needs no yes when nothing is", () => {
    expect(() => confirmEfuses(device("esp32", {}), false)).not.toThrow();
  });
});
