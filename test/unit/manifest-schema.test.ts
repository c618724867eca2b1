import { createPrivateKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { CHIP_NAMES } from "../../codegen/chips.js";
import { type DeviceManifest, placeholderFields } from "../../codegen/manifest.js";
import { parseDevice } from "../../codegen/manifest-schema.js";
import { GOLDEN_CA, GOLDEN_KEY } from "../golden/golden-device.js";

const ID = { id: "d1" };

function messages(definition: unknown): string[] {
  const result = parseDevice(definition);
  return result.ok ? [] : result.issues.map((issue) => issue.message);
}

function accepted(definition: unknown): DeviceManifest {
  const result = parseDevice(definition);
  if (!result.ok) throw new Error(messages(definition).join("\n"));
  return result.device;
}

/** A path below the device set to a value: `at("softAp.channel", 3)`. */
function at(path: string, value: unknown): Record<string, unknown> {
  const [head = "", ...rest] = path.split(".");
  return { ...ID, [head]: rest.length === 0 ? value : { [rest.join(".")]: value } };
}

test("only the id is required; every other field has the default of the mission", () => {
  expect(accepted(ID)).toEqual({
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
    security: { nvsEncryption: false, flashEncryption: false, secureBoot: false },
    logLevel: "info",
    coreDump: false,
    sdkconfig: {},
  });
});

test("a field given as undefined has its default", () => {
  const given = { ...ID, target: undefined, softAp: { channel: undefined }, mqtt: undefined };
  expect(accepted(given)).toEqual(accepted(ID));
});

test("each chip has its long and its short name", () => {
  for (const chip of CHIP_NAMES) {
    expect(accepted({ ...ID, target: chip }).target).toBe(chip);
    const short = chip.replace("esp32", "");
    if (short !== "") expect(accepted({ ...ID, target: short }).target).toBe(chip);
  }
  expect(accepted({ ...ID, target: "host" }).target).toBe("host");
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
    ["time.servers", ["a".repeat(64), "b", "192.0.2.1", "2001:db8::1"]],
    ["logLevel", "none"],
    ["logLevel", "verbose"],
    ["coreDump", true],
    ["backend.url", "https://b"],
    ["backend.url", `https://${"b".repeat(248)}`], // 256 bytes
    ["backend.url", "https://192.168.1.2:8443/api/v1"],
    ["backend.url", "https://[2001:db8::1]:8443"],
    ["backend.reportPath", ""],
    ["backend.reportPath", "/"],
    ["backend.reportPath", `/${"r".repeat(127)}`],
    ["mqtt.uri", "mqtts://m"],
    ["mqtt.uri", `mqtts://${"m".repeat(248)}`], // 256 bytes
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
    expect(messages(at(path, value))).toEqual([]);
  });
});

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
    expect(messages(at(path, value))).toEqual([message]);
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
    `https://${"b".repeat(249)}`,
  ])("backend.url = %j", (url) => {
    expect(messages(at("backend.url", url))).toEqual([
      expect.stringMatching(
        /^backend\.url: expected https:\/\/ URL of at most 256 bytes, .+, got /,
      ),
    ]);
  });

  test.each(["mqtt://x", "mqtts://", "mqtts://m/topic", "mqtts://m?x", "mqtts://m:x", "m:8883"])(
    "mqtt.uri = %j",
    (uri) => {
      expect(messages(at("mqtt.uri", uri))).toEqual([
        `mqtt.uri: expected mqtts:// URL of at most 256 bytes, host and port only, got "${uri}"`,
      ]);
    },
  );

  test.each(["report", "/a b", `/${"r".repeat(128)}`, "/ü"])("backend.reportPath = %j", (path) => {
    expect(messages(at("backend.reportPath", path))).toHaveLength(1);
  });

  test.each([undefined, null, 7, "x", []])("a device that is %j", (definition) => {
    expect(messages(definition)).toEqual([expect.stringMatching(/^device: expected object, got /)]);
  });
});

