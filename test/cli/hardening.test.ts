import { generateKeyPairSync } from "node:crypto";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type IdfStandIn, idfStandIn, SUCCESS } from "../helpers/idf.js";
import { projectWith, writeManifest } from "../helpers/project.js";
import { prov } from "../helpers/prov.js";

const REAL = `backend: { url: "https://api.example.com" }, mqtt: { uri: "mqtts://mqtt.example.com" }`;

function device(security: string, sdkconfig = "{}"): string {
  return `defineDevice({ id: "vault-1", target: "esp32s3", ${REAL}, security: ${security}, sdkconfig: ${sdkconfig} })`;
}

const RELEASE = device(`{ flashEncryption: "release", nvsEncryption: "flash-encryption" }`);
const HMAC = device(`{ nvsEncryption: "hmac" }`);
const PLAIN = device("{}");

async function fails(cwd: string, args: readonly string[], idf?: IdfStandIn) {
  const env = idf ? { IDF_PATH: idf.path } : {};
  const { code, stdout } = await prov([...args, "--json"], { cwd, env });
  return { code, error: JSON.parse(stdout).error };
}

/** A file that is no serial port: flashing gets as far as that, and no further. */
const FLASH = ["flash", "--port", "/dev/null"];
const UNCONFIRMED = { code: 5, error: { code: "efuses_unconfirmed", stage: "flash" } };

function withSigningKey(cwd: string): void {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 3072 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(join(cwd, "boot.pem"), pem, { mode: 0o600 });
}

describe("a manifest that burns eFuses", () => {
  it("is warned of when its configuration is made", async () => {
    const { code, stderr } = await prov(["codegen"], { cwd: projectWith(RELEASE) });
    expect(code).toBe(0);
    expect(stderr).toMatch(/flash encryption for release: .*never be replaced/);
  });

  it.each([
    ["flash", FLASH],
    [
      "run",
      ["run", "--port", "/dev/null", "--ssid", "Home", "--password", "password", "--no-token"],
    ],
  ])("is not for `prov %s` without a yes", async (_name, args) => {
    const cwd = projectWith(RELEASE);
    const idf = idfStandIn();
    const refused = await fails(cwd, args, idf);
    expect(refused).toMatchObject(UNCONFIRMED);
    expect(refused.error.message).toContain("never be replaced");
    expect(idf.calls()).toEqual([]);
    const confirmed = await fails(cwd, [...args, "--yes-burn-efuses"], idf);
    expect(confirmed.error.code).not.toBe("efuses_unconfirmed");
  });

  it("needs none when it burns nothing", async () => {
    const { error } = await fails(projectWith(PLAIN), FLASH);
    expect(error.code).not.toBe("efuses_unconfirmed");
  });

  it("counts by the image that is there, also when the manifest has changed since", async () => {
    const cwd = projectWith(RELEASE);
    const idf = idfStandIn();
    expect((await prov(["build"], { cwd, env: { IDF_PATH: idf.path } })).code).toBe(0);
    const kept = join(cwd, ".prov", "devices", "vault-1", "build", "esp32s3", "sdkconfig");
    expect((statSync(kept).mode & 0o777).toString(8)).toBe("600");
    writeManifest(cwd, PLAIN);
    expect(await fails(cwd, FLASH)).toMatchObject(UNCONFIRMED);
    expect((await prov(["build"], { cwd, env: { IDF_PATH: idf.path } })).code).toBe(0);
    expect((await fails(cwd, FLASH)).error.code).not.toBe("efuses_unconfirmed");
  });

  it("also when it burns by an option of `sdkconfig`", async () => {
    const cwd = projectWith(device("{}", "{ CONFIG_BOOT_ROM_LOG_ALWAYS_OFF: true }"));
    const refused = await fails(cwd, FLASH);
    expect(refused).toMatchObject(UNCONFIRMED);
    expect(refused.error.message).toContain("CONFIG_BOOT_ROM_LOG_ALWAYS_OFF");
  });
});

describe("an ESP-IDF that cannot do what is asked for is an error, not a weaker device", () => {
  const built = (cwd: string): string => join(cwd, ".prov", "devices", "vault-1", "build");

  it("5.0 has no NVS encryption by HMAC", async () => {
    const cwd = projectWith(HMAC);
    const idf = idfStandIn({ release: "5.0" });
    idf.play(SUCCESS, { lacks: ["NVS_SEC_KEY_PROTECT_USING_HMAC", "NVS_SEC_HMAC_EFUSE_KEY_ID"] });
    const { code, error } = await fails(cwd, ["build"], idf);
    expect(code).toBe(3);
    expect(error).toMatchObject({ code: "manifest_invalid" });
    expect(error.message).toBe(
      [
        "security.nvsEncryption (CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC): this ESP-IDF has no such option",
        "security.nvsEncryption (CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID): this ESP-IDF has no such option",
      ].join("\n"),
    );
    expect(existsSync(built(cwd))).toBe(false);
  });

  it("5.0 would leave the bootloader out under secure boot", async () => {
    const cwd = projectWith(device(`{ secureBoot: "boot.pem" }`));
    withSigningKey(cwd);
    const idf = idfStandIn({ release: "5.0" });
    idf.play(SUCCESS, { lacks: ["SECURE_BOOT_FLASH_BOOTLOADER_DEFAULT"] });
    const { code, error } = await fails(cwd, ["build"], idf);
    expect(code).toBe(3);
    expect(error.message).toContain("security.secureBoot (CONFIG_SECURE_BOOT_FLASH_BOOTLOADER");
    expect(existsSync(built(cwd))).toBe(false);
  });

  it.each([
    ["drops a protection without a word", RELEASE, { CONFIG_NVS_ENCRYPTION: null }],
    ["drops the place of the table", RELEASE, { CONFIG_PARTITION_TABLE_OFFSET: "0x8000" }],
    ["burns for HMAC, unasked", RELEASE, { CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC: "y" }],
    ["encrypts the flash, unasked", PLAIN, { CONFIG_SECURE_FLASH_ENC_ENABLED: "y" }],
  ])("one that %s", async (_name, manifest, sdkconfig) => {
    const cwd = projectWith(manifest);
    const idf = idfStandIn();
    idf.play(SUCCESS, { sdkconfig });
    const { code, error } = await fails(cwd, ["build"], idf);
    expect(code).toBe(3);
    expect(error.code).toBe("manifest_invalid");
    expect(error.message).toContain(Object.keys(sdkconfig)[0]);
    expect(existsSync(built(cwd))).toBe(false);
  });
});

it("a build with another signing key at the same path begins anew: both stages need one key", async () => {
  const cwd = projectWith(device(`{ secureBoot: "boot.pem" }`));
  const idf = idfStandIn();
  const folders = new Set<string | undefined>();
  for (const builds of [1, 1, 2]) {
    if (folders.size < builds) withSigningKey(cwd);
    expect((await prov(["build"], { cwd, env: { IDF_PATH: idf.path } })).code).toBe(0);
    const argv = idf.calls().at(-1)?.argv ?? [];
    folders.add(argv[argv.indexOf("-B") + 1]);
    expect(folders.size).toBe(builds);
  }
});
