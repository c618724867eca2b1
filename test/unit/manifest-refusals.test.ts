import { describe, expect, test } from "vitest";
import { at, complaintsOf, ID } from "../helpers/manifest.js";

describe("values beyond their limits are refused, with path, expectation and what came", () => {
  test.each<[string, unknown, string]>([
    ["id", undefined, "id: expected 1–64 of A–Z a–z 0–9 _ -, got nothing"],
    ["id", "", 'id: expected 1–64 of A–Z a–z 0–9 _ -, got ""'],
    ["id", "a".repeat(65), `id: expected 1–64 of A–Z a–z 0–9 _ -, got "${"a".repeat(65)}"`],
    ["id", "../x", 'id: expected 1–64 of A–Z a–z 0–9 _ -, got "../x"'],
    ["id", "d1\n", 'id: expected 1–64 of A–Z a–z 0–9 _ -, got "d1\\n"'],
    ["id", 7, "id: expected 1–64 of A–Z a–z 0–9 _ -, got 7"],
    [
      "softAp.pairingSecret",
      "short",
      'softAp.pairingSecret: expected 8–64 printable ASCII characters, or "", got 5 bytes (not shown)',
    ],
    ["softAp.windowSeconds", -1, "softAp.windowSeconds: expected integer 0–86400, got -1"],
    ["wifi.allowOpen", "yes", 'wifi.allowOpen: expected boolean, got "yes"'],
    [
      "wifi.country",
      "de",
      'wifi.country: expected two capital letters of ISO 3166, or 01, got "de"',
    ],
    ["wifi.fallbackApSeconds", 0.5, "wifi.fallbackApSeconds: expected integer 0–86400, got 0.5"],
    [
      "logLevel",
      "loud",
      'logLevel: expected one of none, error, warn, info, debug, verbose, got "loud"',
    ],
    ["coreDump", 1, "coreDump: expected boolean, got 1"],
    ["time.servers", [], "time.servers: expected array of 1–4 host names, got an array of 0"],
    [
      "time.servers",
      ["a", "b", "c", "d", "e"],
      "time.servers: expected array of 1–4 host names, got an array of 5",
    ],
    [
      "time.servers",
      "pool.ntp.org",
      'time.servers: expected array of 1–4 host names, got "pool.ntp.org"',
    ],
    [
      "target",
      "esp8266",
      'target: expected one of esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c5, esp32c6, host, got "esp8266"',
    ],
    [
      "softAp.ssidPrefix",
      "",
      'softAp.ssidPrefix: expected 1–25 bytes of text without control characters, got ""',
    ],
    [
      "softAp.ssidPrefix",
      "p".repeat(26),
      `softAp.ssidPrefix: expected 1–25 bytes of text without control characters, got "${"p".repeat(26)}"`,
    ],
    [
      "softAp.ssidPrefix",
      "é".repeat(13),
      `softAp.ssidPrefix: expected 1–25 bytes of text without control characters, got "${"é".repeat(13)}" (26 bytes)`,
    ],
    [
      "softAp.ssidPrefix",
      "a\u0000b",
      'softAp.ssidPrefix: expected 1–25 bytes of text without control characters, got "a\\u0000b"',
    ],
    [
      "softAp.password",
      "7seven7",
      "softAp.password: expected 8–63 printable ASCII characters, got 7 bytes (not shown)",
    ],
    [
      "softAp.password",
      "x".repeat(64),
      "softAp.password: expected 8–63 printable ASCII characters, got 64 bytes (not shown)",
    ],
    [
      "softAp.password",
      "pässword",
      "softAp.password: expected 8–63 printable ASCII characters, got 9 bytes (not shown)",
    ],
    [
      "softAp.password",
      12345678,
      "softAp.password: expected 8–63 printable ASCII characters, got a number",
    ],
    ["softAp.channel", 0, "softAp.channel: expected integer 1–13, got 0"],
    ["softAp.channel", 14, "softAp.channel: expected integer 1–13, got 14"],
    ["softAp.channel", 1.5, "softAp.channel: expected integer 1–13, got 1.5"],
    ["softAp.channel", "6", 'softAp.channel: expected integer 1–13, got "6"'],
    ["softAp", null, "softAp: expected object, got null"],
    ["softAp", "x", 'softAp: expected object, got "x"'],
    [
      "mqtt.statusIntervalSeconds",
      0,
      "mqtt.statusIntervalSeconds: expected integer 1–86400, got 0",
    ],
    [
      "mqtt.statusIntervalSeconds",
      86_401,
      "mqtt.statusIntervalSeconds: expected integer 1–86400, got 86401",
    ],
    [
      "mqtt.username",
      "u".repeat(129),
      `mqtt.username: expected 1–128 bytes of text without control characters, or "", got "${"u".repeat(40)}"… (129 bytes)`,
    ],
    [
      "mqtt.username",
      "é".repeat(65),
      `mqtt.username: expected 1–128 bytes of text without control characters, or "", got "${"é".repeat(40)}"… (130 bytes)`,
    ],
    [
      "mqtt.username",
      "a\nb",
      'mqtt.username: expected 1–128 bytes of text without control characters, or "", got "a\\nb"',
    ],
    [
      "mqtt.password",
      "p".repeat(513),
      'mqtt.password: expected 1–512 bytes of text without control characters, or "", got 513 bytes (not shown)',
    ],
    [
      "mqtt.password",
      "hunter2\u0000",
      'mqtt.password: expected 1–512 bytes of text without control characters, or "", got 8 bytes (not shown)',
    ],
    ["key.algorithm", "P-384", 'key.algorithm: expected one of P-256, RSA-2048, got "P-384"'],
    [
      "sdkconfig.lwip",
      1,
      "sdkconfig.lwip: expected name like CONFIG_LWIP_MAX_SOCKETS, got that name",
    ],
    [
      "sdkconfig.CONFIG_X",
      null,
      "sdkconfig.CONFIG_X: expected boolean, integer, or text of at most 1024 bytes without control characters, got null",
    ],
    [
      "sdkconfig.CONFIG_X_PASSWORD",
      "line\nbreak",
      "sdkconfig.CONFIG_X_PASSWORD: expected boolean, integer, or text of at most 1024 bytes without control characters, got 10 bytes (not shown)",
    ],
  ])("%s = %j", (path, value, message) => {
    expect(complaintsOf(at(path, value))).toEqual([message]);
  });

  test.each([
    "http://b",
    "HTTPS//b",
    "https://",
    "https:/b",
    "https://b?x=1",
    "https://b?",
    "https://b#f",
    "https://b/ü",
    "https://b/a b",
    "https://b:0",
    "https://b:65536",
    `https://b/${"p".repeat(247)}`,
  ])("backend.url = %j", (url) => {
    expect(complaintsOf(at("backend.url", url))).toEqual([
      expect.stringMatching(
        /^backend\.url: expected https:\/\/ URL of at most 256 bytes, .+, got /,
      ),
    ]);
  });

  test.each(["mqtt://x", "mqtts://", "mqtts://m/topic", "mqtts://m?x", "mqtts://m:x", "m:8883"])(
    "mqtt.uri = %j",
    (uri) => {
      expect(complaintsOf(at("mqtt.uri", uri))).toEqual([
        `mqtt.uri: expected mqtts:// URL of at most 256 bytes, host and port only, got "${uri}"`,
      ]);
    },
  );

  test.each(["report", "/a b", `/${"r".repeat(128)}`, "/ü"])("backend.reportPath = %j", (path) => {
    expect(complaintsOf(at("backend.reportPath", path))).toHaveLength(1);
  });

  test.each([undefined, null, 7, "x", []])("a device that is %j", (definition) => {
    expect(complaintsOf(definition)).toEqual([
      expect.stringMatching(/^device: expected object, got /),
    ]);
  });
});

