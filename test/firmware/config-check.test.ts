import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CHIP_NAMES, CHIPS } from "../../codegen/chips.js";
import { emitSdkconfigHeader } from "../../codegen/sdkconfig.js";
import { firmwareFolders } from "../helpers/firmware-main.js";
import { soundDevice } from "../helpers/manifest.js";
import { temporaryDir } from "../helpers/project.js";
import { REPOSITORY } from "../helpers/prov.js";

const run = promisify(execFile);
const root = temporaryDir();

/** What menuconfig may make of a sound configuration; null takes the symbol away. */
type Changes = Readonly<Record<string, string | null>>;

/** What the compiler says of config_check.c; "" when it is content. */
async function judge(name: string, changes: Changes, extra = ""): Promise<string> {
  let header = emitSdkconfigHeader(soundDevice({ id: "checked" }));
  for (const [symbol, value] of Object.entries(changes)) {
    const line = value === null ? "" : `#define CONFIG_${symbol} ${value}\n`;
    const without = header.replace(new RegExp(`^#define CONFIG_${symbol} .*\\n`, "m"), "");
    header = `${without}${line}`;
  }
  const dir = join(root, name);
  mkdirSync(dir);
  writeFileSync(join(dir, "sdkconfig.h"), header);
  writeFileSync(join(dir, "check.c"), `#include "config_check.c"\n${extra}`);
  const include = [dir, ...firmwareFolders(), join(REPOSITORY, "firmware/host/include")];
  const flags = ["-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"];
  try {
    const paths = include.flatMap((path) => ["-I", path]);
    await run("cc", [...flags, ...paths, join(dir, "check.c")]);
    return "";
  } catch (error) {
    if (error instanceof Error && "stderr" in error) return String(error.stderr);
    throw error;
  }
}

describe("a configuration that no device can work with does not build", () => {
  it("and any other does", async () => {
    expect(await judge("sound", {})).toBe("");
    const atLimits = {
      PROV_SOFTAP_SSID_PREFIX: '"p"',
      PROV_SOFTAP_PASSWORD: `"${"p".repeat(63)}"`,
      PROV_SOFTAP_CHANNEL: "13",
      PROV_SOFTAP_MAX_CLIENTS: "10",
      PROV_PAIRING_SECRET: `"${"s".repeat(64)}"`,
      PROV_BACKEND_URL: `"https://${"b".repeat(248)}"`,
      PROV_REPORT_PATH: '""',
      PROV_RECONNECT_MIN_MS: "60000",
    };
    expect(await judge("limits", atLimits)).toBe("");
  });

  it.each<[string, string | null, string]>([
    ["PROV_SOFTAP_SSID_PREFIX", '""', "1 to 25 bytes"],
    ["PROV_SOFTAP_SSID_PREFIX", `"${"p".repeat(26)}"`, "1 to 25 bytes"],
    ["PROV_SOFTAP_PASSWORD", '""', "8 to 63 bytes"],
    ["PROV_SOFTAP_PASSWORD", '"1234567"', "8 to 63 bytes"],
    ["PROV_SOFTAP_PASSWORD", `"${"p".repeat(64)}"`, "8 to 63 bytes"],
    ["PROV_SOFTAP_CHANNEL", "0", "1 to 14"],
    ["PROV_SOFTAP_CHANNEL", "165", "1 to 14"],
    ["PROV_SOFTAP_MAX_CLIENTS", "0", "1 to 15"],
    ["PROV_SOFTAP_MAX_CLIENTS", "256", "1 to 15"],
    ["PROV_PAIRING_SECRET", `"${"s".repeat(65)}"`, "at most 64 bytes"],
    ["PROV_BUTTON_GPIO", "-1", "a pin that this chip has free"],
    ["PROV_BUTTON_GPIO", "64", "a pin that this chip has free"],
    ["PROV_RECONNECT_MIN_MS", "60001", "at most PROV_RECONNECT_MAX_MS"],
    ["PROV_RECONNECT_MIN_MS", "0", "at most PROV_RECONNECT_MAX_MS"],
    ["PROV_BACKEND_RETRY_MIN_MS", "30001", "at most PROV_BACKEND_RETRY_MAX_MS"],
    ["PROV_MQTT_RECONNECT_MIN_MS", "60001", "at most PROV_MQTT_RECONNECT_MAX_MS"],
    ["PROV_BACKEND_URL", '"http://backend"', "https://"],
    ["PROV_BACKEND_URL", '""', "https://"],
    ["PROV_BACKEND_URL", `"https://${"b".repeat(249)}"`, "at most 256 bytes"],
    ["PROV_MQTT_BROKER_URI", '"mqtt://broker"', "mqtts://"],
    ["PROV_REPORT_PATH", '"report"', "starts with a slash"],
    ["PROV_REPORT_PATH", `"/${"r".repeat(128)}"`, "at most 128 bytes"],
    ["PROV_SNTP_SERVERS", '""', "at least one"],
    ["MBEDTLS_HAVE_TIME_DATE", null, "expired certificates"],
    ["ESP_TLS_INSECURE", "1", "without a check of the server"],
    ["ESP_MAIN_TASK_STACK_SIZE", "3584", "at least 6144"],
    ["ESP_SYSTEM_EVENT_TASK_STACK_SIZE", "2304", "at least 4096"],
    ["LWIP_MAX_SOCKETS", "10", "at least 16"],
  ])("%s = %s", async (symbol, value, complaint) => {
    const said = await judge(
      `${symbol}-${value?.length}-${value?.slice(0, 3)}`.replaceAll(/[/"]/g, "_"),
      {
        [symbol]: value,
      },
    );
    expect(said).toContain(symbol);
    expect(said).toContain(complaint);
  });

  it.each(CHIP_NAMES)("pins of the button: what the manifest knows of the %s", async (chip) => {
    const target = { IDF_TARGET_LINUX: null, [`IDF_TARGET_${chip.toUpperCase()}`]: "1" };
    const runs = CHIPS[chip].buttonPins;
    const mask = runs.reduce(
      (bits, [first, last]) => bits | (((1n << BigInt(last - first + 1)) - 1n) << BigInt(first)),
      0n,
    );
    const same = `_Static_assert(BUTTON_PINS == ${mask}ull, "the manifest has other pins");\n`;
    const pin = { PROV_BUTTON_GPIO: String(runs[0]?.[0] ?? 0) };
    expect(await judge(chip, { ...target, ...pin }, same)).toBe("");
  });

  it("a pin of the flash", async () => {
    const target = { IDF_TARGET_LINUX: null, IDF_TARGET_ESP32: "1", PROV_BUTTON_GPIO: "6" };
    expect(await judge("flash-pin", target)).toContain("PROV_BUTTON_GPIO: a pin that this chip");
  });
});
