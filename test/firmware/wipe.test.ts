import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { isOnPath } from "../../cli/processes/on-path.js";
import { firmwareFile, firmwareFiles, firmwareFolders } from "../helpers/firmware-main.js";
import { temporaryDir } from "../helpers/project.js";

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const HOST = join(REPOSITORY, "firmware", "host");
const CACHE = join(REPOSITORY, ".cache", "wipe");
const LEVELS = ["-O1", "-O2", "-Os"] as const;

/** What the program runs; functions of no scenario are left out by the linker. */
const UNDER_TEST = [
  ...["form_decode", "json_guard", "json_memory", "prov_records", "provision_request"],
  ...[
    "device_store",
    "flash_purge",
    "nvs_record",
    "secret_wipe",
    "stored_certificate",
    "wifi_link",
  ],
  ...["certificate_parse", "certificate_pem", "certificate_read", "certificate_record"],
].map((name) => firmwareFile(`${name}.c`));

function portSources(): string[] {
  const names = readdirSync(join(HOST, "src")).filter((name) => /^nvs_.*\.c$/.test(name));
  const others = [
    "flash_file",
    "esp_partition",
    "freertos_queue",
    "freertos_semphr",
    "freertos_task",
  ];
  others.push("host_monitor", "esp_log", "esp_err", "esp_err_to_name");
  return [...names, ...others.map((name) => `${name}.c`)].map((name) => join(HOST, "src", name));
}

function flags(compiler: string): string[] {
  const given = [join(HOST, "include"), join(HOST, "src"), join(REPOSITORY, "test/golden")];
  const include = [...firmwareFolders(), ...given];
  const own = compiler === "gcc" ? ["-fno-stack-protector"] : [];
  return [
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-w",
    "-ffunction-sections",
    ...own,
    ...include.flatMap((dir) => ["-I", dir]),
  ];
}

/** Compiles `sources`, and only then makes free() of their objects the probe's. */
async function compile(
  compiler: string,
  level: string,
  dir: string,
  sources: readonly string[],
): Promise<string[]> {
  mkdirSync(dir, { recursive: true });
  await run(compiler, [...flags(compiler), level, "-c", ...sources], { cwd: dir });
  const objects = sources.map((source) => join(dir, source.replace(/^.*\/(.*)\.c$/, "$1.o")));
  for (const object of objects) {
    await run("objcopy", ["--redefine-sym", "free=probe_free", object]);
  }
  return objects;
}

let support: Promise<string[]> | undefined;

/** The program's own half and the port's: once, as they are not under test. */
function supportObjects(): Promise<string[]> {
  const dir = join(CACHE, "support");
  mkdirSync(dir, { recursive: true });
  const sources = [...portSources(), join(REPOSITORY, "test/firmware/wipe/wipe_test.c")];
  support ??= run("gcc", [...flags("gcc"), "-O1", "-c", ...sources], { cwd: dir }).then(() =>
    sources.map((source) => join(dir, source.replace(/^.*\/(.*)\.c$/, "$1.o"))),
  );
  return support;
}

async function runProgram(compiler: string, level: string, sources: readonly string[]) {
  const dir = join(temporaryDir(), "objects");
  const objects = await compile(compiler, level, dir, sources);
  const program = join(dir, "wipe_test");
  // Resolved late, a function of glibc leaves the vector registers, and what they hold, on the stack.
  const libraries = [
    "-lcjson",
    "-lmbedx509",
    "-lmbedcrypto",
    "-lpthread",
    "-Wl,--gc-sections,-z,now",
  ];
  await run("gcc", ["-o", program, ...objects, ...(await supportObjects()), ...libraries]);
  return run(program, [join(dir, "flash.bin")]).then(
    ({ stdout, stderr }) => ({ failed: false, stdout, stderr }),
    (error: { stdout: string; stderr: string }) => ({ ...error, failed: true }),
  );
}

const COMPILERS = ["gcc", "clang"].filter((compiler) => isOnPath(compiler, process.env));

