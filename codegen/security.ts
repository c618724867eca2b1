import { CHIPS, signingKeyOf } from "./chips.js";
import type { DeviceManifest, SdkconfigValue } from "./manifest.js";
import { PARTITION_TABLE_OFFSET } from "./partitions.js";

/** What each line of the configuration that hardens a device needs to be written. */
export interface SecurityLine {
  readonly name: string;
  readonly value: SdkconfigValue;
  /** The field of the manifest that asks for it. */
  readonly field: keyof DeviceManifest["security"];
  /** The device would be less than what was asked for on an ESP-IDF that does not take it. */
  readonly essential: boolean;
}

/** Of the six key blocks the last; flash encryption and secure boot take the first free ones. */
const HMAC_KEY_BLOCK = 5;
const HMAC_BLOCK = "CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID";
/** Room for a bootloader that encrypts and checks signatures. */
const TABLE_OFFSET = "CONFIG_PARTITION_TABLE_OFFSET";
const SECURE_TABLE_OFFSET = "0x10000";
/** With either of them in `sdkconfig` the layout of partitions_secure.csv would not be the device's. */
const LAYOUT_SYMBOLS = [TABLE_OFFSET, "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME"];

/** The partition table that the firmware is built with; a file of firmware/. */
export function partitionsFile({ security }: DeviceManifest): string {
  const isSecure = security.flashEncryption !== false || security.secureBoot !== false;
  return isSecure ? "partitions_secure.csv" : "partitions.csv";
}

/** Where the partition table lies. */
export function partitionTableOffset(manifest: DeviceManifest): number {
  if (partitionsFile(manifest) !== "partitions.csv") return Number(SECURE_TABLE_OFFSET);
  return Number(manifest.sdkconfig[TABLE_OFFSET] ?? PARTITION_TABLE_OFFSET);
}

/** The symbols of ESP-IDF that `security` sets; none when all of it is off. */
export function securityLines(manifest: DeviceManifest): SecurityLine[] {
  const { nvsEncryption, flashEncryption, secureBoot } = manifest.security;
  const lines: SecurityLine[] = [];
  const setter =
    (field: SecurityLine["field"]) =>
    (name: string, value: SdkconfigValue, essential = true): void => {
      lines.push({ name: `CONFIG_${name}`, value, field, essential });
    };
  if (flashEncryption !== false) {
    const set = setter("flashEncryption");
    set("SECURE_FLASH_ENC_ENABLED", true);
    set(`SECURE_FLASH_ENCRYPTION_MODE_${flashEncryption.toUpperCase()}`, true);
    // ESP-IDF would encrypt the NVS by itself from here on.
    if (nvsEncryption === false) set("NVS_ENCRYPTION", false, false);
  }
  if (nvsEncryption !== false) {
    const set = setter("nvsEncryption");
    set("NVS_ENCRYPTION", true);
    // Said explicitly, because ESP-IDF 6.0 would choose HMAC, which burns an eFuse. Unknown before 5.2.
    if (nvsEncryption === "flash-encryption")
      set("NVS_SEC_KEY_PROTECT_USING_FLASH_ENC", true, false);
    if (nvsEncryption === "hmac") {
      set("NVS_SEC_KEY_PROTECT_USING_HMAC", true);
      set("NVS_SEC_HMAC_EFUSE_KEY_ID", HMAC_KEY_BLOCK);
    }
  }
  if (secureBoot !== false) secureBootLines(manifest.target, secureBoot, setter("secureBoot"));
  if (partitionsFile(manifest) !== "partitions.csv")
    setter(secureBoot === false ? "flashEncryption" : "secureBoot")(
      TABLE_OFFSET.replace("CONFIG_", ""),
      SECURE_TABLE_OFFSET,
    );
  return lines;
}

