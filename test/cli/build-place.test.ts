import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BUILDABLE, build, buildFails, folderOf, idfStandIn, REAL } from "../helpers/idf.js";
import { projectWith, snapshot, temporaryDir, writeManifest } from "../helpers/project.js";
import { prov } from "../helpers/prov.js";

describe("a project whose path no build can have in it", () => {
  const odd = (part: string): string => {
    const cwd = join(temporaryDir(), `a${part}b`);
    mkdirSync(cwd);
    writeManifest(cwd, BUILDABLE);
    return cwd;
  };

  test.each([";", '"', "*", "?", "[", "]", "|", "\n", "\x24{HOME}", "$ENV{HOME}"])(
    "%j: exit 10 naming the path, for a chip and for the virtual board",
    async (part) => {
      const cwd = odd(part);
      const idf = idfStandIn();
      for (const target of ["esp32c3", "host"]) {
        const { code, error } = await buildFails(cwd, idf, "--target", target);
        expect(code).toBe(10);
        expect(error).toMatchObject({ code: "path_unsupported", stage: "environment" });
        expect(error.message).toMatch(/^the path .* contains .*, which CMake cannot take$/s);
        expect(error.message).toContain(cwd);
      }
      expect(idf.calls()).toEqual([]);
    },
  );

  test("a backslash: every command that reads the manifest says so", async () => {
    const cwd = odd("\\");
    for (const args of [["build"], ["keys"], ["lab", "info"]]) {
      const { code, stdout } = await prov([...args, "--json"], { cwd });
      expect(code).toBe(10);
      const { error } = JSON.parse(stdout);
      expect(error.code).toBe("path_unsupported");
      expect(error.message).toContain(`${cwd}/device.config.ts contains "\\\\", which`);
    }
    const missing = await buildFails(projectWith(BUILDABLE), idfStandIn(), "--config", "a\\b.ts");
    expect(missing.error.code).toBe("manifest_not_found");
  });

  test("others are fine", async () => {
    expect((await build(odd(" 'ü'$#(&,)<>{@A@}%~`+!"), idfStandIn())).code).toBe(0);
  });
});

describe("where ESP-IDF is missing", () => {
  async function buildWithout(env: Record<string, string>, ...args: string[]) {
    const cwd = projectWith(BUILDABLE);
    return prov(["build", ...args], { cwd, env: { HOME: temporaryDir(), IDF_PATH: "", ...env } });
  }

  test("exit 10 with the three commands that install it for the chip", async () => {
    const { code, stdout, stderr } = await buildWithout({});
    expect(code).toBe(10);
    expect(stdout).toBe("");
    expect(stderr).toContain("error idf_missing: ESP-IDF is not installed");
    const next = stderr.slice(stderr.indexOf("next: ")).split("\n");
    expect(next[1]).toMatch(/^ {2}git clone -b v\d+\.\d+\S* .*--recursive.* ~\/esp\/esp-idf$/);
    expect(next[2]).toBe("  ~/esp/esp-idf/install.sh esp32c3");
    expect(next[3]).toBe("  export IDF_PATH=~/esp/esp-idf");
  });

  test("a wrong IDF_PATH is named, not passed over", async () => {
    const home = temporaryDir();
    const { code, stdout } = await buildWithout({ IDF_PATH: home }, "--json");
    expect(code).toBe(10);
    const { error } = JSON.parse(stdout);
    expect(error.code).toBe("idf_missing");
    expect(error.message).toContain(`IDF_PATH is ${home}`);
    expect(error.hint).toContain("install.sh esp32c3");
  });

  test("one that is too old for the chip is named: exit 10", async () => {
    const idf = idfStandIn({ release: "5.4" });
    const { code, error } = await buildFails(projectWith(BUILDABLE), idf, "--target", "c5");
    expect(code).toBe(10);
    expect(error.message).toContain("esp32c5 needs ESP-IDF 5.5 or newer");
    expect(error.message).toContain("holds 5.4");
    expect(idf.calls()).toEqual([]);
  });
});

