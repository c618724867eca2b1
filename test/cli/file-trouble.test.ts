import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FERN, projectWith, temporaryDir } from "../helpers/project.js";
import { MAIN, prov, run } from "../helpers/prov.js";

const FLASHABLE =
  'defineDevice({ id: "fern", backend: { url: "https://a.example" }, mqtt: { uri: "mqtts://b.example:8883" } })';

function errorOf(stdout: string): unknown {
  return JSON.parse(stdout).error;
}

describe("what a machine does not allow is no bug of prov", () => {
  test.each(["lab up", "run", "build", "keys"])("`.prov` is a file: %s", async (command) => {
    const cwd = projectWith(FERN);
    writeFileSync(join(cwd, ".prov"), "in the way");
    const { code, stdout } = await prov([...command.split(" "), "--json"], { cwd });
    expect(code).toBe(10);
    expect(errorOf(stdout)).toMatchObject({
      code: "file_inaccessible",
      message: expect.stringContaining(join(cwd, ".prov")),
    });
  });

  test.each(["/etc/passwd", "/dev/null", "/tmp"])("%s is no serial port", async (path) => {
    const cwd = projectWith(FERN);
    const { code, stdout } = await prov(["monitor", "--port", path, "--json"], { cwd });
    expect(code).toBe(5);
    expect(errorOf(stdout)).toMatchObject({
      code: "port_not_found",
      message: `${path} is no serial port`,
      hint: "`prov ports` lists what is connected.",
    });
  });

  test("no image to flash: said once, before any port is looked for", async () => {
    const cwd = projectWith(FLASHABLE);
    for (const ports of [[], ["--port", "/dev/nope1", "--port", "/dev/nope2"]]) {
      const { code, stderr } = await prov(["flash", ...ports], { cwd });
      expect(code).toBe(4);
      expect(stderr.match(/there is no .*flasher_args\.json/g)).toHaveLength(1);
      expect(stderr).not.toContain("/dev/nope");
    }
  });

  test("the JSON document, the JUnit report and its stages say the same", async () => {
    const cwd = projectWith(FERN);
    writeFileSync(join(cwd, ".prov"), "in the way");
    const { stdout } = await prov(["run", "--json", "--junit", "run.xml"], { cwd });
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ device: "fern", error: { code: "file_inaccessible" } });
    const report = readFileSync(join(cwd, "run.xml"), "utf8");
    expect(report).toContain('<failure type="file_inaccessible"');
    expect(report).toContain(document.error.message);
  });

  test.each(["lab up", "reset --scope all --port /dev/null"])(
    "no such TMPDIR: %s",
    async (args) => {
      const cwd = projectWith(FERN);
      const { code, stdout } = await prov([...args.split(" "), "--json"], {
        cwd,
        env: { TMPDIR: join(cwd, "nowhere") },
      });
      expect(code).toBe(10);
      expect(errorOf(stdout)).toMatchObject({
        code: "file_inaccessible",
        message: expect.stringMatching(/nowhere.*no such file or folder \(ENOENT\)/),
        hint: expect.stringContaining("TMPDIR"),
      });
    },
  );

  test("a working directory that was deleted", async () => {
    const dir = join(temporaryDir(), "gone");
    mkdirSync(dir);
    const command = `cd '${dir}' && rmdir '${dir}' && exec '${process.execPath}' '${MAIN}' keys --json`;
    const { code, stdout } = await run("sh", ["-c", command]);
    expect(code).toBe(10);
    expect(errorOf(stdout)).toMatchObject({ code: "file_inaccessible" });
  });
});

describe.skipIf(process.platform !== "linux")("a result that cannot be written", () => {
  async function onFullDisk(args: string): Promise<{ code: number | null; stderr: string }> {
    const cwd = projectWith(FERN);
    const command = `cd '${cwd}' && exec '${process.execPath}' '${MAIN}' ${args} >/dev/full`;
    return run("sh", ["-c", command]);
  }

  test.each(["keys", "keys --json", "keys --quiet", "--help"])(
    "%s: exit 10, and stderr says why",
    async (args) => {
      const { code, stderr } = await onFullDisk(args);
      expect(code).toBe(10);
      expect(stderr).toContain(
        "error file_inaccessible: stdout cannot be written: no space left on the device (ENOSPC)",
      );
    },
  );

  test("of a command that failed: its own exit code", async () => {
    const { code, stderr } = await onFullDisk("keys --json --config nowhere.ts");
    expect(code).toBe(3);
    expect(stderr).toContain("error file_inaccessible: stdout cannot be written");
  });
});
