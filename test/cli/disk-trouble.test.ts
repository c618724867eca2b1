import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { FERN, projectWith, temporaryDir } from "../helpers/project.js";
import { MAIN, prov, run } from "../helpers/prov.js";
import { served } from "../helpers/served.js";

const MANIFEST = `import { defineDevice } from "prov";\nexport default ${FERN};\n`;
/** A mount namespace of its own; whoever is not root is root in a user namespace. */
const UNSHARE = ["unshare", ...(process.getuid?.() === 0 ? [] : ["--map-root-user"]), "--mount"];
const NO_SPACE = "no space left on the device (ENOSPC)";
const canMount =
  process.platform === "linux" &&
  spawnSync(UNSHARE[0] ?? "", [...UNSHARE.slice(1), "mount", "-t", "tmpfs", "none", "/mnt"])
    .status === 0;

/**
 * Runs prov on a file system of its own that holds a manifest.
 * @param prepare shell commands in its folder, after which it is as the test wants it
 */
async function onDisk(sizeKiB: number, prepare: string, ...args: readonly string[]) {
  const dir = temporaryDir();
  const script = [
    `mount -t tmpfs -o size=${sizeKiB}k none '${dir}' && cd '${dir}' || exit 99`,
    `printf '%s' "$MANIFEST" >device.config.ts`,
    prepare.replaceAll("prov ", `'${process.execPath}' '${MAIN}' `),
    `exec '${process.execPath}' '${MAIN}' ${args.join(" ")} --json`,
  ].join("\n");
  const env = [`MANIFEST=${MANIFEST}`, "NO_COLOR=1", "GITHUB_ACTIONS="];
  const { code, stdout } = await run("env", [...env, ...UNSHARE, "sh", "-c", script]);
  return { code, dir, error: JSON.parse(stdout).error };
}

const FILL = "cat /dev/zero >fill 2>/dev/null";
const READ_ONLY = "mount -o remount,ro .";

describe("a disk that is full or read-only", () => {
  beforeEach((context) => {
    if (!canMount) context.skip("no mount namespace can be had here");
  });

  test.each([
    ["keys", "mkdir .prov; echo '*' >.prov/.gitignore", "/.prov/devices/fern/identity/key.pem"],
    ["codegen", "prov keys >/dev/null 2>&1", "/.prov/devices/fern/config/device_keys.h"],
    ["build --target host", "prov codegen >/dev/null 2>&1", "/.prov/build/host.lock"],
    ["lab up", "mkdir .prov; echo '*' >.prov/.gitignore", "/.prov/lab/default/lab.lock"],
    ["run", "", "/.prov/.gitignore"],
  ])("full: %s names the file and the trouble, exit 10", async (command, before, file) => {
    const { code, dir, error } = await onDisk(256, `${before}\n${FILL}`, command);
    expect(code).toBe(10);
    expect(error).toMatchObject({
      code: "file_inaccessible",
      message: `${dir}${file}: ${NO_SPACE}`,
    });
    expect(error.hint).toContain("Free some space");
  });

  test.each([
    ["which CMake does not tell of", 200, /next to no space is left on the device: CMake Error/],
    ["which the compiler tells of", 500, /no space (is )?left on the device/],
  ])("full in the middle of a build, %s", async (_name, sizeKiB, says) => {
    const before = "prov codegen >/dev/null 2>&1";
    const { code, error } = await onDisk(sizeKiB, before, "build", "--target", "host");
    expect(code, error.message).toBe(10);
    expect(error.code).toBe("file_inaccessible");
    expect(error.message).toMatch(/^cmake failed: /);
    expect(error.message).toMatch(says);
  });

  test("full: the log that prov monitor was to keep", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).write("line\r\n"));
    const port = `socket://127.0.0.1:${await served(server)}`;
    const args = ["monitor", "--port", port, "--log", "m.log", "--timeout", "20"];
    const { code, error } = await onDisk(64, FILL, ...args);
    expect(code).toBe(10);
    expect(error.message).toBe(`m.log: ${NO_SPACE}`);
  });

  // Node's own way of making several folders at once calls it "no such file".
  test.each([
    ["keys", "/.prov/devices/fern/identity/key.pem"],
    ["codegen", "/.prov/devices/fern/identity/key.pem"],
    ["lab up", "/.prov"],
    ["run", "/.prov"],
    ["monitor --port socket://127.0.0.1:9 --log m.log", "m.log"],
    ["run --junit reports/r.xml", "reports/r.xml"],
  ])("read-only: %s says so, exit 10", async (command, file) => {
    const { code, dir, error } = await onDisk(256, READ_ONLY, command);
    expect(code).toBe(10);
    expect(error.code).toBe("file_inaccessible");
    const path = file.startsWith("/") ? `${dir}${file}` : file;
    expect(error.message).toBe(`${path}: the file system is read-only (EROFS)`);
  });
});

describe.skipIf(process.platform !== "linux")("a report that cannot be written", () => {
  test("of a run that failed: a warning beside its own error", async () => {
    const cwd = projectWith(FERN);
    writeFileSync(join(cwd, ".prov"), "in the way");
    const { code, stderr } = await prov(["run", "--junit", "/dev/full"], { cwd });
    expect(code).toBe(10);
    expect(stderr).toContain(`! no JUnit report: /dev/full: ${NO_SPACE}`);
    expect(stderr).toContain("error file_inaccessible: ");
  });
});

describe.skipIf(process.platform !== "linux")("a folder that must not be written to", () => {
  /** Root may write everywhere, unless it gives that away. */
  const PLAIN =
    process.getuid?.() === 0
      ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
      : ["env"];

  test.each(["keys", "lab up"])("%s: permission denied, exit 10", async (command) => {
    const dir = projectWith(FERN);
    chmodSync(dir, 0o555);
    const [program = "", ...before] = PLAIN;
    const args = [process.execPath, MAIN, ...command.split(" "), "--json"];
    const config = ["--config", join(dir, "device.config.ts")];
    const { code, stdout } = await run(program, [...before, ...args, ...config]);
    chmodSync(dir, 0o755);
    expect(code, stdout).toBe(10);
    const { error } = JSON.parse(stdout);
    expect(error.code).toBe("file_inaccessible");
    expect(error.message).toMatch(/permission denied \(EACCES\)$/);
  });
});
