import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CHIP_NAMES } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { emitSdkconfigDefaults } from "../../codegen/sdkconfig.js";
import { soundDevice } from "../helpers/manifest.js";
import { temporaryDir } from "../helpers/project.js";
import { type Outcome, REPOSITORY, run } from "../helpers/prov.js";
import { findPython } from "../support/python-tools.js";

/** Espressif's own tools, which nobody here wrote. */
const found = findPython("idf-tools", ["esp-idf-kconfig>=3,<4", "idf-component-manager>=3,<4"]);
const python = "python" in found ? found.python : "";
if ("missing" in found)
  process.stderr.write(
    `skipped: Espressif's Kconfig and component tools cannot be installed (${found.missing})\n`,
  );

const folder = temporaryDir();
const MAIN = join(REPOSITORY, "firmware", "main");

/** Runs kconfgen on our menus as ESP-IDF does: with the chip's own symbol selected by the target. */
async function configure(
  manifest: DeviceManifest,
): Promise<Outcome & { values: Map<string, string> }> {
  const kconfig = join(folder, "Kconfig");
  writeFileSync(
    kconfig,
    [
      'mainmenu "test"',
      'config IDF_TARGET\n    string\n    default "$IDF_TARGET"',
      ...CHIP_NAMES.map(
        (chip) =>
          `config IDF_TARGET_${chip.toUpperCase()}\n    bool\n    default y if IDF_TARGET = "${chip}"`,
      ),
      `source "${join(MAIN, "Kconfig.projbuild")}"`,
      "",
    ].join("\n"),
  );
  const defaults = join(folder, "sdkconfig.defaults");
  const output = join(folder, "sdkconfig");
  writeFileSync(defaults, emitSdkconfigDefaults(manifest));
  rmSync(output, { force: true });
  const outcome = await run(python, [
    "-m",
    "kconfgen",
    "--kconfig",
    kconfig,
    "--defaults",
    defaults,
    "--env",
    `IDF_TARGET=${manifest.target}`,
    "--output",
    "config",
    output,
  ]);
  if (outcome.code !== 0) throw new Error(`kconfgen: ${outcome.stdout}${outcome.stderr}`);
  const lines = readFileSync(output, "utf8").split("\n");
  const values = new Map(
    lines.flatMap((line) => {
      const match = /^(CONFIG_\w+)=(.*)$/.exec(line);
      return match?.[1] ? [[match[1], match[2] ?? ""] as const] : [];
    }),
  );
  return { ...outcome, values };
}

describe.skipIf("missing" in found)("Espressif's Kconfig tool", () => {
  it("turns the generated sdkconfig into the values of the manifest", async () => {
    const manifest = soundDevice({
      id: "kconfig-1",
      target: "esp32c3",
      softAp: { ssidPrefix: 'Quote" \\ $x', password: "pass'word $HOME", channel: 11 },
      backend: { url: "https://api.example.com/v1", reportPath: "" },
      mqtt: { uri: "mqtts://mqtt.example.com:8884", statusIntervalSeconds: 77 },
      sdkconfig: { CONFIG_PROV_BACKEND_MAX_ATTEMPTS: 9 },
    });
    const { values } = await configure(manifest);
    expect(values.get("CONFIG_PROV_SOFTAP_SSID_PREFIX")).toBe('"Quote\\" \\\\ $x"');
    expect(values.get("CONFIG_PROV_SOFTAP_PASSWORD")).toBe('"pass\'word $HOME"');
    expect(values.get("CONFIG_PROV_SOFTAP_CHANNEL")).toBe("11");
    expect(values.get("CONFIG_PROV_BACKEND_URL")).toBe('"https://api.example.com/v1"');
    expect(values.get("CONFIG_PROV_REPORT_PATH")).toBe('""');
    expect(values.get("CONFIG_PROV_MQTT_BROKER_URI")).toBe('"mqtts://mqtt.example.com:8884"');
    expect(values.get("CONFIG_PROV_MQTT_STATUS_INTERVAL_S")).toBe("77");
    expect(values.get("CONFIG_PROV_BACKEND_MAX_ATTEMPTS")).toBe("9");
    expect(values.get("CONFIG_PROV_BUTTON_GPIO")).toBe("9");
  });

  it("knows every PROV symbol that is generated, and no other", async () => {
    const manifest = soundDevice({ id: "kconfig-2", target: "esp32" });
    const { values } = await configure(manifest);
    const ours = (names: Iterable<string>) =>
      [...names].filter((name) => name.startsWith("CONFIG_PROV_")).sort();
    const generated = [
      ...emitSdkconfigDefaults(manifest).matchAll(/^(?:# )?(CONFIG_PROV_\w+)(?:=| is not set)/gm),
    ].map((match) => match[1] ?? "");
    const text = readFileSync(join(MAIN, "Kconfig.projbuild"), "utf8");
    const declared = [...text.matchAll(/^\s*config (PROV_\w+)/gm)].map(
      (match) => `CONFIG_${match[1]}`,
    );
    expect(ours(generated)).toEqual(ours(declared));
    expect(declared).toEqual(expect.arrayContaining(ours(values.keys())));
  });

  it("names an option that does not exist, in the words that prov looks for", async () => {
    const manifest = soundDevice({
      id: "kconfig-3",
      target: "esp32",
      sdkconfig: { CONFIG_NO_SUCH_OPTION: true },
    });
    const { stdout, stderr } = await configure(manifest);
    expect(stdout + stderr).toMatch(/unknown kconfig symbol '?NO_SUCH_OPTION/i);
  });
});

describe.skipIf("missing" in found)("Espressif's component manager", () => {
  it("finds nothing wrong with idf_component.yml", async () => {
    const script = [
      "import sys",
      "from idf_component_tools.manager import ManifestManager",
      "manager = ManifestManager(sys.argv[1], name='main')",
      "errors = manager.validate().validation_errors",
      "print(errors)",
      "manifest = manager.load()",
      "print(sorted(manifest.dependencies))",
      "sys.exit(1 if errors else 0)",
    ].join("\n");
    const { code, stdout, stderr } = await run(python, ["-c", script, MAIN]);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain("['espressif/cjson', 'espressif/mqtt', 'idf']");
  });
});
