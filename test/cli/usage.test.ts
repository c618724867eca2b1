import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDir } from "../helpers/project.js";
import { prov, REPOSITORY } from "../helpers/prov.js";

const COMMANDS =
  "keys codegen build flash monitor ports scan provision status reset run lab doctor".split(" ");

const dir = temporaryDir();
const here = { cwd: dir };

describe("help and version", () => {
  test("--help names every command on stdout and ends with 0", async () => {
    const { code, stdout, stderr } = await prov(["--help"], here);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
  });

  test.each(COMMANDS)("%s --help shows its own and the global options", async (command) => {
    const { code, stdout, stderr } = await prov([command, "--help"], here);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toContain(`Usage: prov ${command}`);
    expect(stdout).toContain("--config <file>");
    expect(stdout).toContain("--json");
  });

  test("--version prints the version of package.json", async () => {
    const { version } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));
    const { code, stdout } = await prov(["--version"], here);
    expect(code).toBe(0);
    expect(stdout).toBe(`${version}\n`);
  });
});

const MISUSES: readonly (readonly [name: string, args: readonly string[], says: string])[] = [
  ["no command", [], "no command given"],
  ["an unknown command", ["explode"], "unknown command 'explode'"],
  ["a misspelt command", ["buid"], "(Did you mean build?)"],
  ["an unknown command of help", ["help", "explode"], "unknown command 'explode'"],
  ["lab without a command", ["lab"], "no command given"],
  ["an unknown command of lab", ["lab", "explode"], "unknown command 'explode'"],
  ["an unknown option", ["keys", "--explode"], "unknown option '--explode'"],
  ["a misspelt option", ["keys", "--forse"], "(Did you mean --force?)"],
  ["an option without its value", ["keys", "--config"], "argument missing"],
  ["a missing argument", ["lab", "token"], "missing required argument 'device'"],
  ["an argument too many", ["keys", "extra"], "too many arguments"],
  ["a word that is no number", ["flash", "--baud", "fast"], "not a positive whole number"],
  ["a value out of its choices", ["provision", "--wait", "tea"], "Allowed choices"],
  ["a negative time", ["provision", "--timeout", "-1"], "not a number of seconds"],
  ["a lab's name that leads elsewhere", ["lab", "up", "--name", "../../esc"], "1 to 64 of A-Z"],
  ["an empty lab's name", ["lab", "token", "--name", "", "fern"], "1 to 64 of A-Z"],
  ["a long lab's name", ["lab", "info", "--name", "n".repeat(65)], "1 to 64 of A-Z"],
  ["a lab's name with a slash", ["lab", "board", "--name", "a/b", "on"], "1 to 64 of A-Z"],
  ["a name of a lab to use", ["status", "--lab", "../x"], "1 to 64 of A-Z"],
  ["a name of a lab to provision in", ["provision", "--lab", ""], "1 to 64 of A-Z"],
  ["a name of a lab to check", ["doctor", "--lab=.."], "1 to 64 of A-Z"],
  ["all boards and one", ["flash", "--all", "--port", "/dev/ttyACM0"], "--all and --port"],
];

describe("a wrong command line", () => {
  test.each(MISUSES)("%s: exit 2, what and what next on stderr", async (_name, args, says) => {
    const { code, stdout, stderr } = await prov(args, here);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    const [error, next, ...more] = stderr.trimEnd().split("\n");
    expect(error).toMatch(/^error usage: /);
    expect(error).toContain(says);
    expect(next).toMatch(/^next: .*prov --help/);
    expect(more).toEqual([]);
  });

  test.each(MISUSES)("%s with --json: one document on stdout alone", async (_name, args, says) => {
    // Before the arguments, where `keys --config` cannot take it for its value.
    const { code, stdout, stderr } = await prov(["--json", ...args], here);
    expect(code).toBe(2);
    expect(stderr).toBe("");
    expect(stdout.endsWith("}\n")).toBe(true);
    const { ok, error } = JSON.parse(stdout);
    expect(ok).toBe(false);
    expect(Object.keys(error)).toEqual(["code", "stage", "message", "hint"]);
    expect(error).toMatchObject({ code: "usage", stage: "usage" });
    expect(error.message).toContain(says);
  });
});
