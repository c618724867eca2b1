#!/usr/bin/env node
// Installs what `npm start` and `npm test` need and compiles the TypeScript, doing only what is missing.
// With --test what the tests need besides, with --packages the npm packages alone.
// Plain JavaScript on node: modules alone, since it runs before anything is installed.
// All output goes to stderr: stdout belongs to the command that follows.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const MINIMUM_NODE = [20, 19];
/** As in cli/errors.ts, which is not compiled yet. */
const EXIT_ENVIRONMENT = 10;
const SEARCH_PATH = [
  ...(process.env.PATH ?? "").split(":"),
  "/usr/sbin",
  "/sbin",
  "/usr/local/sbin",
];
const INCLUDE_DIRS = ["/usr/include", "/usr/local/include"];

/**
 * What the host build and the lab need: how to see that it is there, and the package that brings it. A header is for the
 * host build alone, which needs Linux.
 */
const REQUIREMENTS = [
  { command: "cc", apt: ["build-essential"], brew: [] },
  { command: "cmake", apt: ["cmake"], brew: ["cmake"] },
  { command: "ninja", apt: ["ninja-build"], brew: ["ninja"] },
  { command: "pkg-config", apt: ["pkg-config"], brew: ["pkg-config"] },
  { command: "socat", apt: ["socat"], brew: ["socat"] },
  { command: "openssl", apt: ["openssl"], brew: ["openssl@3"] },
  { command: "curl", apt: ["curl"], brew: ["curl"] },
  { command: "mosquitto", apt: ["mosquitto"], brew: ["mosquitto"] },
  { command: "mosquitto_sub", apt: ["mosquitto-clients"], brew: ["mosquitto"] },
  { header: "mbedtls/version.h", apt: ["libmbedtls-dev"], brew: [] },
  { header: "http_parser.h", apt: ["libhttp-parser-dev"], brew: [] },
  { header: "cjson/cJSON.h", apt: ["libcjson-dev"], brew: [] },
].filter(({ header }) => !header || process.platform === "linux");

/** What only the tests need besides. */
const TEST_REQUIREMENTS = [
  { command: "python3", apt: ["python3"], brew: ["python3"] },
  { command: "chromium", apt: ["chromium"], brew: ["chromium"] },
  { pythonModule: "ensurepip", apt: ["python3-venv"], brew: ["python3"] },
];

/** What the suite can do without, and what it is like then. */
const OPTIONAL_TEST_REQUIREMENTS = [
  { command: "ccache", apt: ["ccache"], otherwise: "the tests take longer" },
  {
    command: "riscv64-unknown-elf-gcc",
    apt: ["gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf"],
    otherwise: "the tests that need it are skipped",
  },
  { command: "certtool", apt: ["gnutls-bin"], otherwise: "the tests that need it are skipped" },
  { command: "certutil", apt: ["libnss3-tools"], otherwise: "the tests that need it are skipped" },
];

function say(line) {
  process.stderr.write(`prov setup: ${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(EXIT_ENVIRONMENT);
}

function onPath(command) {
  return SEARCH_PATH.some((dir) => {
    try {
      accessSync(join(dir, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function hasHeader(header) {
  const multiarch = existsSync("/usr/include")
    ? readdirSync("/usr/include").filter((name) => name.endsWith("-linux-gnu"))
    : [];
  return [...INCLUDE_DIRS, ...multiarch.map((name) => join("/usr/include", name))].some((dir) =>
    existsSync(join(dir, header)),
  );
}

function isPresent(requirement) {
  if (requirement.command) return onPath(requirement.command);
  if (requirement.header) return hasHeader(requirement.header);
  return (
    spawnSync("python3", ["-c", `import ${requirement.pythonModule}`], { stdio: "ignore" })
      .status === 0
  );
}

/** Runs a command and stays quiet while it succeeds; shows everything that it said when it fails. */
function succeeds(command, args) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 28,
  });
  if (result.status === 0) return true;
  process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}\n`);
  const why = result.error ? result.error.message : `exit code ${result.status}`;
  say(`\`${command} ${args.join(" ")}\` failed: ${why}`);
  return false;
}

function run(command, args) {
  if (!succeeds(command, args)) process.exit(EXIT_ENVIRONMENT);
}

function nameOf(requirement) {
  return requirement.command ?? requirement.header ?? `python3's ${requirement.pythonModule}`;
}

