import { describe, expect, test } from "vitest";
import { GOLDEN_CA } from "../golden/golden-device.js";
import { complaintsOf, ID } from "../helpers/manifest.js";

describe("across fields", () => {
  test.each<[string, Record<string, unknown>, string]>([
    [
      "a symbol that a field decides",
      { CONFIG_PROV_MQTT_STATUS_INTERVAL_S: 5 },
      "sdkconfig.CONFIG_PROV_MQTT_STATUS_INTERVAL_S: expected the value in the field mqtt.statusIntervalSeconds alone, got 5",
    ],
    [
      "the chip",
      { CONFIG_IDF_TARGET: "esp32s3" },
      'sdkconfig.CONFIG_IDF_TARGET: expected the chip in the field target alone, got "esp32s3"',
    ],
    [
      "certificate dates off",
      { CONFIG_MBEDTLS_HAVE_TIME_DATE: false },
      "sdkconfig.CONFIG_MBEDTLS_HAVE_TIME_DATE: expected true (without it expired certificates are accepted), got false",
    ],
    [
      "TLS without checks",
      { CONFIG_ESP_TLS_INSECURE: true },
      "sdkconfig.CONFIG_ESP_TLS_INSECURE: expected false (it would let TLS go without a check of the server), got true",
    ],
    [
      "the curve of the keys off",
      { CONFIG_MBEDTLS_ECP_DP_SECP256R1_ENABLED: false },
      "sdkconfig.CONFIG_MBEDTLS_ECP_DP_SECP256R1_ENABLED: expected true (the CA's and the device's keys are on P-256), got false",
    ],
    [
      "too few sockets",
      { CONFIG_LWIP_MAX_SOCKETS: 15 },
      "sdkconfig.CONFIG_LWIP_MAX_SOCKETS: expected integer 16–64 (the HTTP server alone takes 10 and leaves none for TLS), got 15",
    ],
    [
      "a tunable beyond its range",
      { CONFIG_PROV_WIFI_MAX_ATTEMPTS: 0 },
      "sdkconfig.CONFIG_PROV_WIFI_MAX_ATTEMPTS: expected integer 1–100, got 0",
    ],
    [
      "a tunable of the wrong type",
      { CONFIG_PARTITION_TABLE_CUSTOM_FILENAME: 7 },
      "sdkconfig.CONFIG_PARTITION_TABLE_CUSTOM_FILENAME: expected non-empty text, got 7",
    ],
    [
      "an unknown symbol of the firmware",
      { CONFIG_PROV_WIFI_MAX_ATTEMPT: 3 },
      'sdkconfig.CONFIG_PROV_WIFI_MAX_ATTEMPT: expected a symbol of the firmware\'s Kconfig, got an unknown one (did you mean "CONFIG_PROV_WIFI_MAX_ATTEMPTS"?)',
    ],
    [
      "less flash than the partitions fill",
      { CONFIG_ESPTOOLPY_FLASHSIZE_2MB: true },
      "sdkconfig.CONFIG_ESPTOOLPY_FLASHSIZE_2MB: expected at least 4 MB of flash, which partitions.csv fills, got true",
    ],
    [
      "a backoff that starts above its end",
      { CONFIG_PROV_RECONNECT_MIN_MS: 5001, CONFIG_PROV_RECONNECT_MAX_MS: 5000 },
      "sdkconfig.CONFIG_PROV_RECONNECT_MIN_MS: expected at most CONFIG_PROV_RECONNECT_MAX_MS (5000), got 5001",
    ],
    [
      "a backoff that starts above its default end",
      { CONFIG_PROV_BACKEND_RETRY_MIN_MS: 30_001 },
      "sdkconfig.CONFIG_PROV_BACKEND_RETRY_MIN_MS: expected at most CONFIG_PROV_BACKEND_RETRY_MAX_MS (30000), got 30001",
    ],
    [
      "nothing left to trust",
      { CONFIG_MBEDTLS_CERTIFICATE_BUNDLE: false },
      "backend.ca: expected a CA to pin, because sdkconfig switches the certificate bundle off, got nothing",
    ],
  ])("%s", (_name, sdkconfig, message) => {
    expect(complaintsOf({ ...ID, sdkconfig })).toEqual([message]);
  });

  test("the bundle may go when a CA is pinned; a backoff may be constant", () => {
    const sdkconfig = {
      CONFIG_MBEDTLS_CERTIFICATE_BUNDLE: false,
      CONFIG_PROV_RECONNECT_MIN_MS: 5000,
      CONFIG_PROV_RECONNECT_MAX_MS: 5000,
    };
    expect(complaintsOf({ ...ID, backend: { ca: GOLDEN_CA }, sdkconfig })).toEqual([]);
  });
});

describe("what the broker wants beside the certificate", () => {
  const mqtt = (given: object) => complaintsOf({ ...ID, mqtt: given });

  test("is a user name, with or without a password, but no password alone", () => {
    expect(mqtt({ username: "u" })).toEqual([]);
    expect(mqtt({ username: "u", password: "p".repeat(512) })).toEqual([]);
    expect(mqtt({ password: "hunter2-alone" })).toEqual([
      "mqtt.username: expected a user name, because mqtt.password is given, got nothing",
    ]);
  });
});
