import { describe, expect, test } from "vitest";
import { CHIP_NAMES } from "../../codegen/chips.js";
import { placeholderFields } from "../../codegen/manifest-fields.js";
import { GOLDEN_CA } from "../golden/golden-device.js";
import { at, complaintsOf, ID, soundDevice } from "../helpers/manifest.js";

test("only the id is required; every other field has the default of the mission", () => {
  expect(soundDevice(ID)).toEqual({
    id: "d1",
    target: "esp32",
    softAp: {
      ssidPrefix: "ESP32-Prov",
      password: "prov12345678",
      channel: 1,
      pairingSecret: "",
      windowSeconds: 0,
    },
    wifi: { allowOpen: false, country: "01", fallbackApSeconds: 300 },
    time: { servers: ["pool.ntp.org"] },
    backend: { url: "https://your-backend.com", ca: null, reportPath: "/device-report" },
    mqtt: {
      uri: "mqtts://your-broker.com:8883",
      statusIntervalSeconds: 30,
      username: "",
      password: "",
    },
    key: { algorithm: "P-256" },
    tls: { allSuites: false, dynamicBuffers: true },
    security: { nvsEncryption: false, flashEncryption: false, secureBoot: false },
    logLevel: "info",
    coreDump: false,
    sdkconfig: {},
  });
});

test("a field given as undefined has its default", () => {
  const given = { ...ID, target: undefined, softAp: { channel: undefined }, mqtt: undefined };
  expect(soundDevice(given)).toEqual(soundDevice(ID));
});

test("a checked manifest is a valid definition again", () => {
  const device = soundDevice({ ...ID, target: "c6", backend: { ca: GOLDEN_CA } });
  expect(soundDevice(device)).toEqual(device);
});

test("each chip has its long and its short name", () => {
  for (const chip of CHIP_NAMES) {
    expect(soundDevice({ ...ID, target: chip }).target).toBe(chip);
    const short = chip.replace("esp32", "");
    if (short !== "") expect(soundDevice({ ...ID, target: short }).target).toBe(chip);
  }
  expect(soundDevice({ ...ID, target: "host" }).target).toBe("host");
});

describe("values at their limits are accepted", () => {
  test.each<[string, unknown]>([
    ["id", "a"],
    ["id", "A-z_9".padEnd(64, "x")],
    ["softAp.ssidPrefix", "p"],
    ["softAp.ssidPrefix", "p".repeat(25)],
    ["softAp.ssidPrefix", `${"é".repeat(12)}x`], // 25 bytes
    ["softAp.ssidPrefix", `${"😀".repeat(6)}x`], // 25 bytes
    ["softAp.password", "8".repeat(8)],
    ["softAp.password", "8".repeat(63)],
    ["softAp.password", " ~!\"'\\$%"],
    ["softAp.channel", 1],
    ["softAp.channel", 11],
    ["softAp.pairingSecret", ""],
    ["softAp.pairingSecret", "s".repeat(8)],
    ["softAp.pairingSecret", "s".repeat(64)],
    ["softAp.windowSeconds", 86_400],
    ["wifi.allowOpen", true],
    ["wifi.country", "DE"],
    ["wifi.country", "01"],
    ["wifi.fallbackApSeconds", 0],
    ["wifi.fallbackApSeconds", 86_400],
    ["time.servers", [`${"a".repeat(60)}.org`, "b", "192.0.2.1", "ntp_1.lan"]],
    ["logLevel", "none"],
    ["logLevel", "verbose"],
    ["coreDump", true],
    ["backend.url", "https://b"],
    ["backend.url", `https://b/${"p".repeat(246)}`], // 256 bytes
    ["backend.url", `https://${"b".repeat(63)}`],
    ["backend.url", `https://${"b.".repeat(123)}b`],
    ["backend.url", "https://xn--bcher-kva.example"],
    ["backend.url", "https://192.168.1.2:8443/api/v1"],
    ["backend.reportPath", ""],
    ["backend.reportPath", "/"],
    ["backend.reportPath", `/${"r".repeat(127)}`],
    ["mqtt.uri", "mqtts://m"],
    ["mqtt.uri", `mqtts://${`${"m".repeat(61)}.`.repeat(4)}`.slice(0, -1)],
    ["mqtt.uri", "mqtts://m:65535"],
    ["mqtt.statusIntervalSeconds", 1],
    ["mqtt.statusIntervalSeconds", 86_400],
    ["mqtt.username", ""],
    ["mqtt.username", "u".repeat(128)],
    ["mqtt.username", "é".repeat(64)],
    ["mqtt.password", ""],
    ["key.algorithm", "P-256"],
    ["key.algorithm", "RSA-2048"],
    ["sdkconfig.CONFIG_LWIP_MAX_SOCKETS", 16],
    ["sdkconfig.CONFIG_LWIP_MAX_SOCKETS", 64],
    ["sdkconfig.CONFIG_PROV_WIFI_MAX_ATTEMPTS", 1],
    ["sdkconfig.CONFIG_PARTITION_TABLE_CUSTOM_FILENAME", "big.csv"],
    ["sdkconfig.CONFIG_SOME_OPTION", "x".repeat(1024)],
    ["sdkconfig.CONFIG_MBEDTLS_HAVE_TIME_DATE", true],
  ])("%s = %j", (path, value) => {
    expect(complaintsOf(at(path, value))).toEqual([]);
  });
});

test("trailing slashes of the URLs do not matter", () => {
  const device = soundDevice({
    ...ID,
    backend: { url: "https://b/api//" },
    mqtt: { uri: "mqtts://m/" },
  });
  expect([device.backend.url, device.mqtt.uri]).toEqual(["https://b/api", "mqtts://m"]);
});

test("placeholders are found by host", () => {
  expect(placeholderFields(soundDevice(ID))).toEqual(["backend.url", "mqtt.uri"]);
  const own = { ...ID, backend: { url: "https://b" }, mqtt: { uri: "mqtts://your-broker.com:1" } };
  expect(placeholderFields(soundDevice(own))).toEqual(["mqtt.uri"]);
});