describe.each(COMPILERS)("what %s makes of the code that forgets secrets", (compiler) => {
  it.each(LEVELS)("leaves none on heap or stack at %s", async (level) => {
    const { stdout, stderr } = await runProgram(compiler, level, UNDER_TEST);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^[1-9]\d* checks, 0 failures\n$/);
  });

  it("does leave them when secret_wipe() is a plain memset()", async () => {
    const dir = temporaryDir();
    const plain = UNDER_TEST.filter((source) => !source.endsWith("/secret_wipe.c")).map(
      (source) => {
        const copy = join(dir, source.replace(/^.*\//, ""));
        writeFileSync(copy, readFileSync(source, "utf8").replace('"secret_wipe.h"', '"plain.h"'));
        return copy;
      },
    );
    writeFileSync(
      join(dir, "plain.h"),
      `#pragma once
       #include <stdlib.h>
       #include <string.h>
       #define secret_wipe(block, size) memset(block, 0, size)
       #define secret_free(block, size) ((block) != NULL ? (memset(block, 0, size), free(block)) : (void)0)
       #define secret_free_text(text) secret_free(text, strlen(text))
      `,
    );
    const { failed, stderr } = await runProgram(compiler, "-O2", plain);
    expect(failed).toBe(true);
    expect(stderr).toContain("requests: a freed block holds a secret");
    expect(stderr).toContain("store: a freed block holds a secret");
    expect(stderr).toContain("printing: a freed block holds a secret");
  });
});

describe("every file of the firmware", () => {
  const files = firmwareFiles(".c");
  const sourceOf = (path: string) => readFileSync(path, "utf8");

  it("wipes with secret_wipe(), never with memset() before the block goes away", () => {
    const offenders = files.filter((path) =>
      /memset\(([^,;]+), 0,[^;]*;(?:[^}]*\}\n)?[^}]*?\bfree\(\1\)/.test(sourceOf(path)),
    );
    expect(offenders).toEqual([]);
  });

  it.each(LEVELS)("still wipes where its source says so, at %s", async (level) => {
    const calls = /\bsecret_(?:wipe|free|free_text)\(/g;
    const users = files.filter(
      (path) => !path.endsWith("/secret_wipe.c") && sourceOf(path).match(calls) !== null,
    );
    const dir = join(temporaryDir(), "objects");
    const objects = await compile("gcc", level, dir, users);
    expect(users).toContain(firmwareFile("http_api.c"));
    for (const [i, object] of objects.entries()) {
      const { stdout } = await run("objdump", ["-r", object]);
      const name = users[i] ?? "";
      const compiled = stdout.match(/\bsecret_(?:wipe|free|free_text)\b/g)?.length ?? 0;
      expect(compiled, name).toBeGreaterThanOrEqual(sourceOf(name).match(calls)?.length ?? 0);
    }
  });
});

it.runIf(isOnPath("riscv64-unknown-elf-gcc", process.env)).each(LEVELS)(
  "secret_wipe() stores zeros on RISC-V at %s",
  async (level) => {
    const dir = temporaryDir();
    const object = join(dir, "secret_wipe.o");
    const chip = ["-march=rv32imac", "-mabi=ilp32", "-std=gnu11", "-ffreestanding"];
    const text = readFileSync(firmwareFile("secret_wipe.c"), "utf8");
    const source = join(dir, "secret_wipe.c");
    writeFileSync(source, text.replace(/#include <(?:stdlib|string)\.h>\n/g, ""));
    const declared = [
      "-include",
      join(dir, "libc.h"),
      "-I",
      dirname(firmwareFile("secret_wipe.h")),
    ];
    writeFileSync(
      join(dir, "libc.h"),
      "#include <stddef.h>\nvoid free(void *);\nvoid *memset(void *, int, size_t);\nsize_t strlen(const char *);\n",
    );
    await run("riscv64-unknown-elf-gcc", [...chip, level, ...declared, "-c", source, "-o", object]);
    const { stdout } = await run("riscv64-unknown-elf-objdump", ["-dr", object]);
    const freeing = stdout.slice(stdout.indexOf("<secret_free>:"));
    expect(freeing).toMatch(/R_RISCV_(?:CALL|CALL_PLT|JAL)\s+(?:memset|secret_wipe)\b/);
    expect(freeing.search(/\b(?:memset|secret_wipe)\b/)).toBeLessThan(
      freeing.search(/\bfree\b(?!>)/),
    );
  },
);
