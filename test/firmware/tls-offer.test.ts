import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { emitSdkconfigHeader } from "../../codegen/sdkconfig.js";
import { TLS_SUITES } from "../../codegen/tls-offer.js";
import { ID, soundDevice } from "../helpers/manifest.js";
import { temporaryDir } from "../helpers/project.js";
import { REPOSITORY } from "../helpers/prov.js";

/** What the virtual board offers when it is built with this, as firmware/host/CMakeLists.txt has it. */
function offerOf(tls: object, sdkconfig: object = {}) {
  const dir = temporaryDir();
  const header = join(dir, "sdkconfig.h");
  writeFileSync(header, emitSdkconfigHeader(soundDevice({ ...ID, tls, sdkconfig })));
  const at = (path: string): string => join(REPOSITORY, path);
  const offer = join(dir, "offer");
  execFileSync("cc", [
    ...["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-include", header],
    ...[`-I${at("firmware")}`, `-I${at("firmware/host/src")}`, at("test/support/tls-offer.c")],
    ...[at("firmware/host/src/host_chip_tls.c"), "-o", offer],
    ...["-Wl,--wrap=mbedtls_oid_get_ec_grp", "-lmbedtls", "-lmbedx509", "-lmbedcrypto", "-pthread"],
  ]);
  const lines = execFileSync(offer, { encoding: "utf8" }).trimEnd().split("\n");
  const after = (word: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  return {
    suites: lines.filter((line) => line.startsWith("TLS-")),
    curves: after("curve"),
    outMax: Number(after("out")[0]),
  };
}

const NARROW = TLS_SUITES.map(({ mbedtls }) => `TLS-${mbedtls.replaceAll("_", "-")}`);

test("the virtual board offers what the chip does", () => {
  expect(offerOf({})).toEqual({
    suites: NARROW,
    curves: ["x25519", "secp256r1", "secp384r1", "secp521r1"],
    outMax: 8192,
  });
});

test("less, as far as the manifest's sdkconfig takes away", () => {
  const offer = offerOf(
    {},
    {
      CONFIG_MBEDTLS_ECP_DP_SECP521R1_ENABLED: false,
      CONFIG_MBEDTLS_KEY_EXCHANGE_ECDHE_RSA: false,
      CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN: 16384,
    },
  );
  expect(offer).toEqual({
    suites: NARROW.filter((name) => !name.includes("RSA-WITH")),
    curves: ["x25519", "secp256r1", "secp384r1"],
    outMax: 16384,
  });
});

test("with tls.allSuites what ESP-IDF builds, which has no CHACHA20 and no DHE", () => {
  const { suites, curves } = offerOf({ allSuites: true });
  expect(suites).toEqual(
    expect.arrayContaining([
      ...NARROW,
      "TLS-RSA-WITH-AES-128-GCM-SHA256",
      "TLS-ECDHE-RSA-WITH-AES-128-CBC-SHA",
      "TLS-ECDHE-ECDSA-WITH-AES-128-CCM",
    ]),
  );
  expect(suites.join()).not.toMatch(/CHACHA20|-DHE-|PSK|3DES|CAMELLIA|NULL/);
  expect(curves).toContain("brainpoolP256r1");
});
