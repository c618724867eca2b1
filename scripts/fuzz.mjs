#!/usr/bin/env node
// Fuzzes the firmware's parsers, HTTP handlers and state machine with libFuzzer:
//   npm run fuzz -- [--seconds N] [TARGET...]
// Each target runs for N seconds (default 60) on its corpus in test/fuzz/corpus and on what earlier
// runs found (.cache/fuzz). Ends with 1 when an input broke something; the input is kept and named.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCE = join(ROOT, "test", "fuzz");
const BUILD = join(ROOT, ".cache", "fuzz");
/** Longer inputs than these reach nothing that shorter ones do not. */
const MAX_LENGTH = { fuzz_http_api: 4400, fuzz_runner: 512 };
const DEFAULT_MAX_LENGTH = 2048;
const READS_WORDS = ["fuzz_provision_request", "fuzz_backend_answer", "fuzz_http_api"];

function fail(message) {
  process.stderr.write(`fuzz: ${message}\n`);
  process.exit(10);
}

function run(command, args) {
  const result = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (result.status === 0) return result.stdout;
  process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  return fail(`\`${command} ${args.join(" ")}\` failed`);
}

/** The first clang that can link a libFuzzer target. */
function findClang() {
  const dir = mkdtempSync(join(tmpdir(), "prov-fuzz-"));
  const source = join(dir, "probe.c");
  writeFileSync(
    source,
    "#include <stddef.h>\n#include <stdint.h>\nint LLVMFuzzerTestOneInput(const uint8_t *d, size_t n) { (void)d; (void)n; return 0; }\n",
  );
  const versions = Array.from({ length: 12 }, (_, index) => `clang-${24 - index}`);
  const found = [process.env.CLANG ?? "clang", ...versions].find((clang) => {
    const args = ["-fsanitize=fuzzer,address", source, "-o", join(dir, "probe")];
    return spawnSync(clang, args, { stdio: "ignore" }).status === 0;
  });
  rmSync(dir, { recursive: true, force: true });
  return found;
}

/** Debian's libFuzzer is in a package of its own, named after clang's version. */
function installClang() {
  const asRoot = process.getuid?.() === 0;
  const apt = (...args) => run(asRoot ? "apt-get" : "sudo", asRoot ? args : ["apt-get", ...args]);
  if (!existsSync("/usr/bin/apt-get"))
    fail("a clang with libFuzzer is needed; install LLVM's, or name it in CLANG");
  process.stderr.write("fuzz: installing clang and libFuzzer with apt\n");
  apt("update", "-q");
  apt("install", "-q", "-y", "--no-install-recommends", "clang");
  const version = /version (\d+)/.exec(run("clang", ["--version"]))?.[1];
  apt("install", "-q", "-y", "--no-install-recommends", `libclang-rt-${version}-dev`);
}

function build() {
  let clang = findClang();
  if (clang === undefined) {
    installClang();
    clang = findClang() ?? fail("clang is installed, but has no libFuzzer");
  }
  run("cmake", ["-S", SOURCE, "-B", BUILD, "-G", "Ninja", `-DCMAKE_C_COMPILER=${clang}`]);
  run("ninja", ["-C", BUILD]);
}

/** Runs one target; returns how many inputs it tried, and the input that broke it. */
function fuzz(target, seconds) {
  const found = join(BUILD, "corpus", target);
  const crashes = join(BUILD, "crashes");
  for (const dir of [found, crashes]) mkdirSync(dir, { recursive: true });
  const dictionary = READS_WORDS.includes(target) ? [`-dict=${join(SOURCE, "words.dict")}`] : [];
  const { status, stderr } = spawnSync(
    join(BUILD, target),
    [
      `-max_total_time=${seconds}`,
      `-max_len=${MAX_LENGTH[target] ?? DEFAULT_MAX_LENGTH}`,
      `-artifact_prefix=${crashes}/${target}-`,
      ...dictionary,
      "-timeout=10",
      "-print_final_stats=1",
      found,
      join(SOURCE, "corpus", target.replace("fuzz_", "")),
    ],
    { encoding: "utf8", maxBuffer: 1 << 28 },
  );
  const executions = Number(/number_of_executed_units: (\d+)/.exec(stderr)?.[1] ?? 0);
  if (status === 0) return { executions, crash: undefined };
  const lines = stderr.split("\n");
  const from = lines.findIndex((line) => /violated|ERROR|runtime error/.test(line));
  process.stderr.write(`${lines.slice(Math.max(from, 0)).slice(0, 40).join("\n")}\n`);
  return { executions, crash: /Test unit written to (\S+)/.exec(stderr)?.[1] ?? "unknown input" };
}

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "60" } },
  allowPositionals: true,
});
const seconds = Number(values.seconds);
if (!Number.isInteger(seconds) || seconds < 1) fail("--seconds: expected a positive integer");
build();
const all = readdirSync(SOURCE).flatMap((name) => /^(fuzz_\w+)\.c$/.exec(name)?.[1] ?? []);
const targets = all.filter(
  (name) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
);
if (targets.length === 0) fail(`no such target; there are ${all.join(", ")}`);
let total = 0;
let broken = 0;
for (const target of targets) {
  const { executions, crash } = fuzz(target, seconds);
  total += executions;
  broken += crash === undefined ? 0 : 1;
  const verdict = crash === undefined ? "no crash" : `BROKEN by ${crash}`;
  process.stdout.write(`${target}: ${executions} executions in ${seconds} s, ${verdict}\n`);
}
process.stdout.write(`${total} executions, ${broken} targets broken\n`);
process.exit(broken === 0 ? 0 : 1);
