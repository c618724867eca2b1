import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDir } from "../helpers/project.js";
import { REPOSITORY, run } from "../helpers/prov.js";

/** The components that main asks for, as CMake itself finds them. */
async function requires(major: number, minor: number): Promise<string[]> {
  const { code, stdout, stderr } = await run("cmake", [
    `-DIDF_VERSION_MAJOR=${major}`,
    `-DIDF_VERSION_MINOR=${minor}`,
    `-DCOMPONENT=${join(REPOSITORY, "firmware", "main")}`,
    ...["-P", join(REPOSITORY, "test", "support", "early-pass.cmake")],
  ]);
  if (code !== 0) throw new Error(stderr);
  return (stdout + stderr).trim().split(";");
}

const SWITCHED = ["driver", "esp_driver_gpio", "json", "mqtt", "nvs_sec_provider"];

it.each([
  [5, 0, ["driver", "json", "mqtt"]],
  [5, 1, ["driver", "json", "mqtt"]],
  // An encrypted NVS finds no key where this component is not built in.
  [5, 2, ["driver", "json", "mqtt", "nvs_sec_provider"]],
  [5, 5, ["esp_driver_gpio", "json", "mqtt", "nvs_sec_provider"]],
  [6, 1, ["esp_driver_gpio", "nvs_sec_provider"]],
])("what main requires of ESP-IDF %i.%i", async (major, minor, expected) => {
  const all = await requires(major, minor);
  expect(all).toContain("nvs_flash");
  expect(all.filter((name) => SWITCHED.includes(name)).sort()).toEqual(expected);
});

it("what the project sets, as CMake itself finds it", async () => {
  const idf = temporaryDir();
  const [tools = "", config = "", build = ""] = ["idf/tools/cmake", "config", "build"].map((name) =>
    join(idf, name),
  );
  for (const dir of [tools, config]) mkdirSync(dir, { recursive: true });
  copyFileSync(join(REPOSITORY, "test/support/idf-project.cmake"), join(tools, "project.cmake"));
  writeFileSync(join(config, "device_keys.h"), "");
  const firmware = join(REPOSITORY, "firmware");
  const { code, stdout, stderr } = await run("cmake", [
    ...["-E", "env", `IDF_PATH=${join(idf, "idf")}`, "cmake"],
    ...["-S", firmware, "-B", build, `-DPROV_CONFIG_DIR=${config}`],
  ]);
  expect(code, stderr).toBe(0);
  const set = (stdout + stderr).split("\n").filter((line) => /^[A-Z_]+=/.test(line));
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));
  expect(set).toEqual([
    // A lock that another release of ESP-IDF wrote can be one that this one refuses.
    `DEPENDENCIES_LOCK=${build}/dependencies.lock`,
    'COMPILE_DEFINITIONS=-DMBEDTLS_USER_CONFIG_FILE="mbedtls_user_config.h"',
    `INCLUDE_DIRECTORIES=${firmware}`,
    `PROJECT_VER=${version}`,
    `SDKCONFIG_DEFAULTS=${firmware}/sdkconfig.defaults;${config}/sdkconfig.defaults`,
    "COMPONENTS=main",
  ]);
});