describe("the folder in which a target is compiled", () => {
  const TWO = `[{ id: "fern", target: "c3", ${REAL} }, { id: "moss", target: "c3", ${REAL} }]`;

  test("is shared by devices that differ in their keys alone; only device_keys.h changes in it", async () => {
    const cwd = projectWith(TWO);
    const idf = idfStandIn();
    expect((await build(cwd, idf, "--device", "fern")).code).toBe(0);
    const folder = folderOf(idf.calls()[0]);
    const before = snapshot(join(folder, "config"));
    expect((await build(cwd, idf, "--device", "moss")).code).toBe(0);
    expect(idf.calls()[1]?.argv).toEqual(idf.calls()[0]?.argv);
    const after = snapshot(join(folder, "config"));
    expect(Object.keys(after)).toEqual(["device_keys.h", "sdkconfig.defaults"]);
    expect(after["sdkconfig.defaults"]).toEqual(before["sdkconfig.defaults"]);
    expect(after["device_keys.h"]?.text).toContain(`"moss"`);
    expect(after["device_keys.h"]?.text).not.toBe(before["device_keys.h"]?.text);
    // Each device keeps its own image.
    expect(readdirSync(join(cwd, ".prov", "devices")).sort()).toEqual(["fern", "moss"]);
    for (const id of ["fern", "moss"])
      expect(existsSync(join(cwd, ".prov", "devices", id, "build", "esp32c3"))).toBe(true);
  });

  test("stays untouched by a second build of the same device", async () => {
    const cwd = projectWith(BUILDABLE);
    const idf = idfStandIn();
    await build(cwd, idf);
    const config = join(folderOf(idf.calls()[0]), "config");
    const before = snapshot(config);
    await build(cwd, idf);
    expect(snapshot(config)).toEqual(before);
  });

  test("is another one for other settings, another chip and another ESP-IDF", async () => {
    const cwd = projectWith(
      `[{ id: "fern", target: "c3", ${REAL} }, { id: "moss", target: "c3", softAp: { channel: 6 }, ${REAL} }]`,
    );
    const idf = idfStandIn();
    const other = idfStandIn();
    await build(cwd, idf, "--device", "fern");
    await build(cwd, idf, "--device", "moss");
    await build(cwd, idf, "--device", "fern", "--target", "s3");
    await build(cwd, other, "--device", "fern");
    const folders = [...idf.calls(), ...other.calls()].map(folderOf);
    expect(folders).toHaveLength(4);
    expect(new Set(folders).size).toBe(4);
  });

  test("--clean empties it, and the configuration is there again", async () => {
    const cwd = projectWith(BUILDABLE);
    const idf = idfStandIn();
    await build(cwd, idf);
    const folder = folderOf(idf.calls()[0]);
    writeFileSync(join(folder, "left-over.o"), "");
    expect((await build(cwd, idf)).code).toBe(0);
    expect(existsSync(join(folder, "left-over.o"))).toBe(true);
    expect((await build(cwd, idf, "--clean")).code).toBe(0);
    expect(existsSync(join(folder, "left-over.o"))).toBe(false);
    expect(existsSync(join(folder, "config", "device_keys.h"))).toBe(true);
  });
});

test("a project that was moved is compiled anew: CMake goes on with no cache of another place", async () => {
  const cwd = projectWith(BUILDABLE);
  const idf = idfStandIn();
  await build(cwd, idf);
  const moved = join(temporaryDir(), "moved");
  renameSync(cwd, moved);
  const folder = folderOf(idf.calls()[0]).replace(cwd, moved);
  writeFileSync(join(folder, "left-over.o"), "");
  expect((await build(moved, idf)).code).toBe(0);
  expect(folderOf(idf.calls()[1])).toBe(folder);
  expect(existsSync(join(folder, "left-over.o"))).toBe(false);
});

describe("--target", () => {
  test("generates the configuration of that chip", async () => {
    const cwd = projectWith(BUILDABLE);
    const idf = idfStandIn();
    const { code, stdout } = await build(cwd, idf, "--target", "c5", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).target).toBe("esp32c5");
    const [call] = idf.calls();
    expect(call?.argv).toContain("-DIDF_TARGET=esp32c5");
    const settings = readFileSync(join(folderOf(call), "config", "sdkconfig.defaults"), "utf8");
    expect(settings).toContain(`CONFIG_IDF_TARGET="esp32c5"`);
    expect(settings).toContain("CONFIG_PROV_BUTTON_GPIO=28");
  });

  test("with a chip that nobody knows: exit 2 with those that are", async () => {
    const { code, error } = await buildFails(
      projectWith(BUILDABLE),
      idfStandIn(),
      "--target",
      "esp8266",
    );
    expect(code).toBe(2);
    expect(error.message).toContain("esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c5, esp32c6");
  });
});
