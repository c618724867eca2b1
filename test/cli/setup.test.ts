import { spawnSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  addApt,
  COMMANDS,
  forbid,
  INSTALL,
  inSbin,
  machine,
  OPTIONAL_COMMANDS,
  PLAIN_USER,
  ROOT_USER,
  UPDATE,
} from "../helpers/machine.js";

describe("set-up", () => {
  test("installs the npm packages from the lockfile and compiles; stdout stays free", () => {
    const self = machine();
    const { code, stdout, stderr } = self.setup();
    expect(stderr).toBe(
      "prov setup: installing npm packages from the lockfile\nprov setup: compiling\n",
    );
    expect(code).toBe(0);
    expect(stdout).toBe("");
    expect(self.calls()).toEqual([
      "npm ci --no-audit --no-fund --ignore-scripts",
      "tsc -p tsconfig.build.json",
    ]);
    expect(statSync(join(self.root, "dist", "cli", "main.js")).mode & 0o111).toBe(0o111);
  });

  test("--packages is npm's packages alone, whatever else is missing", () => {
    const self = machine();
    self.remove("cc", "chromium");
    expect(self.setup("--packages").code).toBe(0);
    expect(self.calls()).toEqual(["npm ci --no-audit --no-fund --ignore-scripts"]);
    expect(self.setup("--packages")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(self.calls()).toEqual([]);
  });

  test("a second run starts no process at all, with --test one", () => {
    const self = machine();
    self.setup("--test");
    self.calls();
    forbid(self, "npm", "apt-get", "brew", "sudo", "cc", "cmake", "ninja", "pkg-config");
    writeFileSync(
      join(self.root, "node_modules", "typescript", "bin", "tsc"),
      "throw new Error('compiled again')",
    );
    expect(self.setup()).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(self.calls()).toEqual([]);
    expect(self.setup("--test")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(self.calls()).toEqual(["python3 -c import ensurepip"]);
  });

  test.each([
    ["a changed source", "cli/flow/build.ts"],
    ["a new source", "codegen/new.ts"],
    ["another setting of the compiler", "tsconfig.json"],
  ])("%s compiles again, and that is all", (_name, path) => {
    const self = machine();
    self.setup();
    self.calls();
    writeFileSync(join(self.root, path), "// changed\n");
    expect(self.setup().code).toBe(0);
    expect(self.calls()).toEqual(["tsc -p tsconfig.build.json"]);
  });

  test("another lockfile installs again", () => {
    const self = machine();
    self.setup();
    self.calls();
    writeFileSync(join(self.root, "package-lock.json"), '{ "lockfileVersion": 3 }');
    expect(self.setup().code).toBe(0);
    expect(self.calls()[0]).toMatch(/^npm ci /);
  });

  test("npm's failure is shown and ends it with 10; the next run tries again", () => {
    const self = machine();
    self.add("npm", "echo 'ECONNREFUSED registry' >&2; exit 1");
    for (const _attempt of [1, 2]) {
      const { code, stderr } = self.setup();
      expect(code).toBe(10);
      expect(stderr).toContain("ECONNREFUSED registry");
      expect(stderr).toContain(
        "`npm ci --no-audit --no-fund --ignore-scripts` failed: exit code 1",
      );
      expect(self.calls()).toHaveLength(1);
    }
  });
});

describe("missing system packages", () => {
  test("without apt and brew: the exact list, exit 10, nothing is tried", () => {
    const self = machine();
    self.remove("cmake", "ninja", "socat", "mosquitto_sub");
    const { code, stdout, stderr } = self.setup();
    expect(code).toBe(10);
    expect(stdout).toBe("");
    expect(stderr).toBe(
      "prov setup: please install these and run again: cmake, ninja, socat, mosquitto_sub (Debian's names: cmake ninja-build socat mosquitto-clients)\n",
    );
    expect(self.calls()).toEqual([]);
  });

  test("every command is looked for", () => {
    const self = machine();
    self.remove(...COMMANDS);
    const { stderr } = self.setup("--test");
    const missing = COMMANDS.filter((command) => !inSbin(command));
    const list = /run again: (.*) \(/.exec(stderr)?.[1]?.split(", ");
    expect(list).toEqual([...missing, "python3's ensurepip"]);
  });

  test.each([
    ["linux", 10, "http_parser.h (Debian's names: libhttp-parser-dev)"],
    ["darwin", 0, ""],
  ])("the headers of the host build, which needs Linux: %s", (platform, expected, named) => {
    const self = machine(`data:text/javascript,
      import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module";
      const { existsSync } = fs;
      fs.existsSync = (path) => !path.endsWith("http_parser.h") && existsSync(path);
      syncBuiltinESMExports();
      Object.defineProperty(process, "platform", { value: "${platform}" });`);
    const { code, stderr } = self.setup();
    expect(code).toBe(expected);
    expect(stderr).toContain(named);
  });

  test("python3 is needed for the tests alone", () => {
    const self = machine();
    self.remove("python3");
    expect(self.setup().code).toBe(0);
    const { code, stderr } = self.setup("--test");
    expect(code).toBe(10);
    expect(stderr).toContain("(Debian's names: python3 python3-venv)");
  });

  test("apt as root: its packages, once each, without questions, without sudo", () => {
    const self = machine(ROOT_USER);
    self.remove("cmake", "ninja", "socat");
    addApt(self, ["cmake", "ninja", "socat"]);
    forbid(self, "sudo");
    const { code, stderr } = self.setup();
    expect(stderr).toContain("prov setup: installing with apt: cmake ninja-build socat\n");
    expect(code).toBe(0);
    expect(self.calls().slice(0, 2)).toEqual([UPDATE, `${INSTALL} cmake ninja-build socat`]);
  });

  test("apt as a plain user: through sudo", () => {
    const self = machine(PLAIN_USER);
    self.remove("cc");
    addApt(self, ["cc"]);
    self.add("sudo", 'exec "$@"');
    expect(self.setup().code).toBe(0);
    expect(self.calls().slice(0, 4)).toEqual([
      `sudo env DEBIAN_FRONTEND=noninteractive ${UPDATE}`,
      UPDATE,
      `sudo env DEBIAN_FRONTEND=noninteractive ${INSTALL} build-essential`,
      `${INSTALL} build-essential`,
    ]);
  });

  test("apt without root and sudo: the list, exit 10", () => {
    const self = machine(PLAIN_USER);
    self.remove("cc", "curl");
    addApt(self, []);
    const { code, stderr } = self.setup();
    expect(code).toBe(10);
    expect(stderr).toBe(
      "prov setup: these Debian packages are missing, and there is no sudo: build-essential curl\n",
    );
    expect(self.calls()).toEqual([]);
  });

  test("apt's failure is shown: exit 10", () => {
    const self = machine();
    self.remove("cmake");
    addApt(self, []);
    self.add("apt-get", `[ "$1" = update ] || { echo 'E: Unable to locate' >&2; exit 100; }`);
    const { code, stderr } = self.setup();
    expect(code).toBe(10);
    expect(stderr).toContain("E: Unable to locate");
    expect(stderr).toContain("cmake` failed: exit code 100");
  });

  test("an update that fails does not keep what is installable from being installed", () => {
    const self = machine();
    self.remove("cmake");
    addApt(self, ["cmake"]);
    const install = readFileSync(join(self.bin, "apt-get"), "utf8").replace("exit 0", "exit 100");
    writeFileSync(join(self.bin, "apt-get"), install, { mode: 0o755 });
    const { code, stderr } = self.setup();
    expect(stderr).toContain("apt-get update -q` failed: exit code 100");
    expect(code).toBe(0);
  });

  test("an installation that does not bring what it should: exit 10 naming it", () => {
    const self = machine();
    self.remove("cmake", "ninja");
    addApt(self, ["cmake"]);
    const { code, stderr } = self.setup();
    expect(code).toBe(10);
    expect(stderr).toContain("still missing after the installation: ninja");
  });

  test("what the suite can do without is installed for the tests alone", () => {
    const self = machine();
    self.remove(...OPTIONAL_COMMANDS);
    addApt(self, OPTIONAL_COMMANDS);
    expect(self.setup().code).toBe(0);
    expect(self.calls().filter((call) => call.startsWith("apt-get"))).toEqual([]);
    const { code, stderr } = self.setup("--test");
    expect(code).toBe(0);
    expect(stderr).not.toContain("without");
    expect(self.calls()).toContain(
      `${INSTALL} ccache gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf gnutls-bin libnss3-tools`,
    );
  });

  test("one that apt does not know does not take the others with it", () => {
    const self = machine();
    self.remove("ccache", "certtool", "certutil");
    const bring = (name: string): string =>
      `printf '#!/bin/sh\\n' > "${self.bin}/${name}"; /bin/chmod 755 "${self.bin}/${name}"`;
    addApt(self, []);
    self.add(
      "apt-get",
      `case "$*" in
      update*) ;;
      *gnutls-bin*) exit 100 ;;
      *ccache) ${bring("ccache")} ;;
      *libnss3-tools) ${bring("certutil")} ;;
      esac`,
    );
    const { code, stderr } = self.setup("--test");
    expect(code).toBe(0);
    expect(stderr.match(/ without .*/g)).toEqual([
      " without certtool the tests that need it are skipped",
    ]);
    expect(self.calls().filter((call) => call === UPDATE)).toHaveLength(1);
  });

  test.each([
    ["apt cannot install it", ROOT_USER, true],
    ["neither root nor sudo", PLAIN_USER, true],
    ["no apt", ROOT_USER, false],
  ])("what the suite can do without may be missing, with a line: %s", (_name, user, hasApt) => {
    const self = machine(user);
    self.remove(...OPTIONAL_COMMANDS);
    if (hasApt) self.add("apt-get", `[ "$1" = update ] || exit 100`);
    const { code, stderr } = self.setup("--test");
    expect(code).toBe(0);
    expect(stderr).toContain("prov setup: without ccache the tests take longer");
    expect(stderr).toContain(
      "prov setup: without riscv64-unknown-elf-gcc the tests that need it are skipped",
    );
  });

  test("brew, where there is no apt", () => {
    const self = machine(PLAIN_USER);
    self.remove("openssl", "mosquitto_sub");
    self.add(
      "brew",
      `for name in openssl mosquitto_sub; do printf '#!/bin/sh\\n' > "${self.bin}/$name"; /bin/chmod 755 "${self.bin}/$name"; done`,
    );
    expect(self.setup().code).toBe(0);
    expect(self.calls()[0]).toBe("brew install openssl@3 mosquitto");
  });
});

test("a Node that is too old is named, before anything else is done", () => {
  const self = machine();
  const script = join(self.root, "scripts", "setup.mjs");
  const old = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.18.3"}})`;
  const { status, stderr } = spawnSync(process.execPath, ["--import", old, script], {
    encoding: "utf8",
    env: { PATH: self.bin },
  });
  expect(status).toBe(10);
  expect(stderr).toBe("prov setup: Node 20.19 or newer is needed; this is 20.18.3\n");
  expect(self.calls()).toEqual([]);
});