describe("no secret is quoted", () => {
  test("user and password of a URL", () => {
    const [message] = messages(at("backend.url", "https://user:hunter@2@b/x"));
    expect(message).toMatch(/got "https:\/\/\*\*\*@b\/x"$/);
  });

  test.each([
    ["in one line", (key: string) => key.replaceAll("\n", "")],
    ["in one line, with spaces", (key: string) => key.replaceAll("\n", " ")],
    ["in its lines", (key: string) => key],
    [
      "behind the end of its first line",
      (key: string) => `PRIVATE KEY-----${key.replaceAll("\n", " ")}`,
    ],
  ])("a private key without its first and last line given as the CA, %s", (_name, change) => {
    // SEC1 begins with the key itself.
    const sec1 = createPrivateKey(GOLDEN_KEY).export({ type: "sec1", format: "pem" }).toString();
    for (const pem of [GOLDEN_KEY, sec1]) {
      const given = change(pem.replace(/-----.*-----\n/g, ""));
      const readFile = (path: string) => `${path}: no such file`;
      const result = parseDevice(at("backend.ca", given), { readFile });
      if (result.ok) throw new Error("it was taken");
      const text = result.issues.map(({ message }) => message).join("\n");
      expect(text).toContain(`got PEM text of ${given.length} bytes`);
      for (const part of pem.match(/[A-Za-z0-9+/]{16}/g) ?? []) expect(text).not.toContain(part);
    }
  });

  test("a private key given as the CA", () => {
    const [message] = messages(at("backend.ca", GOLDEN_KEY));
    expect(message).toBe(
      `backend.ca: expected PEM with certificates only, 16 KiB at most, or the path of such a file, relative to the manifest, got PEM text of ${GOLDEN_KEY.length} bytes: it holds a private key; name the file with the certificate`,
    );
  });

  test("a password set through sdkconfig beside its field", () => {
    expect(messages(at("sdkconfig.CONFIG_PROV_SOFTAP_PASSWORD", "hunter2hunter2"))).toEqual([
      "sdkconfig.CONFIG_PROV_SOFTAP_PASSWORD: expected the value in the field softAp.password alone, got 14 bytes (not shown)",
    ]);
  });
});

