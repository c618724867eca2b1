import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, test } from "vitest";
import { emitDeviceKeys } from "../../codegen/device-keys.js";
import { emitFailureInc } from "../../codegen/failure-inc.js";
import { DEVICE_FAILURES } from "../../codegen/failures.js";
import { GENERATED } from "../../codegen/generated.js";
import { emitLimitsHeader, LIMITS } from "../../codegen/limits.js";
import { manifestFields } from "../../codegen/manifest-docs.js";
import { fillNvsRoom, NVS_ENTRIES, NVS_ROOM_PATH, NVS_WORST_CASE } from "../../codegen/nvs-room.js";
import { parsePartitions } from "../../codegen/partitions.js";
import { emitRefusalsHeader, REFUSALS } from "../../codegen/refusals.js";
import { emitSdkconfigDefaults, emitSdkconfigHeader } from "../../codegen/sdkconfig.js";
import { SDKCONFIG_SYMBOLS } from "../../codegen/sdkconfig-table.js";
import { DEVICE_STATES, emitStatesInc } from "../../codegen/states.js";
import { MBEDTLS_CONFIG_PATH } from "../../codegen/tls-offer.js";
import { temporaryDir } from "../helpers/project.js";
import {
  DEFAULT_MANIFEST,
  GOLDEN_CA,
  GOLDEN_CSR,
  GOLDEN_KEY,
  GOLDEN_MANIFEST,
} from "./golden-device.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let dir: string;
beforeEach(() => {
  dir = temporaryDir();
});

/** Compiles and runs a C program against the generated files; returns what it printed. */
function runC(source: string, files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  writeFileSync(join(dir, "main.c"), source);
  const flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wtrigraphs"];
  execFileSync("cc", [...flags, "-o", join(dir, "main"), join(dir, "main.c")], { stdio: "pipe" });
  return execFileSync(join(dir, "main"), { encoding: "utf8" });
}

const goldenKeys = {
  deviceId: "golden-1",
  privateKeyPem: GOLDEN_KEY,
  csrPem: GOLDEN_CSR,
  backendCaPem: GOLDEN_CA,
  mqttUsername: "",
  mqttPassword: "",
};

test("device_keys.h with a pinned CA", async () => {
  await expect(emitDeviceKeys(goldenKeys)).toMatchFileSnapshot("device_keys.h");
});

test("device_keys.h defines no CA when none is pinned", () => {
  const text = emitDeviceKeys({ ...goldenKeys, backendCaPem: null });
  expect(text).not.toContain("DEVICE_BACKEND_CA_PEM");
  expect(text).toContain("DEVICE_CSR_PEM");
});

test("the strings of device_keys.h are the PEMs, byte for byte", () => {
  const header = emitDeviceKeys(goldenKeys);
  const source = `#include <stdio.h>
#include "device_keys.h"
int main(void) {
    fputs(DEVICE_ID "|" DEVICE_PRIVATE_KEY_PEM "|" DEVICE_CSR_PEM "|" DEVICE_BACKEND_CA_PEM, stdout);
    return 0;
}
`;
  expect(runC(source, { "device_keys.h": header }).split("|")).toEqual([
    "golden-1",
    GOLDEN_KEY,
    GOLDEN_CSR,
    GOLDEN_CA,
  ]);
});

test("what the broker wants besides reaches C unharmed, and without it the header is as it was", () => {
  const text = emitDeviceKeys({
    ...goldenKeys,
    mqttUsername: 'Kü"che\\??/',
    mqttPassword: "p\"q\\r$s%t;u??'😀",
  });
  const source = `#include <stdio.h>
#include "device_keys.h"
int main(void) {
    fputs(DEVICE_MQTT_USERNAME "|" DEVICE_MQTT_PASSWORD, stdout);
    return 0;
}
`;
  expect(runC(source, { "device_keys.h": text }).split("|")).toEqual([
    'Kü"che\\??/',
    "p\"q\\r$s%t;u??'😀",
  ]);
  expect(emitDeviceKeys(goldenKeys)).not.toContain("MQTT");
  expect(emitDeviceKeys({ ...goldenKeys, mqttUsername: "u" })).not.toContain("PASSWORD");
});

