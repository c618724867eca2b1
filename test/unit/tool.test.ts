import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ProvError } from "../../cli/errors.js";
import { runTool, type ToolRun } from "../../cli/processes/tool.js";
import { running } from "../helpers/idf.js";
import { temporaryDir } from "../helpers/project.js";

const node = (script: string, ...args: string[]): Pick<ToolRun, "command" | "args"> => ({
  command: process.execPath,
  args: ["-e", script, ...args],
});

const here = { cwd: "/", signal: new AbortController().signal };

describe("a tool that runs", () => {
  test("gives its lines in order, stdout and stderr in one, and its exit code", async () => {
    const script =
      "console.log('one'); console.error('two'); console.log('three'); process.exit(7)";
    const seen: string[] = [];
    const outcome = await runTool({ ...here, ...node(script), onLine: (line) => seen.push(line) });
    expect(outcome).toEqual({ exitCode: 7, lines: ["one", "two", "three"] });
    expect(seen).toEqual(outcome.lines);
  });

  test("a last line without its end counts, and so does none at all", async () => {
    expect((await runTool({ ...here, ...node("process.stdout.write('a\\nb')") })).lines).toEqual([
      "a",
      "b",
    ]);
    expect((await runTool({ ...here, command: "true", args: [] })).lines).toEqual([]);
  });

  test("arguments arrive as they are, whatever a shell would make of them", async () => {
    const args = ["two words", "$HOME", "`id`", "a'b\"c", "*", "", "x;exit 9", "-n", "ü"];
    const script = "console.log(JSON.stringify(process.argv.slice(1)))";
    const { lines } = await runTool({ ...here, ...node(script, "--", ...args) });
    expect(JSON.parse(lines[0] ?? "")).toEqual(args);
  });

  test("works in the folder that is named", async () => {
    const cwd = temporaryDir();
    const { lines } = await runTool({ ...here, cwd, command: "pwd", args: ["-P"] });
    expect(lines).toEqual([cwd]);
  });

  test("has no stdin to wait on", async () => {
    expect((await runTool({ ...here, command: "cat", args: [] })).exitCode).toBe(0);
  });

  test("gets the environment without prov's secrets", async () => {
    process.env.PROV_TOKEN = "secret-token";
    try {
      const script = "console.log(JSON.stringify(process.env))";
      const { lines } = await runTool({ ...here, ...node(script), env: { PLANT: "fern" } });
      const env = JSON.parse(lines[0] ?? "");
      expect(env).toMatchObject({ PLANT: "fern", PATH: process.env.PATH });
      expect(lines[0]).not.toContain("secret-token");
    } finally {
      delete process.env.PROV_TOKEN;
    }
  });

  test("of many lines the last ones are kept", async () => {
    const { lines } = await runTool({ ...here, command: "seq", args: ["30000"] });
    expect(lines).toHaveLength(20_000);
    expect(lines.at(-1)).toBe("30000");
  });
});

describe("a tool that is not there", () => {
  test("tool_missing names it", async () => {
    const run = runTool({ ...here, command: "no-such-tool", args: [] });
    await expect(run).rejects.toMatchObject({
      code: "tool_missing",
      message: "no-such-tool is not installed or not on the PATH",
    });
  });

  test("127 as a tool's own exit code is something else", async () => {
    expect((await runTool({ ...here, ...node("process.exit(127)") })).exitCode).toBe(127);
  });
});

describe("a script to source first", () => {
  function script(text: string): string {
    const path = join(temporaryDir(), "export it.sh");
    writeFileSync(path, text);
    return path;
  }

  test("changes the tool's PATH and variables", async () => {
    const source = script('export PLANT=fern PATH="$(dirname "$BASH_SOURCE"):$PATH"\n');
    const tool = join(source, "..", "fern-tool");
    writeFileSync(tool, '#!/bin/sh\necho "$PLANT $1"\n');
    chmodSync(tool, 0o755);
    const { lines } = await runTool({ ...here, command: "fern-tool", args: ["leaf"], source });
    expect(lines).toEqual(["fern leaf"]);
  });

  test("may read unset variables and have commands that fail", async () => {
    const source = script(
      'false; [ -n "$NEVER_SET" ] && echo set; false | true; export PLANT=moss\n',
    );
    const { lines } = await runTool({ ...here, ...node("console.log(process.env.PLANT)"), source });
    expect(lines).toEqual(["moss"]);
  });

  test.each([
    ["fails", "echo 'run install.sh first' >&2; return 1\n", "run install.sh first"],
    ["is not there", undefined, "No such file"],
  ])(
    "that %s: tool_missing with its last words, and the tool is not started",
    async (_name, text, says) => {
      const mark = join(temporaryDir(), "mark");
      const source = text === undefined ? "/no/such/export.sh" : script(text);
      const run = runTool({ ...here, command: "touch", args: [mark], source });
      const error: unknown = await run.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "tool_missing" });
      expect(String(error)).toContain(source);
      expect(String(error)).toContain(says);
      expect(existsSync(mark)).toBe(false);
    },
  );
});

describe("an interruption", () => {
  const interrupted = new ProvError("interrupted", "interrupted");

  test("before the start starts nothing", async () => {
    const mark = join(temporaryDir(), "mark");
    const signal = AbortSignal.abort(interrupted);
    await expect(runTool({ ...here, command: "touch", args: [mark], signal })).rejects.toBe(
      interrupted,
    );
    expect(existsSync(mark)).toBe(false);
  });

  /** Starts `script`, aborts once it says "up", and returns the processes that it listed in its file. */
  async function abortWhenUp(script: string): Promise<number[]> {
    const file = join(temporaryDir(), "pids");
    const stop = new AbortController();
    const run = runTool({
      ...here,
      ...node(script, file),
      signal: stop.signal,
      onLine: (line) => {
        if (line === "up") stop.abort(interrupted);
      },
    });
    await expect(run).rejects.toBe(interrupted);
    return JSON.parse(readFileSync(file, "utf8"));
  }

  const WAIT = "setInterval(() => {}, 1e6)";

  test("ends the tool and what it started, with the reason of the abort", async () => {
    const pids = await abortWhenUp(`
      const child = require("node:child_process").spawn(process.execPath, ["-e", "${WAIT}"], { stdio: "inherit" });
      require("node:fs").writeFileSync(process.argv[1], JSON.stringify([process.pid, child.pid]));
      console.log("up"); ${WAIT}`);
    expect(pids).toHaveLength(2);
    await expect.poll(() => running(pids)).toEqual([]);
  });

  test("also reaches a straggler that closed its output and ignores SIGTERM", async () => {
    const deaf = `process.on("SIGTERM", () => {}); process.send("deaf"); process.disconnect(); ${WAIT}`;
    const pids = await abortWhenUp(`
      const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(deaf)}], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
      require("node:fs").writeFileSync(process.argv[1], JSON.stringify([process.pid, child.pid]));
      child.once("message", () => console.log("up")); ${WAIT}`);
    expect(pids).toHaveLength(2);
    await expect.poll(() => running(pids)).toEqual([]);
  });

  test("a listener that throws ends the tool too", async () => {
    const file = join(temporaryDir(), "pids");
    const script = `require("node:fs").writeFileSync(process.argv[1], JSON.stringify([process.pid])); console.log("up"); ${WAIT}`;
    const run = runTool({
      ...here,
      ...node(script, file),
      onLine: () => {
        throw new Error("of the listener");
      },
    });
    await expect(run).rejects.toThrow("of the listener");
    await expect.poll(() => running(JSON.parse(readFileSync(file, "utf8")))).toEqual([]);
  });
});
