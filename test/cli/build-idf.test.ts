import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  APP_BYTES,
  type Call,
  type IdfStandIn,
  idfStandIn,
  running,
  SUCCESS,
} from "../helpers/idf.js";
import { projectWith, snapshot, temporaryDir, writeManifest } from "../helpers/project.js";
import { prov, REPOSITORY } from "../helpers/prov.js";

const REAL = `backend: { url: "https://b.example" }, mqtt: { uri: "mqtts://m.example" }`;
const AP_PASSWORD = "only-for-the-AP";
const FERN = `defineDevice({ id: "fern", target: "esp32c3", softAp: { password: "${AP_PASSWORD}" }, ${REAL} })`;
const PARTITION_BYTES = 0x1f0000;

async function build(cwd: string, idf: IdfStandIn, ...args: string[]) {
  return prov(["build", ...args], { cwd, env: { IDF_PATH: idf.path } });
}

async function buildFails(cwd: string, idf: IdfStandIn, ...args: string[]) {
  const { code, stdout } = await build(cwd, idf, "--json", ...args);
  return { code, error: JSON.parse(stdout).error };
}

function folderOf(call: Call | undefined): string {
  return call?.argv[call.argv.indexOf("-B") + 1] ?? "";
}

describe("a build that succeeds", () => {
  test("ends with the image and its size against the partition", async () => {
    const cwd = projectWith(FERN);
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
    const cwd = projectWith(FERN);
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
    const cwd = projectWith(FERN);
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
    const { code, stderr } = await build(projectWith(FERN), idf);
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
    const { code, error } = await buildFails(projectWith(FERN), idf);
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
    const { code, error } = await buildFails(projectWith(FERN), idf);
    expect(code).toBe(4);
    expect(error.message).toContain(says);
  });

  test("--verbose shows the whole output, the error after it", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "start", "compile-error"], { exit: 2 });
    const { stderr } = await build(projectWith(FERN), idf, "--verbose");
    expect(stderr).toContain("[702/964]");
    expect(stderr.indexOf("error build_failed")).toBeGreaterThan(stderr.indexOf("[702/964]"));
  });

  test("an image that is too big, as ESP-IDF finds: exit 4", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "start", "end", "end-too-big"], { exit: 2 });
    const { code, error } = await buildFails(projectWith(FERN), idf);
    expect(code).toBe(4);
    expect(error.code).toBe("image_too_big");
    expect(error.message).toContain("too small for binary prov_firmware.bin size 0x1f1230");
  });

  test("an image that is too big, as prov finds: exit 4, and nothing is left to flash", async () => {
    const cwd = projectWith(FERN);
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
    const { code, error } = await buildFails(projectWith(FERN), idf);
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
    const { code, error } = await buildFails(projectWith(FERN), idf);
    expect(code).toBe(10);
    expect(error.message).toBe(`${join(idf.path, "export.sh")} failed: ${words[1]}\n${words[3]}`);
    expect(error.hint).toContain("Run that script by hand");
  });
});

