import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { ProvError } from "../../cli/errors.js";
import { toStageError } from "../../cli/flow/stage-error.js";
import { readVersion } from "../../cli/paths.js";
import { toProvError, withDetails } from "../../cli/system-error.js";
import { createOutput, type OutputOptions } from "../../cli/terminal/output.js";
import { asTask } from "../../cli/terminal/progress.js";

const ESCAPE = "\u001b";

async function recorder(options: Partial<OutputOptions> = {}) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const out = await createOutput({
    json: false,
    quiet: false,
    verbose: false,
    color: { stderr: false, stdout: false },
    movement: true,
    annotate: false,
    stdout,
    stderr,
    ...options,
  });
  const drain = (stream: PassThrough): string => String(stream.read() ?? "");
  return { out, stdout: () => drain(stdout), stderr: () => drain(stderr) };
}

const failure = new ProvError("build_failed", "idf.py failed", {
  hint: "Mend it.",
  cause: new Error("line 1\nline 2"),
});

describe("a result", () => {
  const result = { json: { device: "fern" }, text: "fern is online" };

  test("is text for people", async () => {
    const { out, stdout, stderr } = await recorder();
    out.result(result);
    expect(stdout()).toBe("fern is online\n");
    expect(stderr()).toBe("");
  });

  test("is one document with --json", async () => {
    const { out, stdout } = await recorder({ json: true });
    out.result(result);
    expect(stdout()).toBe(`{"ok":true,"version":"${readVersion()}","device":"fern"}\n`);
  });

  test("without text prints nothing", async () => {
    const { out, stdout } = await recorder();
    out.result({ json: {}, text: "" });
    expect(stdout()).toBe("");
  });

  test("keeps its colour only where stdout gets any", async () => {
    for (const isTTY of [true, false]) {
      const stdout = new PassThrough();
      const { out } = await recorder({ color: { stderr: true, stdout: isTTY }, stdout });
      const text = out.paint("red", "FAIL");
      out.result({ json: {}, text });
      out.print(text);
      const line = isTTY ? `${ESCAPE}[31mFAIL${ESCAPE}[39m\n` : "FAIL\n";
      expect(String(stdout.read())).toBe(line + line);
    }
  });
});

describe("a document", () => {
  const fields = {
    keyPath: "/srv/keyPath",
    boards: [{ writeMs: 7, regions: [{ name: "flasherArgs", eraseBytes: null }] }],
    attempt_id: "aB",
    mqtt: { topic: "devices/fern/status", payload: { bootCount: 3, nested: { upTime: 1 } } },
  };

  test("has snake_case keys at every depth, values and the device's own message as they are", async () => {
    const snake = {
      key_path: "/srv/keyPath",
      boards: [{ write_ms: 7, regions: [{ name: "flasherArgs", erase_bytes: null }] }],
      attempt_id: "aB",
      mqtt: { topic: "devices/fern/status", payload: { bootCount: 3, nested: { upTime: 1 } } },
    };
    const { out, stdout } = await recorder({ json: true });
    out.result({ json: fields, text: "" });
    expect(JSON.parse(stdout())).toEqual({ ok: true, version: readVersion(), ...snake });
    out.document(fields);
    expect(JSON.parse(stdout())).toEqual({ ok: true, version: readVersion(), ...snake });
    out.error(new ProvError("flash_rejected", "no", { details: fields }));
    expect(JSON.parse(stdout())).toMatchObject({ ok: false, version: readVersion(), ...snake });
  });
});

describe("an error", () => {
  test("says what, why and what next, on stderr", async () => {
    const { out, stdout, stderr } = await recorder();
    out.error(failure);
    expect(stdout()).toBe("");
    expect(stderr()).toBe("error build_failed: idf.py failed\nnext: Mend it.\n");
  });

  test("is a document of fixed shape with --json; its cause stays out", async () => {
    const { out, stdout, stderr } = await recorder({ json: true, verbose: true });
    out.error(failure);
    expect(JSON.parse(stdout())).toEqual({
      ok: false,
      version: readVersion(),
      error: { code: "build_failed", stage: "build", message: "idf.py failed", hint: "Mend it." },
    });
    expect(stderr()).toBe("");
  });

  test("shows its cause with --verbose", async () => {
    const { out, stderr } = await recorder({ verbose: true });
    out.error(failure);
    expect(stderr()).toContain("cause: Error: line 1\nline 2");
  });
});