function secureBootLines(
  target: DeviceManifest["target"],
  key: string,
  set: (name: string, value: SdkconfigValue) => void,
): void {
  if (target === "esp32") set("ESP32_REV_MIN_3", true);
  set("SECURE_BOOT", true);
  set("SECURE_BOOT_V2_ENABLED", true);
  // Some chips know both schemes; the key is for this one.
  const scheme = signingKeyOf(target) === "P-256" ? "ECDSA_V2" : "RSA";
  set(`SECURE_SIGNED_APPS_${scheme}_SCHEME`, true);
  set("SECURE_BOOT_BUILD_SIGNED_BINARIES", true);
  set("SECURE_BOOT_SIGNING_KEY", key);
  // Else the bootloader is left out of what is flashed.
  set("SECURE_BOOT_FLASH_BOOTLOADER_DEFAULT", true);
}

/**
 * Set by `security` alone, so that nothing irreversible comes in by another way: also under the names of old
 * that ESP-IDF still takes (sdkconfig.rename of its bootloader).
 */
export function isSecuritySymbol(name: string): boolean {
  return /^CONFIG_(SECURE_FLASH_ENC_ENABLED|SECURE_FLASH_ENCRYPTION_MODE_\w+|FLASH_ENCRYPTION_(ENABLED|INSECURE)|SECURE_BOOT|SECURE_BOOT_ENABLED|SECURE_BOOT_V[12]_ENABLED|SECURE_BOOT_SIGNING_KEY|SECURE_BOOT_BUILD_SIGNED_BINARIES|SECURE_BOOT_FLASH_BOOTLOADER_DEFAULT|SECURE_SIGNED_APPS_\w+_SCHEME|NVS_ENCRYPTION|NVS_SEC_KEY_PROTECT_\w+)$/.test(
    name,
  );
}

/** What this chip, or this combination, cannot do. */
export function securityIssues(device: DeviceManifest) {
  const { target, security, sdkconfig } = device;
  const { nvsEncryption, flashEncryption, secureBoot } = security;
  const issues: { path: string; expected: string; got?: string }[] = [];
  const isOn = nvsEncryption !== false || flashEncryption !== false || secureBoot !== false;
  if (target === "host" && isOn)
    issues.push({ path: "security", expected: "a chip in the field target", got: "host" });
  if (nvsEncryption === "flash-encryption" && flashEncryption === false)
    issues.push({
      path: "security.nvsEncryption",
      expected: "security.flashEncryption too, which protects its keys",
    });
  if (partitionsFile(device) !== "partitions.csv")
    for (const name of LAYOUT_SYMBOLS.filter((symbol) => symbol in sdkconfig))
      issues.push({
        path: `sdkconfig.${name}`,
        expected: "nothing, because `security` brings firmware/partitions_secure.csv",
      });
  if (nvsEncryption === "hmac" && target !== "host" && !CHIPS[target].peripherals.includes("HMAC"))
    issues.push({
      path: "security.nvsEncryption",
      expected: `a chip with an HMAC peripheral, which the ${target} does not have`,
    });
  // Secure boot burns WR_DIS_RD_DIS before the firmware runs, and an HMAC key has to be read-protected.
  if (nvsEncryption === "hmac" && secureBoot !== false)
    issues.push({
      path: "security.nvsEncryption",
      expected:
        '"flash-encryption" beside security.secureBoot, whose first boot leaves no eFuse to hide the HMAC key in',
    });
  const block = sdkconfig[HMAC_BLOCK];
  const isBlock = typeof block === "number" && block >= 0 && block <= HMAC_KEY_BLOCK;
  if (block !== undefined && !isBlock)
    issues.push({ path: `sdkconfig.${HMAC_BLOCK}`, expected: `an eFuse key block 0–5` });
  return issues;
}

/**
 * What of `security` a build has not taken, and what burns eFuses in it without having been asked for, by
 * the sdkconfig that ESP-IDF made: it drops without a word what a chip, a revision or another option forbids.
 */