test.each(["", "a/b", "ä", 'x"', "a".repeat(65)])("device_keys.h refuses the id %j", (deviceId) => {
  expect(() => emitDeviceKeys({ ...goldenKeys, deviceId })).toThrow(RangeError);
});

test("device_keys.h refuses what is not PEM, without quoting it", () => {
  const secret = "hunter2-not-a-pem";
  expect(() => emitDeviceKeys({ ...goldenKeys, privateKeyPem: secret })).toThrow(
    /^DEVICE_PRIVATE_KEY_PEM is not PEM text$/,
  );
});

test("sdkconfig.defaults", async () => {
  await expect(emitSdkconfigDefaults(GOLDEN_MANIFEST)).toMatchFileSnapshot("sdkconfig.defaults");
});

test("sdkconfig.defaults of a manifest that says nothing", async () => {
  await expect(emitSdkconfigDefaults(DEFAULT_MANIFEST)).toMatchFileSnapshot(
    "sdkconfig.defaults.plain",
  );
});

test("sdkconfig.h", async () => {
  await expect(emitSdkconfigHeader(GOLDEN_MANIFEST)).toMatchFileSnapshot("sdkconfig.h");
});

test("each field that becomes a CONFIG symbol has its place in a menu", () => {
  const symbols = new Map(SDKCONFIG_SYMBOLS.map(({ name, field }) => [name, field]));
  for (const { path, option } of manifestFields())
    if (option) expect(symbols.get(`CONFIG_${option[0]}`), path).toBe(path);
});