describe("a misspelt field", () => {
  test("of the device", () => {
    expect(complaintsOf({ ...ID, softAP: {} })).toEqual([
      'softAP: expected one of id, target, softAp, wifi, time, backend, mqtt, key, tls, security, logLevel, coreDump, sdkconfig, got an unknown field (did you mean "softAp"?)',
    ]);
  });

  test("of a section, beside a misspelt value", () => {
    expect(complaintsOf({ ...ID, softAp: { ssidPrefx: "x", channel: 99 } })).toEqual(
      expect.arrayContaining([
        'softAp.ssidPrefx: expected one of ssidPrefix, password, channel, pairingSecret, windowSeconds, got an unknown field (did you mean "ssidPrefix"?)',
        "softAp.channel: expected integer 1–13, got 99",
      ]),
    );
  });

  test("that resembles none gets no suggestion", () => {
    expect(complaintsOf({ ...ID, zzzzzzzz: 1 })[0]).toMatch(/got an unknown field$/);
  });
});

test("every fault is reported at once", () => {
  const faulty = {
    id: "no spaces",
    target: "z80",
    softAp: { ssidPrefix: "", password: "short", channel: 0 },
    backend: { url: "http://x", ca: "-----BEGIN JUNK-----", reportPath: "x" },
    mqtt: { uri: "mqtt://x", statusIntervalSeconds: 0 },
    key: { algorithm: "DSA" },
    sdkconfig: { bad: 1 },
  };
  expect(complaintsOf(faulty).map((message) => message.split(":")[0])).toEqual([
    "id",
    "target",
    "softAp.ssidPrefix",
    "softAp.password",
    "softAp.channel",
    "backend.url",
    "backend.ca",
    "backend.reportPath",
    "mqtt.uri",
    "mqtt.statusIntervalSeconds",
    "key.algorithm",
    "sdkconfig.bad",
  ]);
});
