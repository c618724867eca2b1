import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  AP_PASSWORD,
  APP_BYTES,
  BUILDABLE,
  build,
  buildFails,
  folderOf,
  idfStandIn,
  SUCCESS,
} from "../helpers/idf.js";
import { projectWith } from "../helpers/project.js";
import { prov, REPOSITORY } from "../helpers/prov.js";

const PARTITION_BYTES = 0x1f0000;

describe("a build that succeeds", () => {
  test("ends with the image and its size against the partition", async () => {
    const cwd = projectWith(BUILDABLE);
    const idf = idfStandIn();
    const { code, stdout, stderr } = await build(cwd, idf);
    expect(stderr).toContain("fern: application 1000000 of 2031616 bytes (49 %)");
    expect(code).toBe(0);
    const out = join(cwd, ".prov", "devices", "fern", "build", "esp32c3");
    expect(stdout).toBe(
      `${join(out, "flasher_args.json")}\napplication: 1000000 of 2031616 bytes (49 %)\n`,
    );
  });

  test("--json names the files; the images lie beside flasher_args.json, for their owner only", async () => {
    const cwd = projectWith(BUILDABLE);
    const { stdout } = await build(cwd, idfStandIn(), "--json");
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      ok: true,
      device: "fern",
      target: "esp32c3",
      size: { app: APP_BYTES, partition: PARTITION_BYTES },
    });
    const out = join(document.flasher_args, "..");
    const files = JSON.parse(readFileSync(document.flasher_args, "utf8")).flash_files;
    expect(Object.keys(files)).toEqual(["0x0", "0x10000", "0x8000"]);
    for (const file of [...Object.values<string>(files), "prov_firmware.elf"])
      expect((statSync(join(out, file)).mode & 0o777).toString(8)).toBe("600");
    expect(document.elf).toBe(join(out, "prov_firmware.elf"));
  });

  test("idf.py gets the chip, the folder of the configuration and nothing secret", async () => {
    const cwd = projectWith(BUILDABLE);
    const idf = idfStandIn();
    const { stderr } = await prov(["build", "--verbose"], {
      cwd,
      env: {
        IDF_PATH: idf.path,
        PROV_WIFI_PASSWORD: "secret-of-the-wifi",
        PROV_TOKEN: "secret-token",
        PROV_BEARER: "secret-bearer",
      },
    });
    const [call, ...more] = idf.calls();
    expect(more).toEqual([]);
    const folder = folderOf(call);
    expect(call?.cwd).toBe(join(REPOSITORY, "firmware"));
    expect(call?.argv).toEqual([
      ...["-C", join(REPOSITORY, "firmware"), "-B", folder],
      "-DIDF_TARGET=esp32c3",
      `-DPROV_CONFIG_DIR=${join(folder, "config")}`,
      `-DSDKCONFIG=${join(folder, "sdkconfig")}`,
      "build",
    ]);
    expect(call?.env.IDF_PATH).toBe(idf.path);
    expect(statSync(folder).mode & 0o777).toBe(0o700);

    const keyLines = readFileSync(
      join(cwd, ".prov", "devices", "fern", "identity", "key.pem"),
      "utf8",
    ).split("\n");
    const secrets = [AP_PASSWORD, "secret-", ...keyLines.slice(1, -2)];
    for (const secret of secrets)
      expect(JSON.stringify(call) + stderr, "the call and the log").not.toContain(secret);
    // Otherwise the line above would prove nothing.
    expect(stderr).toContain("[963/964] Generating binary image");
  });

  test("warnings are shown once each, other lines only with --verbose", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "start", "compile-warning", "compile-warning", "end", "end-fits"]);
    const { code, stderr } = await build(projectWith(BUILDABLE), idf);
    expect(code).toBe(0);
    expect(stderr.match(/^! .*http_api\.c:41:12: warning: unused variable/gm)).toHaveLength(1);
    expect(stderr).not.toContain("[701/964]");
    expect(stderr).not.toContain("-- Found Git");
  });
});