export function securityDeviations(manifest: DeviceManifest, sdkconfig: string): string[] {
  const values = sdkconfigValues(sdkconfig);
  const asked = securityLines(manifest);
  const missing = asked
    .filter(({ essential }) => essential)
    .filter(({ name, value }) => !isTaken(manifest.sdkconfig[name] ?? value, values.get(name)))
    .map(({ name, field }) => `security.${field}: this ESP-IDF did not take ${name}`);
  const unasked = [
    "CONFIG_SECURE_FLASH_ENC_ENABLED",
    "CONFIG_SECURE_BOOT",
    "CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC",
  ]
    .filter((name) => values.get(name) === "y" && !asked.some((line) => line.name === name))
    .map((name) => `security: ${name} is on in this build, and nobody asked for it`);
  return [...missing, ...unasked];
}

function isTaken(wanted: SdkconfigValue, got: string | undefined): boolean {
  if (wanted === false) return got === undefined || got === "n";
  if (wanted === true) return got === "y";
  return got !== undefined && (got === String(wanted) || got === JSON.stringify(wanted));
}

function sdkconfigValues(text: string): Map<string, string> {
  const lines = text.matchAll(/^(CONFIG_\w+)=(.*)$/gm);
  return new Map(Array.from(lines, ([, name = "", value = ""]) => [name, value.trim()]));
}

/** Symbols that burn eFuses, and what that means. */
const BURNING: Readonly<Record<string, string>> = {
  SECURE_FLASH_ENCRYPTION_MODE_DEVELOPMENT:
    "flash encryption for development: the first boot burns a key into eFuses, switches JTAG off and encrypts the flash; from then on `prov flash` cannot write to the board, only esptool's --encrypt can",
  SECURE_FLASH_ENCRYPTION_MODE_RELEASE:
    "flash encryption for release: the first boot burns a key into eFuses, switches JTAG off, encrypts the flash and takes the means to write encrypted flash from the serial loader; the firmware can never be replaced over the serial port",
  SECURE_BOOT:
    "secure boot: the first boot burns the digest of the signing key into eFuses, switches JTAG off and restricts the serial loader; without that key no firmware will ever run on the board again",
  NVS_SEC_KEY_PROTECT_USING_HMAC:
    "NVS encryption by HMAC: the first boot burns a random key into an empty eFuse block, which is gone for other uses",
  SECURE_DISABLE_ROM_DL_MODE: "the first boot switches the serial loader off for good",
  BOOT_ROM_LOG_ALWAYS_OFF: "the first boot silences the ROM's log for good",
  BOOT_ROM_LOG_ON_GPIO_HIGH: "the first boot binds the ROM's log to a GPIO for good",
  BOOT_ROM_LOG_ON_GPIO_LOW: "the first boot binds the ROM's log to a GPIO for good",
  ESP32_DISABLE_BASIC_ROM_CONSOLE: "the first boot switches the ROM's BASIC off for good",
  BOOTLOADER_APP_ANTI_ROLLBACK: "a firmware's secure version is burned into eFuses for good",
  BOOTLOADER_ANTI_ROLLBACK_ENABLE: "a bootloader's secure version is burned into eFuses for good",
  ESP_CRYPTO_FORCE_ECC_CONSTANT_TIME_POINT_MUL:
    "the first boot burns an eFuse that fixes how the chip computes with elliptic curves",
  ESP_ECDSA_ENABLE_P192_CURVE: "the first boot burns an eFuse that allows P-192 signatures",
};

/** What the first boot of such a device does for good; empty when nothing. */
export function irreversibleSteps(manifest: DeviceManifest): string[] {
  const set = new Map(Object.entries(manifest.sdkconfig));
  for (const { name, value } of securityLines(manifest)) set.set(name, value);
  return stepsOf((name) => (set.get(name) ?? false) !== false);
}

/** The same by the sdkconfig that an image was built with, whatever the manifest says by now. */
export function irreversibleStepsOfImage(sdkconfig: string): string[] {
  const values = sdkconfigValues(sdkconfig);
  return stepsOf((name) => values.get(name) === "y");
}

function stepsOf(isOn: (name: string) => boolean): string[] {
  return Object.entries(BURNING)
    .filter(([symbol]) => isOn(`CONFIG_${symbol}`))
    .map(([symbol, step]) => `${step} (CONFIG_${symbol})`);
}
