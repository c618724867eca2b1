import type { Chip, DeviceManifest, SdkconfigValue } from "./manifest.js";

/** What each line of the configuration that hardens a device needs to be written. */
export interface SecurityLine {
  readonly name: string;
  readonly value: SdkconfigValue;
  /** The device would be less than what was asked for on an ESP-IDF that does not know it. */
  readonly essential: boolean;
}

/** No HMAC peripheral (SOC_HMAC_SUPPORTED of ESP-IDF). */
const WITHOUT_HMAC: readonly Chip[] = ["esp32", "esp32c2"];
/** Secure boot v2 with ECDSA only (SOC_SECURE_BOOT_V2_RSA). */
const WITHOUT_RSA: readonly Chip[] = ["esp32c2"];
/** Of the six key blocks the last; flash encryption and secure boot take the first free ones. */
const HMAC_KEY_BLOCK = 5;
/** Room for a bootloader that encrypts and checks signatures. */
const TABLE_OFFSET = "CONFIG_PARTITION_TABLE_OFFSET";
const SECURE_TABLE_OFFSET = "0x10000";

/** The key that signs the images for secure boot v2 on this chip. */
export function signingKeyKind(target: DeviceManifest["target"]): "RSA-3072" | "P-256" {
  return WITHOUT_RSA.includes(target as Chip) ? "P-256" : "RSA-3072";
}

/** The partition table that the firmware is built with; a file of firmware/. */
export function partitionsFile({ security }: DeviceManifest): string {
  const isSecure = security.flashEncryption !== false || security.secureBoot !== false;
  return isSecure ? "partitions_secure.csv" : "partitions.csv";
}

/** The symbols of ESP-IDF that `security` sets; none when all of it is off. */
export function securityLines(manifest: DeviceManifest): SecurityLine[] {
  const { nvsEncryption, flashEncryption, secureBoot } = manifest.security;
  const lines: SecurityLine[] = [];
  const set = (name: string, value: SdkconfigValue, essential = true): void => {
    lines.push({ name: `CONFIG_${name}`, value, essential });
  };
  if (flashEncryption !== false) {
    set("SECURE_FLASH_ENC_ENABLED", true);
    set(`SECURE_FLASH_ENCRYPTION_MODE_${flashEncryption.toUpperCase()}`, true);
    // ESP-IDF would encrypt the NVS by itself from here on.
    if (nvsEncryption === false) set("NVS_ENCRYPTION", false, false);
  }
  if (nvsEncryption !== false) set("NVS_ENCRYPTION", true);
  // Said explicitly, because ESP-IDF 6.1 would choose HMAC, which burns an eFuse. Unknown before 5.2.
  if (nvsEncryption === "flash-encryption") set("NVS_SEC_KEY_PROTECT_USING_FLASH_ENC", true, false);
  if (nvsEncryption === "hmac") {
    set("NVS_SEC_KEY_PROTECT_USING_HMAC", true);
    set("NVS_SEC_HMAC_EFUSE_KEY_ID", HMAC_KEY_BLOCK);
  }
  if (secureBoot !== false) {
    if (manifest.target === "esp32") set("ESP32_REV_MIN_3", true);
    set("SECURE_BOOT", true);
    set("SECURE_BOOT_V2_ENABLED", true);
    set("SECURE_BOOT_BUILD_SIGNED_BINARIES", true);
    set("SECURE_BOOT_SIGNING_KEY", secureBoot);
    // Else the bootloader is left out of what is flashed.
    set("SECURE_BOOT_FLASH_BOOTLOADER_DEFAULT", true);
  }
  if (partitionsFile(manifest) !== "partitions.csv")
    lines.push({ name: TABLE_OFFSET, value: SECURE_TABLE_OFFSET, essential: true });
  return lines;
}

/** Set by `security` alone, so that nothing irreversible comes in by another way. */
export function isSecuritySymbol(name: string): boolean {
  return /^CONFIG_(SECURE_FLASH_ENC_ENABLED|SECURE_FLASH_ENCRYPTION_MODE_\w+|SECURE_BOOT|SECURE_BOOT_V[12]_ENABLED|SECURE_BOOT_SIGNING_KEY|SECURE_BOOT_BUILD_SIGNED_BINARIES|NVS_ENCRYPTION|NVS_SEC_KEY_PROTECT_\w+)$/.test(
    name,
  );
}

/** What this chip, or this combination, cannot do. */
export function securityIssues(device: DeviceManifest) {
  const { target, security } = device;
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
  if (partitionsFile(device) !== "partitions.csv" && TABLE_OFFSET in device.sdkconfig)
    issues.push({
      path: `sdkconfig.${TABLE_OFFSET}`,
      expected: "nothing, because firmware/partitions_secure.csv is laid out for its own",
    });
  if (nvsEncryption === "hmac" && WITHOUT_HMAC.includes(target as Chip))
    issues.push({
      path: "security.nvsEncryption",
      expected: `a chip with an HMAC peripheral, which the ${target} does not have`,
    });
  return issues;
}

/** What the first boot of such a device does for good; empty when nothing. */
export function irreversibleSteps({ security }: DeviceManifest): string[] {
  const { nvsEncryption, flashEncryption, secureBoot } = security;
  const steps: string[] = [];
  if (flashEncryption === "development")
    steps.push(
      "flashEncryption: the first boot burns a key into eFuses and encrypts the flash; from then on only `idf.py encrypted-flash` writes to the board, not `prov flash`",
    );
  if (flashEncryption === "release")
    steps.push(
      "flashEncryption: the first boot burns a key into eFuses, encrypts the flash and closes the serial loader for good; the firmware can never be replaced over the serial port",
    );
  if (secureBoot !== false)
    steps.push(
      "secureBoot: the first boot burns the digest of the signing key into eFuses; without that key no firmware will ever run on the board again",
    );
  if (nvsEncryption === "hmac")
    steps.push(
      "nvsEncryption: the first boot burns a random HMAC key into an empty eFuse block; that block is gone for other uses",
    );
  return steps;
}
