import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { idfStandIn } from "../helpers/idf.js";
import { FERN, projectWith, temporaryDir } from "../helpers/project.js";
import { MAIN, prov, run } from "../helpers/prov.js";
import { AT_TERMINAL, atTerminal, ESCAPE, PROV } from "../helpers/terminal.js";

describe("the streams", () => {
  test("results on stdout, progress and warnings on stderr", async () => {
    const cwd = projectWith(FERN);
    const { stdout, stderr } = await prov(["build"], { cwd, env: { IDF_PATH: idfStandIn().path } });
    expect(stdout.split("\n")).toHaveLength(3);
    expect(stdout).toContain("flasher_args.json");
    expect(stderr).toMatch(/^✓ build esp32c3 \d+\.\d s$/m);
    expect(stderr).toContain("! backend.url is still a placeholder");
  });

  test("--json: one document on stdout, ended by a line break", async () => {
    const cwd = projectWith(FERN);
    for (const args of [["keys"], ["codegen"], ["codegen", "--check"]]) {
      const { stdout } = await prov([...args, "--json"], { cwd });
      expect(stdout.indexOf("\n")).toBe(stdout.length - 1);
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, device: "fern" });
    }
  });

  test("--quiet leaves results and warnings", async () => {
    const cwd = projectWith(FERN);
    expect(await prov(["keys", "--quiet"], { cwd })).toMatchObject({ code: 0, stderr: "" });
    const { stdout, stderr } = await prov(["codegen", "--quiet"], { cwd });
    expect(stdout).toContain("device_keys.h");
    expect(stderr.trimEnd().split("\n")).toHaveLength(3);
    expect(stderr).toMatch(/^(?:! .*\n){3}$/);
  });

  test("--quiet does not hide an error", async () => {
    const { code, stderr } = await prov(["keys", "--quiet"], { cwd: temporaryDir() });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error manifest_not_found: .*\nnext: .*\n$/);
  });

  test("--verbose adds the cause of an error", async () => {
    const cwd = projectWith(`(() => { throw new Error("no such plant"); })()`);
    const short = await prov(["keys"], { cwd });
    const long = await prov(["keys", "--verbose"], { cwd });
    expect(short.stderr).not.toContain("cause:");
    expect(long.stderr).toContain("cause: Error: no such plant");
    expect(long.code).toBe(3);
  });

  test("a file that cannot be written: exit 10, not a bug", async () => {
    const cwd = projectWith(FERN);
    writeFileSync(join(cwd, ".prov"), "in the way");
    const { code, stderr } = await prov(["keys"], { cwd });
    expect(code).toBe(10);
    expect(stderr).toContain("error file_inaccessible");
  });

  test("a reader that goes away does not bring a stack trace", async () => {
    const cwd = projectWith(FERN);
    const command = `cd '${cwd}' && ${PROV} keys 2>errors | true; cat errors`;
    const { stdout } = await run("sh", ["-c", command]);
    expect(stdout).toMatch(/^✓ key and CSR of fern/);
    expect(stdout).not.toMatch(/EPIPE|^\s+at /m);
  });
});

