import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FERN, projectWith } from "../helpers/project.js";
import { MAIN, prov, run } from "../helpers/prov.js";
import { AT_TERMINAL, atTerminal, ESCAPE, PROV } from "../helpers/terminal.js";

describe("the prompt for a password", () => {
  const BOARD = [
    ...["--ssid", "Home", "--url", "http://127.0.0.1:9", "--timeout", "1"],
    ...["--token", "one-time"],
  ];
  /** What `prov provision` shows at a terminal on which nobody types but after `when`. */
  const provisionAtTerminal = (type: readonly string[], ...more: string[]) => {
    const config = join(projectWith(FERN), "device.config.ts");
    return run("env", [
      ...["-u", "PROV_WIFI_PASSWORD", "python3", AT_TERMINAL, "80", ...type],
      ...[process.execPath, MAIN, "provision", ...BOARD, "--config", config, ...more],
    ]);
  };

  test("Ctrl-C: exit 130", async () => {
    const type = ["--when", "WiFi password", "--type", "\\x03"];
    const { code, stdout } = await provisionAtTerminal(type);
    expect(stdout).toContain("error interrupted");
    expect(code).toBe(130);
  });

  test("asks for the token too, and does not show it", async () => {
    const config = join(projectWith(FERN), "device.config.ts");
    const board = BOARD.slice(0, BOARD.indexOf("--token"));
    const { code, stdout } = await run("env", [
      ...["-u", "PROV_TOKEN", "PROV_WIFI_PASSWORD=hunter22"],
      ...["python3", AT_TERMINAL, "80", "--when", "provisioning token", "--type", "typed-token\\r"],
      ...[process.execPath, MAIN, "provision", ...board, "--config", config],
    ]);
    expect(code, stdout).toBe(6);
    expect(stdout).not.toContain("typed-token");
  });

  test("what is typed is judged before anything is touched", async () => {
    const type = ["--when", "WiFi password", "--type", "short\\r"];
    const { code, stdout } = await provisionAtTerminal(type);
    expect(code).toBe(2);
    expect(stdout).toContain("the WiFi password has 5 bytes");
  });

  test("what is typed is not shown", async () => {
    const type = ["--when", "WiFi password", "--type", "typed-secret\\r"];
    const { code, stdout } = await provisionAtTerminal(type);
    // It went on to the board, which is not there.
    expect(code).toBe(6);
    expect(stdout).not.toContain("typed-secret");
  });

  test("at TERM=dumb the question is plain, and what is typed is not shown", async () => {
    const config = join(projectWith(FERN), "device.config.ts");
    const type = ["--when", "WiFi password: ", "--type", "typed-secret\\r"];
    const { code, stdout } = await run("env", [
      ...["-u", "PROV_WIFI_PASSWORD", "-u", "FORCE_COLOR", "TERM=dumb"],
      ...["python3", AT_TERMINAL, "80", ...type],
      ...[process.execPath, MAIN, "provision", ...BOARD, "--config", config],
    ]);
    expect(code, stdout).toBe(6);
    expect(stdout).toContain("WiFi password: ");
    expect(stdout).not.toContain("typed-secret");
    expect(stdout).not.toContain(ESCAPE);
    const interrupted = await run("env", [
      ...["-u", "PROV_WIFI_PASSWORD", "-u", "FORCE_COLOR", "TERM=dumb"],
      ...["python3", AT_TERMINAL, "80", "--when", "WiFi password: ", "--type", "\\x03"],
      ...[process.execPath, MAIN, "provision", ...BOARD, "--config", config],
    ]);
    expect(interrupted.code).toBe(130);
  });

  test("--no-input at a terminal: exit 2 and where else it may come from", async () => {
    const { code, stdout } = await provisionAtTerminal([], "--no-input");
    expect(code).toBe(2);
    expect(stdout).toContain("PROV_WIFI_PASSWORD");
  });

  test("no terminal: nobody is asked, exit 2", async () => {
    const { code, stderr } = await prov(["provision", ...BOARD], {
      cwd: projectWith(FERN),
      env: { PROV_WIFI_PASSWORD: "" },
    });
    expect(code).toBe(2);
    expect(stderr).toContain("error input_missing: no WiFi password given");
  });
});

describe("a terminal of 60 columns", () => {
  test.each(["", "run", "flash", "provision", "lab up"])(
    "shows the help of prov %s",
    async (name) => {
      const { stdout } = await atTerminal(`${PROV} ${name} --help`, {}, 60);
      const lines = stdout.split("\r\n");
      expect(stdout).toContain("-h, --help");
      expect(lines.filter((line) => line.length > 60)).toEqual([]);
      expect(stdout).not.toContain("default: []");
    },
  );

  test("shows errors and tables without a word that is broken", async () => {
    const cwd = projectWith(FERN);
    const prefix = `cd '${cwd}' && ${PROV} --no-color`;
    const failed = await atTerminal(`${prefix} flash --port /dev/none`, {}, 60);
    const lines = failed.stdout.split("\r\n");
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
    const { stdout } = await atTerminal(`${prefix} doctor`, {}, 60);
    const [table = ""] = stdout.split("To mend:");
    expect(table).toMatch(/^ +CHECK +FOUND/);
    expect(table.split("\r\n").filter((line) => line.length > 60)).toEqual([]);
  });
});