test("whatever is thrown becomes the one kind of error", () => {
  expect(toProvError(failure, false)).toBe(failure);
  expect(toProvError(new TypeError("x is not a function"), false)).toMatchObject({
    code: "internal",
    exitCode: 1,
    message: "x is not a function",
  });
  expect(toProvError("a text", false)).toMatchObject({ code: "internal", message: "a text" });
  // Once interrupted, whatever falls over on the way out is a consequence.
  expect(toProvError(failure, true)).toMatchObject({ code: "interrupted", exitCode: 130 });
});

describe("what the system says about a file", () => {
  const trouble = (work: () => unknown): unknown => {
    try {
      work();
    } catch (error) {
      return error;
    }
    throw new Error("it worked");
  };

  test("is an error of this machine, with the path and words for the code", () => {
    const error = trouble(() => readFileSync("/dev/null/below"));
    const expected = {
      code: "file_inaccessible",
      message: "/dev/null/below: a part of the path is not a folder (ENOTDIR)",
    };
    expect(toProvError(error, false)).toMatchObject({ ...expected, exitCode: 10, cause: error });
    expect(toStageError(error)).toEqual(expected);
    expect(withDetails(error, { device: "fern" })).toMatchObject({
      ...expected,
      details: { device: "fern" },
    });
  });

  test.runIf(process.platform === "linux")("is one too where it names no path", () => {
    const error = trouble(() => writeFileSync("/dev/full", "x"));
    expect(toProvError(error, false)).toMatchObject({
      code: "file_inaccessible",
      message: "no space left on the device (ENOSPC)",
    });
  });

  test("does not hide a program or a peer that is not there", () => {
    const error = spawnSync("prov-no-such-program").error;
    expect(error).toMatchObject({ code: "ENOENT", path: "prov-no-such-program" });
    expect(toProvError(error, false).code).toBe("internal");
    const refused = Object.assign(new Error("connect"), { code: "EACCES", syscall: "connect" });
    expect(toProvError(refused, false).code).toBe("internal");
  });
});

describe("progress", () => {
  test("shows what a stranger wrote, and obeys none of it", async () => {
    const { out, stderr } = await recorder({ annotate: true, verbose: true });
    const evil = "::error::A\n##[error]B\u001b[2J\u202e";
    out.note(evil);
    out.warn(evil);
    out.detail(evil);
    out.task(evil).done(evil);
    out.error(new ProvError("internal", evil, { cause: new Error(evil) }));
    const text = stderr();
    const annotation = /^::error title=prov internal::\S*error::A%0A.*\n/m;
    expect(text).toMatch(annotation);
    expect(text.replace(annotation, "")).not.toMatch(/^\s*::|##\[|(?!\n)[\p{Cc}\p{Cf}]/mu);
    expect(text).toContain("\\u{3a}:error::A\n#\\u{23}[error]B\\u{1b}[2J\\u{202e}\n");
  });

  test("a task is one line when it ends, with its outcome", async () => {
    const { out, stderr } = await recorder();
    await asTask(out, "flash", async (task) => task.update({ fraction: 0.5, text: "half" }));
    await expect(
      asTask(out, "boot", async () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect(stderr()).toMatch(/^✓ flash \d+\.\d s\n✗ boot \d+\.\d s\n$/);
  });

  test("--quiet drops tasks and notes, keeps warnings", async () => {
    const { out, stderr } = await recorder({ quiet: true });
    await asTask(out, "flash", async () => {});
    out.note("a note");
    out.detail("a detail");
    out.warn("a warning");
    expect(stderr()).toBe("! a warning\n");
  });

  test("details come with --verbose alone", async () => {
    const loud = await recorder({ verbose: true });
    loud.out.detail("a detail");
    expect(loud.stderr()).toBe("a detail\n");
    const usual = await recorder();
    usual.out.detail("a detail");
    expect(usual.stderr()).toBe("");
  });
});
