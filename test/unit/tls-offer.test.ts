import { getCurves } from "node:crypto";
import { getCiphers } from "node:tls";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../codegen/limits.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { emitSdkconfigDefaults } from "../../codegen/sdkconfig.js";
import { findSdkconfigSymbol, SDKCONFIG_SYMBOLS } from "../../codegen/sdkconfig-table.js";
import { CURVES, emitMbedtlsConfig, TLS_SUITES } from "../../codegen/tls-offer.js";
import { PARTIAL_OPTIONS } from "../helpers/idf-options.js";
import { complaintsOf, ID, soundDevice } from "../helpers/manifest.js";
import { pemForms } from "../helpers/pem-forms.js";

function withTls(tls: Partial<DeviceManifest["tls"]>, sdkconfig: object = {}) {
  return { ...ID, tls, sdkconfig };
}

test("OpenSSL knows the suites and curves by their names there", () => {
  const suites = TLS_SUITES.map(({ openssl }) => openssl.toLowerCase());
  expect(getCiphers()).toEqual(expect.arrayContaining(suites));
  const names = CURVES.map(({ openssl }) => openssl).filter((name) => name !== "X25519");
  expect(getCurves()).toEqual(expect.arrayContaining(names));
});

test("mbedTLS is built with the four suites, unless the manifest wants all", () => {
  const text = emitMbedtlsConfig();
  expect(text.match(/MBEDTLS_TLS_\w+/g)).toHaveLength(TLS_SUITES.length);
  expect(text).toMatch(/#ifndef CONFIG_PROV_TLS_ALL_SUITES\n[^#]*#define MBEDTLS_SSL_CIPHERSUITES/);
  const lines = (tls: object): string => emitSdkconfigDefaults(soundDevice({ ...ID, tls }));
  expect(lines({})).toContain("# CONFIG_PROV_TLS_ALL_SUITES is not set");
  expect(lines({})).toContain("# CONFIG_MBEDTLS_KEY_EXCHANGE_RSA is not set");
  expect(lines({ allSuites: true })).toContain("CONFIG_MBEDTLS_KEY_EXCHANGE_RSA=y");
  expect(lines({ allSuites: true })).toContain("CONFIG_MBEDTLS_ECP_DP_BP256R1_ENABLED=y");
  expect(lines({ dynamicBuffers: false })).toContain("# CONFIG_MBEDTLS_DYNAMIC_BUFFER is not set");
});

test("the longest certificate with its chain fits into one message", () => {
  const symbol = findSdkconfigSymbol("CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN");
  const [least = 0] = symbol?.range?.(soundDevice(ID)) ?? [];
  // The message has 7 bytes more, and 3 for each certificate, of which there are at most 32.
  expect(LIMITS.certificatesDerMaxBytes + 7 + 32 * 3).toBeLessThan(least);
});

test("what the device cannot do without is in every release of ESP-IDF", () => {
  const needed = SDKCONFIG_SYMBOLS.filter((symbol) => symbol.needed !== undefined);
  const partial = Object.keys(PARTIAL_OPTIONS).map((name) => `CONFIG_${name}`);
  expect(needed.map(({ name }) => name).filter((name) => partial.includes(name))).toEqual([]);
});

const ALL_SUITES =
  "expected tls.allSuites too, without which the device offers ECDHE with AES-GCM alone";

describe("sdkconfig beside the narrow offer", () => {
  test.each([
    "MBEDTLS_KEY_EXCHANGE_RSA",
    "MBEDTLS_KEY_EXCHANGE_DHE_RSA",
    "MBEDTLS_DHM_C",
    "MBEDTLS_CHACHAPOLY_C",
    "MBEDTLS_CCM_C",
    "MBEDTLS_PSK_MODES",
    "ESP_TLS_PSK_VERIFICATION",
    "MBEDTLS_ECP_DP_BP256R1_ENABLED",
    "MBEDTLS_SSL_RENEGOTIATION",
    "MBEDTLS_SSL_PROTO_TLS1_3",
  ])("%s would have no effect", (option) => {
    const name = `CONFIG_${option}`;
    expect(complaintsOf(withTls({}, { [name]: true }))).toEqual([
      expect.stringContaining(`sdkconfig.${name}: ${ALL_SUITES}`),
    ]);
    const tls = { allSuites: true, dynamicBuffers: false };
    const sound = soundDevice(withTls(tls, { [name]: true }));
    expect(emitSdkconfigDefaults(sound)).toContain(`\n${name}=y\n`);
  });

  test.each([
    ["MBEDTLS_ECP_DP_SECP521R1_ENABLED", false],
    ["MBEDTLS_KEY_EXCHANGE_ECDHE_RSA", false],
    ["MBEDTLS_KEY_EXCHANGE_RSA", false],
    ["MBEDTLS_SSL_OUT_CONTENT_LEN", 16_384],
  ])("%s may be %s", (option, value) => {
    expect(complaintsOf(withTls({}, { [`CONFIG_${option}`]: value }))).toEqual([]);
  });

  test.each([
    ["MBEDTLS_SSL_PROTO_TLS1_2", false],
    ["MBEDTLS_GCM_C", false],
    ["MBEDTLS_SSL_OUT_CONTENT_LEN", 4096],
    ["MBEDTLS_DYNAMIC_BUFFER", false],
  ])("%s may not be %s", (option, value) => {
    expect(
      complaintsOf(withTls({ allSuites: true }, { [`CONFIG_${option}`]: value })),
    ).toHaveLength(1);
  });

  test.each([
    ["MBEDTLS_SSL_PROTO_TLS1_3", true],
    ["MBEDTLS_SSL_PROTO_DTLS", true],
    ["MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH", true],
    ["MBEDTLS_ASYMMETRIC_CONTENT_LEN", false],
  ])("%s: %s would take the dynamic buffers away", (option, value) => {
    const sdkconfig = { [`CONFIG_${option}`]: value };
    expect(complaintsOf(withTls({ allSuites: true }, sdkconfig))).toEqual([
      expect.stringContaining("expected tls.dynamicBuffers: false beside it"),
    ]);
    const tls = { allSuites: true, dynamicBuffers: false };
    expect(complaintsOf(withTls(tls, sdkconfig))).toEqual([]);
  });
});

test("a pinned CA may be on a curve that is built, and on no other", () => {
  const forms = pemForms();
  const ca = (curve: string): string => {
    forms.openssl(
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:${curve} -nodes -subj /CN=x -keyout x.key -out x.pem`,
    );
    return forms.text("x.pem");
  };
  const complaints = (pem: string, rest: object = {}): string[] =>
    complaintsOf({ ...ID, backend: { ca: pem }, ...rest });
  const brainpool = ca("brainpoolP256r1");
  expect(complaints(brainpool)).toEqual([
    "backend.ca: expected a CA on P-256, P-384 or P-521, or tls.allSuites: true beside it, got a certificate with a key on brainpoolP256r1",
  ]);
  expect(complaints(brainpool, { tls: { allSuites: true } })).toEqual([]);
  const [complaint] = complaints(ca("P-384"), {
    sdkconfig: { CONFIG_MBEDTLS_ECP_DP_SECP384R1_ENABLED: false },
  });
  expect(complaint).toContain("or no CONFIG_MBEDTLS_ECP_DP_SECP384R1_ENABLED");
});