describe("options that ESP-IDF does not know", () => {
  const MISSPELT = FERN.replace(
    "{ id:",
    `{ sdkconfig: { CONFIG_LWIP_MAX_SOCKET: 20, CONFIG_LOG_COLOURS: true }, id:`,
  );

  test("exit 3 naming them all, before anything is compiled, every time", async () => {
    const cwd = projectWith(MISSPELT);
    const idf = idfStandIn();
    idf.play(["configure", "unknown-symbols", "start", "end", "end-fits"]);
    for (const attempt of [1, 2]) {
      const { code, error } = await buildFails(cwd, idf);
      expect(code, `attempt ${attempt}`).toBe(3);
      expect(error).toMatchObject({ code: "manifest_invalid", stage: "manifest" });
      expect(error.message.split("\n")).toEqual([
        "sdkconfig.CONFIG_LWIP_MAX_SOCKET: this ESP-IDF has no such option",
        "sdkconfig.CONFIG_LOG_COLOURS: this ESP-IDF has no such option",
      ]);
      // CMake, which alone says it, would not run again otherwise.
      expect(existsSync(join(folderOf(idf.calls().at(-1)), "CMakeCache.txt"))).toBe(false);
    }
    expect(existsSync(join(cwd, ".prov", "devices", "fern", "build"))).toBe(false);
  });

  test("the compilation is not waited for", async () => {
    const idf = idfStandIn();
    idf.hang(["configure", "unknown-symbols"]);
    const { code } = await buildFails(projectWith(MISSPELT), idf);
    expect(code).toBe(3);
    await expect.poll(() => running(idf.pids())).toEqual([]);
  });

  test.each([
    ["are found by its menus where it says nothing, as 5.0 does", ["LWIP_MAX_SOCKET"]],
    ["are no others than those that it lacks", []],
  ])("%s", async (_name, lacks) => {
    const idf = idfStandIn({ release: "5.0" });
    idf.play(SUCCESS, { lacks });
    const { code, error } = await buildFails(projectWith(MISSPELT), idf);
    expect(code).toBe(lacks.length > 0 ? 3 : 0);
    expect(error?.message).toBe(
      lacks.length > 0
        ? "sdkconfig.CONFIG_LWIP_MAX_SOCKET: this ESP-IDF has no such option"
        : undefined,
    );
  });

  test("its menus too are looked at before the compilation", async () => {
    const idf = idfStandIn({ release: "5.0" });
    idf.hang(["configure"], { lacks: ["LOG_COLOURS"] });
    const { code } = await buildFails(projectWith(MISSPELT), idf);
    expect(code).toBe(3);
    await expect.poll(() => running(idf.pids())).toEqual([]);
  });

  test("one of an older name is none of them: ESP-IDF goes on writing it", async () => {
    const idf = idfStandIn({ release: "5.0" });
    const lacks = ["LWIP_MAX_SOCKET", "LOG_COLOURS"];
    const sdkconfig = { CONFIG_LWIP_MAX_SOCKET: "20", CONFIG_LOG_COLOURS: "y" };
    idf.play(SUCCESS, { lacks, sdkconfig });
    expect((await buildFails(projectWith(MISSPELT), idf)).code).toBe(0);
  });

  test("also when configuring fails because of it", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "unknown-symbols", "cmake-error"], { exit: 2 });
    const { code, error } = await buildFails(projectWith(MISSPELT), idf);
    expect(code).toBe(3);
    expect(error.message).toContain("CONFIG_LOG_COLOURS");
  });

  test("those that prov itself sets are passed over: releases differ", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "unknown-symbols", "start", "end", "end-fits"]);
    expect((await build(projectWith(FERN), idf)).code).toBe(0);
  });
});

describe("a project whose path no build can have in it", () => {
  const odd = (part: string): string => {
    const cwd = join(temporaryDir(), `a${part}b`);
    mkdirSync(cwd);
    writeManifest(cwd, FERN);
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
    const missing = await buildFails(projectWith(FERN), idfStandIn(), "--config", "a\\b.ts");
    expect(missing.error.code).toBe("manifest_not_found");
  });

  test("others are fine", async () => {
    expect((await build(odd(" 'ü'$#(&,)<>{@A@}%~`+!"), idfStandIn())).code).toBe(0);
  });
});

describe("where ESP-IDF is missing", () => {
  async function buildWithout(env: Record<string, string>, ...args: string[]) {
    const cwd = projectWith(FERN);
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
    const { code, error } = await buildFails(projectWith(FERN), idf, "--target", "c5");
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
    const cwd = projectWith(FERN);
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
    const cwd = projectWith(FERN);
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
  const cwd = projectWith(FERN);
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
    const cwd = projectWith(FERN);
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
      projectWith(FERN),
      idfStandIn(),
      "--target",
      "esp8266",
    );
    expect(code).toBe(2);
    expect(error.message).toContain("esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c5, esp32c6");
  });
});