describe("a misspelt field", () => {
  test("of the device", () => {
    expect(messages({ ...ID, softAP: {} })).toEqual([
      'softAP: expected one of id, target, softAp, wifi, time, backend, mqtt, key, security, logLevel, coreDump, sdkconfig, got an unknown field (did you mean "softAp"?)',
    ]);
  });

  test("of a section, beside a misspelt value", () => {
    expect(messages({ ...ID, softAp: { ssidPrefx: "x", channel: 99 } })).toEqual(
      expect.arrayContaining([
        'softAp.ssidPrefx: expected one of ssidPrefix, password, channel, pairingSecret, windowSeconds, got an unknown field (did you mean "ssidPrefix"?)',
        "softAp.channel: expected integer 1–13, got 99",
      ]),
    );
  });

  test("that resembles none gets no suggestion", () => {
    expect(messages({ ...ID, zzzzzzzz: 1 })[0]).toMatch(/got an unknown field$/);
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
  expect(messages(faulty).map((message) => message.split(":")[0])).toEqual([
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
    expect(messages({ ...ID, sdkconfig })).toEqual([message]);
  });

  test("the bundle may go when a CA is pinned; a backoff may be constant", () => {
    const sdkconfig = {
      CONFIG_MBEDTLS_CERTIFICATE_BUNDLE: false,
      CONFIG_PROV_RECONNECT_MIN_MS: 5000,
      CONFIG_PROV_RECONNECT_MAX_MS: 5000,
    };
    expect(messages({ ...ID, backend: { ca: GOLDEN_CA }, sdkconfig })).toEqual([]);
  });
});

describe("what the broker wants beside the certificate", () => {
  const mqtt = (given: object) => messages({ ...ID, mqtt: given });

  test("is a user name, with or without a password, but no password alone", () => {
    expect(mqtt({ username: "u" })).toEqual([]);
    expect(mqtt({ username: "u", password: "p".repeat(512) })).toEqual([]);
    expect(mqtt({ password: "hunter2-alone" })).toEqual([
      "mqtt.username: expected a user name, because mqtt.password is given, got nothing",
    ]);
  });
});

describe("the pinned CA", () => {
  test("comes out as blocks of PEM alone, whatever is around them", () => {
    const noisy = `# My CA\r\n${GOLDEN_CA.replaceAll("\n", "\r\n")}\r\nsubject=…\r\n${GOLDEN_CA}`;
    expect(accepted(at("backend.ca", noisy)).backend.ca).toBe(GOLDEN_CA + GOLDEN_CA);
  });

  test("may be indented like the code around it", () => {
    const literal = `\n${GOLDEN_CA.replace(/^/gm, "      ")}\n    `;
    expect(accepted(at("backend.ca", literal)).backend.ca).toBe(GOLDEN_CA);
  });

  test.each([
    ["an empty text", "", /got ""$/],
    ["white space", " \n ", /got " \\n "$/],
    ["a certificate that is cut off", GOLDEN_CA.slice(0, -40), /: it holds PEM without its line/],
    [
      "a certificate with a wrong byte count",
      GOLDEN_CA.replace("MIIB", "MIIC"),
      /: it holds a certificate that cannot be read; /,
    ],
    [
      "a key beside the certificate",
      GOLDEN_CA + GOLDEN_KEY,
      /: it holds a private key beside a certificate; /,
    ],
    [
      "more than 16 KiB",
      GOLDEN_CA.repeat(30),
      /: it holds 30 certificates in \d{5} bytes of PEM; keep the CA that signed the backend's certificate, or leave backend.ca out to trust the public CAs$/,
    ],
    [
      "lost line breaks",
      GOLDEN_CA.trim().replaceAll("\n", " "),
      /: it holds PEM whose line breaks have become spaces; /,
    ],
    [
      "base64 without armor",
      GOLDEN_CA.replace(/-----.*-----\n/g, "").replaceAll("\n", ""),
      /: it holds base64 without its first and last line; /,
    ],
    ["a path, where nobody reads files", "ca.pem", /got "ca.pem"$/],
  ])("refuses %s", (_name, ca, why) => {
    expect(messages(at("backend.ca", ca))).toEqual([expect.stringMatching(why)]);
  });

  test("of 16 KiB does not count what is around it", () => {
    const count = Math.floor((16 * 1024) / GOLDEN_CA.length);
    const noisy = `# comment\n${GOLDEN_CA}`.repeat(count);
    expect(messages(at("backend.ca", noisy))).toEqual([]);
    expect(messages(at("backend.ca", GOLDEN_CA.repeat(count + 1)))).toHaveLength(1);
  });
});

test("trailing slashes of the URLs do not matter", () => {
  const device = accepted({
    ...ID,
    backend: { url: "https://b/api//" },
    mqtt: { uri: "mqtts://m/" },
  });
  expect([device.backend.url, device.mqtt.uri]).toEqual(["https://b/api", "mqtts://m"]);
});

test("placeholders are found by host", () => {
  expect(placeholderFields(accepted(ID))).toEqual(["backend.url", "mqtt.uri"]);
  const own = { ...ID, backend: { url: "https://b" }, mqtt: { uri: "mqtts://your-broker.com:1" } };
  expect(placeholderFields(accepted(own))).toEqual(["mqtt.uri"]);
});

test("a checked manifest is a valid definition again", () => {
  const device = accepted({ ...ID, target: "c6", backend: { ca: GOLDEN_CA } });
  expect(accepted(device)).toEqual(device);
});