describe("a build that fails", () => {
  test("names the first error, in its message: exit 4", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "start", "compile-warning", "compile-error"], { exit: 2 });
    const { code, error } = await buildFails(projectWith(BUILDABLE), idf);
    expect(code).toBe(4);
    expect(error).toMatchObject({ code: "build_failed", stage: "build" });
    expect(error.message).toBe(
      "idf.py failed (exit 2): /project/firmware/main/station.c:88:5: error: implicit declaration of function 'esp_wifi_conect' [-Wimplicit-function-declaration]",
    );
  });

  test.each([
    ["idf.py's own", ["idf-error"], "(exit 2): ERROR: tool riscv32-esp-elf has no installed"],
    ["the linker's", ["configure", "start", "link-error"], "will not fit in region `iram0_0_seg'"],
    [
      "CMake's",
      ["configure", "cmake-error"],
      "(message): Failed to resolve component 'mqtt' required by component 'main': unknown name.",
    ],
    [
      "a script's",
      ["configure", "start", "step-error"],
      "(exit 2): Partitions tables occupies 4.1MB",
    ],
  ])("%s error is found too", async (_name, pieces, says) => {
    const idf = idfStandIn();
    idf.play(pieces, { exit: 2 });
    const { code, error } = await buildFails(projectWith(BUILDABLE), idf);
    expect(code).toBe(4);
    expect(error.message).toContain(says);
  });

  test("--verbose shows the whole output, the error after it", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "start", "compile-error"], { exit: 2 });
    const { stderr } = await build(projectWith(BUILDABLE), idf, "--verbose");
    expect(stderr).toContain("[702/964]");
    expect(stderr.indexOf("error build_failed")).toBeGreaterThan(stderr.indexOf("[702/964]"));
  });

  test("an image that is too big, as ESP-IDF finds: exit 4", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "start", "end", "end-too-big"], { exit: 2 });
    const { code, error } = await buildFails(projectWith(BUILDABLE), idf);
    expect(code).toBe(4);
    expect(error.code).toBe("image_too_big");
    expect(error.message).toContain("too small for binary prov_firmware.bin size 0x1f1230");
  });

  test("an image that is too big, as prov finds: exit 4, and nothing is left to flash", async () => {
    const cwd = projectWith(BUILDABLE);
    const idf = idfStandIn();
    idf.play(SUCCESS, { appBytes: PARTITION_BYTES + 1 });
    const { code, error } = await buildFails(cwd, idf);
    expect(code).toBe(4);
    expect(error.code).toBe("image_too_big");
    expect(error.message).toContain(
      `${PARTITION_BYTES + 1} bytes, its partition ${PARTITION_BYTES}`,
    );
    expect(existsSync(join(cwd, ".prov", "devices", "fern", "build"))).toBe(false);
    idf.play(SUCCESS, { appBytes: PARTITION_BYTES });
    expect((await build(cwd, idf)).code).toBe(0);
  });

  test("an export.sh that fails: exit 10 with its last words", async () => {
    const idf = idfStandIn({
      exportScript:
        "echo 'ERROR: the virtual environment is missing, run install.sh' >&2; return 1\n",
    });
    const { code, error } = await buildFails(projectWith(BUILDABLE), idf);
    expect(code).toBe(10);
    expect(error.message).toContain("the virtual environment is missing, run install.sh");
    expect(idf.calls()).toEqual([]);
  });

  test("an export.sh that fails and returns 0, as from 5.4 on: its errors, not idf.py's absence", async () => {
    const words = [
      "* Checking python dependencies ... FAILED",
      "Error while checking requirement 'esp-idf-sbom'. Package was not found",
      "To install the missing packages, please run install.sh",
      "ERROR: Activation script failed",
      "To view detailed debug information, set ESP_IDF_EXPORT_DEBUG=1",
    ];
    const idf = idfStandIn({ exportScript: `echo "${words.join("\n")}" >&2\nreturn 0\n` });
    const { code, error } = await buildFails(projectWith(BUILDABLE), idf);
    expect(code).toBe(10);
    expect(error.message).toBe(`${join(idf.path, "export.sh")} failed: ${words[1]}\n${words[3]}`);
    expect(error.hint).toContain("Run that script by hand");
  });
});