describe("--docker", () => {
  /** A docker that records its arguments and runs the command in them here. */
  function dockerStandIn(idf: IdfStandIn, script?: string): { bin: string; argv(): string[] } {
    const bin = temporaryDir();
    const log = join(bin, "argv");
    writeFileSync(
      join(bin, "docker"),
      script ??
        `#!/bin/sh\nprintf '%s\\n' "$@" > "${log}"\nwhile [ "$1" != idf.py ]; do shift; done\nshift\nexec "${idf.path}/tools/idf.py" "$@"\n`,
    );
    chmodSync(join(bin, "docker"), 0o755);
    return { bin, argv: () => readFileSync(log, "utf8").trimEnd().split("\n") };
  }

  test("runs idf.py in the image, as this user, with only the sources and the build folder", async () => {
    const cwd = projectWith(FERN);
    const idf = idfStandIn();
    const docker = dockerStandIn(idf);
    const { code, stdout, stderr } = await prov(["build", "--docker", "--json"], {
      cwd,
      env: { PATH: `${docker.bin}:${process.env.PATH}`, IDF_PATH: "", PROV_TOKEN: "secret-token" },
    });
    expect(stderr).toContain("application 1000000 of 2031616 bytes");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).target).toBe("esp32c3");
    const argv = docker.argv();
    const [call] = idf.calls();
    const folder = folderOf(call);
    const firmware = join(REPOSITORY, "firmware");
    const image = argv.indexOf("espressif/idf:release-v5.5");
    expect(argv.slice(0, image)).toEqual([
      ...["run", "--rm", "--user", `${process.getuid?.()}:${process.getgid?.()}`],
      ...["-e", "HOME=/tmp", "--init"],
      ...["-v", `${firmware}:${firmware}`, "-v", `${folder}:${folder}`, "-w", firmware],
    ]);
    expect(argv.slice(image + 1)).toEqual(["idf.py", ...(call?.argv ?? [])]);
    const key = readFileSync(
      join(cwd, ".prov", "devices", "fern", "identity", "key.pem"),
      "utf8",
    ).split("\n");
    for (const secret of [AP_PASSWORD, "secret-token", ...key.slice(1, -2)])
      expect(JSON.stringify([argv, call?.env])).not.toContain(secret);
  });

  test("--idf-image chooses the image", async () => {
    const idf = idfStandIn();
    const docker = dockerStandIn(idf);
    const args = ["build", "--docker", "--idf-image", "espressif/idf:release-v6.0"];
    const { code } = await prov(args, {
      cwd: projectWith(FERN),
      env: { PATH: `${docker.bin}:${process.env.PATH}` },
    });
    expect(code).toBe(0);
    expect(docker.argv()).toContain("espressif/idf:release-v6.0");
  });

  test("a daemon that does not run: exit 10 with docker's word", async () => {
    const script = `#!/bin/sh
cat >&2 <<'END'
docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?

Run 'docker run --help' for more information
END
exit 125
`;
    const docker = dockerStandIn(idfStandIn(), script);
    const { code, stdout } = await prov(["build", "--docker", "--json"], {
      cwd: projectWith(FERN),
      env: { PATH: `${docker.bin}:${process.env.PATH}` },
    });
    expect(code).toBe(10);
    const { error } = JSON.parse(stdout);
    expect(error.code).toBe("tool_missing");
    expect(error.message).toBe(
      "docker failed: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    );
    expect(error.hint).toContain("docker run hello-world");
  });

  test("no docker: exit 10", async () => {
    const { code, stdout } = await prov(["build", "--docker", "--json"], {
      cwd: projectWith(FERN),
      // bash is needed, docker is not there.
      env: { PATH: `${binWith("bash")}` },
    });
    expect(code).toBe(10);
    expect(JSON.parse(stdout).error.message).toBe("docker is not installed or not on the PATH");
  });
});

/** A folder for PATH that holds only these commands. */
function binWith(...commands: string[]): string {
  const bin = temporaryDir();
  for (const command of commands)
    writeFileSync(join(bin, command), `#!/bin/sh\nexec /bin/${command} "$@"\n`, { mode: 0o755 });
  return bin;
}