describe("colour and movement", () => {
  const failing = `${PROV} keys --config no-such-file.ts`;

  test("a terminal gets them", async () => {
    const { code, stdout } = await atTerminal(failing);
    expect(code).toBe(3);
    expect(stdout).toContain(`${ESCAPE}[31merror manifest_not_found${ESCAPE}[39m`);
  });

  test.each([
    ["NO_COLOR", { NO_COLOR: "1" }, ""],
    ["--no-color", {}, " --no-color"],
  ])("%s at a terminal: no escape code", async (_name, env, flag) => {
    const { code, stdout } = await atTerminal(failing + flag, env);
    expect(code).toBe(3);
    expect(stdout).toContain("error manifest_not_found");
    expect(stdout).not.toContain(ESCAPE);
  });

  test("--no-color holds for an error in the arguments too", async () => {
    const { code, stdout } = await atTerminal(`${PROV} keys --explode --no-color`);
    expect(code).toBe(2);
    expect(stdout).not.toContain(ESCAPE);
  });

  test("TERM=dumb: neither colour nor movement, FORCE_COLOR or not", async () => {
    const cwd = projectWith(FERN);
    const command = `cd '${cwd}' && ${PROV} build`;
    const plain = await atTerminal(command, { TERM: "dumb", IDF_PATH: idfStandIn().path });
    expect(plain.code).toBe(0);
    expect(plain.stdout).toMatch(/^✓ build esp32c3 \d+\.\d s\r?$/m);
    expect(plain.stdout).not.toContain(ESCAPE);
    const forced = await atTerminal(command, {
      TERM: "dumb",
      FORCE_COLOR: "1",
      IDF_PATH: idfStandIn().path,
    });
    expect(forced.stdout).toContain(`${ESCAPE}[32m✓${ESCAPE}[39m build esp32c3`);
    expect(forced.stdout).not.toMatch(new RegExp(`${ESCAPE}(?!\\[\\d+m)`));
  });

  test("FORCE_COLOR: colour without a terminal, on both streams; 0 and --no-color are stronger", async () => {
    const failing = ["keys", "--config", "no-such-file.ts"];
    const stderrOf = async (env: Record<string, string>, ...flags: string[]) =>
      (await prov([...failing, ...flags], { cwd: temporaryDir(), env })).stderr;
    for (const level of ["1", "2", "3"])
      for (const none of ["", "1"]) {
        const stderr = await stderrOf({ FORCE_COLOR: level, NO_COLOR: none });
        expect(stderr).toMatch(new RegExp(`^${ESCAPE}\\[31merror manifest_not_found`));
      }
    expect(await stderrOf({ FORCE_COLOR: "0", NO_COLOR: "" })).not.toContain(ESCAPE);
    expect(await stderrOf({ FORCE_COLOR: "1", NO_COLOR: "" }, "--no-color")).toMatch(/^error /);
    const doctor = await prov(["doctor"], { env: { FORCE_COLOR: "1", NO_COLOR: "" } });
    expect(doctor.stdout).toContain(`${ESCAPE}[32mok${ESCAPE}[39m`);
    const json = await prov([...failing, "--json"], { env: { FORCE_COLOR: "1", NO_COLOR: "" } });
    expect(json.stdout).not.toContain(ESCAPE);
  });

  test("no terminal: no escape code", async () => {
    const cwd = projectWith(FERN);
    const env = { NO_COLOR: "", TERM: "xterm", IDF_PATH: idfStandIn().path };
    for (const args of [["build"], ["keys", "--config", "no-such-file.ts"], ["--help"]]) {
      const { stdout, stderr } = await prov(args, { cwd, env });
      expect(stdout + stderr).not.toContain(ESCAPE);
    }
  });

  test("stdout in a file stays plain though stderr is a terminal", async () => {
    const cwd = projectWith(FERN);
    mkdirSync(join(cwd, "out"));
    const { stdout } = await atTerminal(
      `cd '${cwd}' && ${PROV} doctor >out/report; ${PROV} keys --explode`,
    );
    const report = readFileSync(join(cwd, "out", "report"), "utf8");
    expect(report).toContain("CHECK");
    expect(report).not.toContain(ESCAPE);
    expect(stdout).toContain(ESCAPE);
  });

  test.each(["80", "0"])("a terminal %s columns wide sees the work end", async (columns) => {
    const cwd = projectWith(FERN);
    const command = [process.execPath, MAIN, "build", "--config", join(cwd, "device.config.ts")];
    const { code, stdout } = await run("env", [
      ...["-u", "NO_COLOR", "TERM=xterm", `IDF_PATH=${idfStandIn().path}`],
      ...["python3", AT_TERMINAL, columns, ...command],
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("build esp32c3");
    expect(stdout).toContain("flasher_args.json");
  });

  test("--json at a terminal: no spinner, no escape code on stdout", async () => {
    const cwd = projectWith(FERN);
    const { code } = await atTerminal(`cd '${cwd}' && ${PROV} keys --json >document`);
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(join(cwd, "document"), "utf8"))).toMatchObject({ ok: true });
  });
});

describe("on GitHub Actions", () => {
  test("an error is an annotation too, on one line, beside the usual text", async () => {
    const cwd = projectWith(`{ id: "50 %", colour: "red" }`);
    const { code, stdout, stderr } = await prov(["keys"], { cwd, env: { GITHUB_ACTIONS: "true" } });
    expect(code).toBe(3);
    expect(stdout).toBe("");
    const [annotation = "", ...rest] = stderr.split("\n");
    expect(annotation).toMatch(/^::error title=prov manifest_invalid::/);
    expect(annotation).toContain("is not valid:%0A  ");
    expect(annotation).toContain('"50 %25"');
    expect(annotation).toContain("%0Anext: Mend the fields");
    expect(rest[0]).toMatch(/^error manifest_invalid: /);
  });

  test("--json keeps stdout for the document", async () => {
    const { stdout, stderr } = await prov(["keys", "--json"], {
      cwd: temporaryDir(),
      env: { GITHUB_ACTIONS: "true" },
    });
    expect(stderr).toMatch(/^::error title=prov manifest_not_found::.*\n$/);
    expect(JSON.parse(stdout).ok).toBe(false);
  });

  test("elsewhere there is none", async () => {
    const { stderr } = await prov(["keys"], { cwd: temporaryDir() });
    expect(stderr).not.toContain("::error");
  });
});