function installSystemPackages(requirements) {
  const missing = requirements.filter((requirement) => !isPresent(requirement));
  if (missing.length === 0) return;
  const packages = (manager) => [
    ...new Set(missing.flatMap((requirement) => requirement[manager])),
  ];
  if (onPath("apt-get")) installWithApt(packages("apt"));
  else if (onPath("brew")) installWithBrew(packages("brew"));
  else
    fail(
      `please install these and run again: ${missing.map(nameOf).join(", ")} (Debian's names: ${packages("apt").join(" ")})`,
    );
  const still = requirements.filter((requirement) => !isPresent(requirement));
  if (still.length > 0)
    fail(
      `still missing after the installation: ${still.map(nameOf).join(", ")}${
        process.platform === "darwin" ? " (`xcode-select --install` brings the compiler)" : ""
      }`,
    );
}

function mayInstallWithApt() {
  return process.getuid?.() === 0 || onPath("sudo");
}

function installWithApt(packages) {
  if (!mayInstallWithApt())
    fail(`these Debian packages are missing, and there is no sudo: ${packages.join(" ")}`);
  if (!aptInstalls(packages)) process.exit(EXIT_ENVIRONMENT);
}

let isAptUpdated = false;

function aptInstalls(packages) {
  say(`installing with apt: ${packages.join(" ")}`);
  const apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
  const [command, ...prefix] = process.getuid?.() === 0 ? apt : ["sudo", ...apt];
  // One broken third-party source fails an update; what is needed may be installable all the same.
  if (!isAptUpdated) succeeds(command, [...prefix, "update", "-q"]);
  isAptUpdated = true;
  return succeeds(command, [
    ...prefix,
    ...["install", "-q", "-y", "--no-install-recommends"],
    ...packages,
  ]);
}

function installOptionalPackages(requirements) {
  const missing = requirements.filter((requirement) => !isPresent(requirement));
  const isAble = missing.length > 0 && onPath("apt-get") && mayInstallWithApt();
  // One package that apt does not know is not to take the others with it.
  if (isAble && !aptInstalls(missing.flatMap((requirement) => requirement.apt)))
    for (const { apt } of missing.length > 1 ? missing : []) aptInstalls(apt);
  for (const requirement of missing.filter((each) => !isPresent(each)))
    say(`without ${nameOf(requirement)} ${requirement.otherwise}`);
}

function installWithBrew(packages) {
  if (packages.length === 0) return;
  say(`installing with brew: ${packages.join(" ")}`);
  run("brew", ["install", ...packages]);
}

function installNpmPackages() {
  const wanted = createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .update(process.version)
    .digest("hex");
  const stamp = join(ROOT, "node_modules", ".prov-setup");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  say("installing npm packages from the lockfile");
  run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
  writeFileSync(stamp, wanted);
}

function* sourceFiles(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

function compile() {
  const files = ["codegen", "cli"].flatMap((dir) => [...sourceFiles(join(ROOT, dir))]);
  const inputs = [
    ...files,
    ...["run.ts", "tsconfig.json", "tsconfig.build.json", "package.json"].map((name) =>
      join(ROOT, name),
    ),
  ].sort();
  const state = createHash("sha256");
  for (const path of inputs) {
    const { mtimeMs, size } = statSync(path);
    state.update(`${path} ${mtimeMs} ${size}\n`);
  }
  const wanted = state.digest("hex");
  const stamp = join(ROOT, "dist", ".prov-setup");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  say("compiling");
  run(process.execPath, [
    join(ROOT, "node_modules", "typescript", "bin", "tsc"),
    "-p",
    "tsconfig.build.json",
  ]);
  chmodSync(join(ROOT, "dist", "cli", "main.js"), 0o755);
  writeFileSync(stamp, wanted);
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])) {
  fail(`Node ${MINIMUM_NODE.join(".")} or newer is needed; this is ${process.versions.node}`);
}
const forTests = process.argv.includes("--test");
if (process.argv.includes("--packages")) {
  installNpmPackages();
} else {
  installSystemPackages(forTests ? [...REQUIREMENTS, ...TEST_REQUIREMENTS] : REQUIREMENTS);
  if (forTests) installOptionalPackages(OPTIONAL_TEST_REQUIREMENTS);
  installNpmPackages();
  compile();
}
