// Stands in for idf.py: records how it was called, prints a recorded output, leaves the products of a build.
import { spawn } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , home, ...argv] = process.argv;
const scenario = JSON.parse(readFileSync(join(home, "scenario.json"), "utf8"));
const buildDir = argv[argv.indexOf("-B") + 1];
const target = argv.find((argument) => argument.startsWith("-DIDF_TARGET="))?.split("=")[1];

appendFileSync(
  join(home, "calls.jsonl"),
  `${JSON.stringify({ argv, cwd: process.cwd(), env: process.env, pid: process.pid })}\n`,
);
mkdirSync(buildDir, { recursive: true });
const source = argv[argv.indexOf("-C") + 1];
writeFileSync(
  join(buildDir, "CMakeCache.txt"),
  `CMAKE_CACHEFILE_DIR:INTERNAL=${buildDir}\nCMAKE_HOME_DIRECTORY:INTERNAL=${source}\n`,
);

const sdkconfig = configure();
writeFileSync(join(buildDir, "sdkconfig"), sdkconfig);
if (scenario.lacks) writeMenus(scenario.lacks);
process.stdout.write(scenario.output.replaceAll("{build}", buildDir));
if (scenario.hang) hang();
else end();

function hang() {
  // A compiler below the build system, which ignores the polite signal.
  const compiler = spawn(
    process.execPath,
    ["-e", "process.on('SIGTERM', () => {}); console.log('[1/9] up'); setInterval(() => {}, 1e6)"],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  writeFileSync(join(home, "pids.json"), JSON.stringify([process.pid, compiler.pid]));
}

function end() {
  if (scenario.products) cpSync(scenario.products, buildDir, { recursive: true });
  else if (scenario.exit === 0) leaveProducts(sdkconfig.includes("partitions_secure.csv"));
  process.exitCode = scenario.exit;
}

function leaveProducts(isSecure) {
  const bootloaderOffset =
    { esp32: "0x1000", esp32s2: "0x1000", esp32c5: "0x2000" }[target] ?? "0x0";
  mkdirSync(join(buildDir, "bootloader"), { recursive: true });
  mkdirSync(join(buildDir, "partition_table"), { recursive: true });
  writeFileSync(join(buildDir, "bootloader", "bootloader.bin"), Buffer.alloc(20_000, 0xe9));
  writeFileSync(join(buildDir, "partition_table", "partition-table.bin"), Buffer.alloc(3072, 0xaa));
  writeFileSync(join(buildDir, "prov_firmware.bin"), Buffer.alloc(scenario.appBytes, 0xe9));
  writeFileSync(join(buildDir, "prov_firmware.elf"), "\x7fELF");
  const [tableOffset, appOffset] = isSecure ? ["0x10000", "0x20000"] : ["0x8000", "0x10000"];
  const files = {
    [bootloaderOffset]: "bootloader/bootloader.bin",
    [appOffset]: "prov_firmware.bin",
    [tableOffset]: "partition_table/partition-table.bin",
  };
  const named = (offset, file) => ({ offset, file, encrypted: "false" });
  writeFileSync(
    join(buildDir, "flasher_args.json"),
    JSON.stringify({
      write_flash_args: ["--flash_mode", "dio", "--flash_size", "4MB", "--flash_freq", "80m"],
      flash_settings: { flash_mode: "dio", flash_size: "4MB", flash_freq: "80m" },
      flash_files: files,
      bootloader: named(bootloaderOffset, "bootloader/bootloader.bin"),
      app: named(appOffset, "prov_firmware.bin"),
      "partition-table": named(tableOffset, "partition_table/partition-table.bin"),
      extra_esptool_args: {
        after: "hard_reset",
        before: "default_reset",
        stub: true,
        chip: target,
      },
    }),
  );
}

/** The symbols that this ESP-IDF has, as its kconfgen leaves them for editors: all of the defaults but `lacks`. */
function writeMenus(lacks) {
  const names = [...readDefaults().matchAll(/^(?:# )?CONFIG_(\w+)/gm)].map(([, name]) => name);
  const known = names.filter((name) => !lacks.includes(name));
  const node = (name) => ({ children: [], depends_on: null, id: name, name, type: "string" });
  const menus = [{ children: known.map(node), depends_on: null, id: "menu", type: "menu" }];
  mkdirSync(join(buildDir, "config"), { recursive: true });
  writeFileSync(join(buildDir, "config", "kconfig_menus.json"), JSON.stringify(menus, null, 4));
}

function readDefaults() {
  const config = argv.find((argument) => argument.startsWith("-DPROV_CONFIG_DIR="))?.split("=")[1];
  return readFileSync(join(config, "sdkconfig.defaults"), "utf8");
}

/** Takes every line of the defaults, but for those that the scenario says this ESP-IDF does otherwise. */
function configure() {
  const overrides = Object.entries(scenario.sdkconfig ?? {});
  const lacks = (scenario.lacks ?? []).map((name) => [`CONFIG_${name}`, null]);
  overrides.push(...lacks);
  const lines = readDefaults()
    .split("\n")
    .filter((line) => !overrides.some(([name]) => line.startsWith(`${name}=`)));
  const added = overrides.flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
  return [...lines, ...added, ""].join("\n");
}