test("the firmware reads each symbol of its menus, and no other", () => {
  const inMenus = SDKCONFIG_SYMBOLS.map(({ name }) => name).filter((name) => /_PROV_/.test(name));
  const own = readdirSync(join(ROOT, "firmware/main"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => `firmware/main/${name}`);
  const sources = [...own, MBEDTLS_CONFIG_PATH].map((path) =>
    readFileSync(join(ROOT, path), "utf8"),
  );
  const read = sources.flatMap((text) => text.match(/\bCONFIG_PROV_[A-Z0-9_]+/g) ?? []);
  expect([...new Set(read)].sort()).toEqual(inMenus.sort());
});

test("the host target leaves the choice of a chip to idf.py", () => {
  expect(emitSdkconfigDefaults({ ...GOLDEN_MANIFEST, target: "host" })).not.toContain("IDF_TARGET");
});

test("the values of sdkconfig.h reach C unharmed", () => {
  const source = `#include <stdio.h>
#include "sdkconfig.h"
int main(void) {
    printf("%s\\n%s\\n%d\\n%d\\n%d\\n", CONFIG_PROV_SOFTAP_SSID_PREFIX, CONFIG_PROV_SOFTAP_PASSWORD,
           CONFIG_PROV_SOFTAP_CHANNEL, CONFIG_LOG_DEFAULT_LEVEL_DEBUG, CONFIG_PARTITION_TABLE_OFFSET);
#ifdef CONFIG_BOOTLOADER_LOG_LEVEL_INFO
#error "a symbol that is off must not be defined"
#endif
    return 0;
}
`;
  const printed = runC(source, { "sdkconfig.h": emitSdkconfigHeader(GOLDEN_MANIFEST) });
  expect(printed).toBe(
    `${GOLDEN_MANIFEST.softAp.ssidPrefix}\n${GOLDEN_MANIFEST.softAp.password}\n6\n1\n32768\n`,
  );
});

test.each(GENERATED)("the committed $path is current", ({ path, fill }) => {
  const current = readFileSync(join(ROOT, path), "utf8");
  expect(current).toBe(fill(current));
});

test("prov_limits.h gives the firmware the figures, and their text for its messages", () => {
  const source = `#include <stdio.h>
#include "prov_limits.h"
int main(void) {
    printf("%d " PROV_LIMIT_TEXT(PROV_TOKEN_MAX) " %d", PROV_TOKEN_MAX, HTTP_BODY_MAX);
    return 0;
}
`;
  const { provisioningTokenMaxBytes: token, requestBodyMaxBytes: body } = LIMITS;
  expect(runC(source, { "prov_limits.h": emitLimitsHeader() })).toBe(`${token} ${token} ${body}`);
});

test("what NVS holds at worst fits, and CONTRIBUTING.md adds it up", () => {
  const worst = NVS_WORST_CASE.reduce((sum, [, entries]) => sum + entries, 0);
  for (const name of ["partitions.csv", "partitions_secure.csv"]) {
    const table = parsePartitions(readFileSync(join(ROOT, "firmware", name), "utf8"));
    const bytes = table.find((partition) => partition.name === "nvs")?.size ?? 0;
    expect(NVS_ENTRIES).toBe((bytes / 4096 - 1) * 126);
  }
  expect(worst).toBeLessThanOrEqual(NVS_ENTRIES);
  const text = readFileSync(join(ROOT, NVS_ROOM_PATH), "utf8");
  expect(text).toContain(`| **together** | ${worst} |`);
  expect(text).toBe(fillNvsRoom(text));
});

test("prov_failure.inc makes the enum and the strings of C", () => {
  const source = `#include <stdio.h>
enum prov_failure {
    PROV_FAILURE_NONE,
#define PROV_FAILURE(name, code, message, outlook) PROV_FAILURE_##name,
#include "prov_failure.inc"
#undef PROV_FAILURE
};
int main(void) {
#define PROV_FAILURE(name, code, message, outlook) \\
    printf("%d %s %s %s\\n", PROV_FAILURE_##name, code, message, #outlook);
#include "prov_failure.inc"
    return PROV_FAILURE_NONE;
}
`;
  const rows = runC(source, { "prov_failure.inc": emitFailureInc() }).trimEnd().split("\n");
  expect(rows).toEqual(
    Object.entries(DEVICE_FAILURES).map(
      ([code, { message, outlook }], index) =>
        `${index + 1} ${code} ${message} ${outlook.toUpperCase()}`,
    ),
  );
});

test("every message of the failure table survives C's escapes", () => {
  const message = 'a "quote", a \\ and ??/ ü 😀';
  const row = { stage: "enrol", outlook: "tries_on", message, hint: "", words: "" } as const;
  const text = emitFailureInc({ x_y: row });
  const source = `#include <stdio.h>
#define PROV_FAILURE(name, code, message, outlook) message
int main(void) {
    fputs(
#include "failure.inc"
        , stdout);
    return 0;
}
`;
  expect(runC(source, { "failure.inc": text })).toBe(message);
});

test("prov_states.inc makes the enum, the names and the phases of C", () => {
  const source = `#include <stdio.h>
int main(void) {
#define PROV_STATE(name, phase, words) printf("%s %s %s\\n", #name, #phase, words);
#include "prov_states.inc"
    return 0;
}
`;
  const rows = runC(source, { "prov_states.inc": emitStatesInc() }).trimEnd().split("\n");
  expect(rows).toEqual(
    Object.entries(DEVICE_STATES).map(
      ([name, { phase, words }]) => `${name} ${phase.toUpperCase()} ${words}`,
    ),
  );
});

test("http_refusals.h gives an answer's status line, code and message, or the code alone", () => {
  const source = `#include <stdio.h>
#include "http_refusals.h"
int main(void) {
    const char *const locked[] = {REFUSAL_LOCKED};
    printf("%s|%s|%s|%s", locked[0], locked[1], locked[2], REFUSAL_BAD_FIELD_CODE);
    return 0;
}
`;
  expect(runC(source, { "http_refusals.h": emitRefusalsHeader() })).toBe(
    `429 Too Many Requests|locked|${REFUSALS.locked.message}|bad_field`,
  );
});

test("no other file of the firmware writes out a status line with its code", () => {
  const main = join(ROOT, "firmware/main");
  const files = readdirSync(main, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.[ch]$/.test(name),
  );
  const refusing = files.filter((name) =>
    /"[45]\d\d [^"]+",\s*"[a-z_]+"/.test(readFileSync(join(main, name), "utf8")),
  );
  expect(refusing).toEqual(["portal/http_refusals.h"]);
});
