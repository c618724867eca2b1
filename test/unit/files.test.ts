import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { replaceFile, SECRET_FILE, writeNew } from "../../cli/files/files.js";
import { parseJson, readJson } from "../../cli/files/json.js";
import { withTemporaryFile } from "../../cli/files/temporary.js";
import { birthOf, isProcessAlive } from "../../cli/processes/alive.js";
import { temporaryDir } from "../helpers/project.js";

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("replaceFile", () => {
  test("makes a private file in a private folder, and takes the place of an open one", () => {
    const path = join(temporaryDir(), "deep", "file");
    replaceFile(path, "old");
    chmodSync(path, 0o644);
    replaceFile(path, Buffer.from("new"));
    expect(readFileSync(path, "utf8")).toBe("new");
    expect([modeOf(path), modeOf(dirname(path))]).toEqual([0o600, 0o700]);
    expect(readdirSync(dirname(path))).toEqual(["file"]);
  });

  test("leaves nothing behind where it cannot", () => {
    const dir = temporaryDir();
    expect(() => replaceFile(dir, "x")).toThrow(dir);
    expect(
      readdirSync(dirname(dir)).filter((name) => name.startsWith(`${basename(dir)}.`)),
    ).toEqual([]);
  });
});

test("writeNew leaves the rights of a folder alone where it is told to", () => {
  const dir = temporaryDir();
  chmodSync(dir, 0o755);
  expect(writeNew(join(dir, "note"), "mine", SECRET_FILE, () => {})).toBe(true);
  expect(writeNew(join(dir, "note"), "another", SECRET_FILE, () => {})).toBe(false);
  expect([modeOf(dir), readFileSync(join(dir, "note"), "utf8")]).toEqual([0o755, "mine"]);
  writeNew(join(dir, "secret"), "x", SECRET_FILE);
  expect(modeOf(dir)).toBe(0o700);
});

test("a temporary file is the user's alone, and gone whatever came of it", async () => {
  let seen = "";
  const failing = withTemporaryFile("secret", "text", async (file) => {
    seen = file;
    expect([modeOf(file), modeOf(dirname(file))]).toEqual([0o600, 0o700]);
    expect(readFileSync(file, "utf8")).toBe("text");
    throw new Error("of the use");
  });
  await expect(failing).rejects.toThrow("of the use");
  expect(existsSync(dirname(seen))).toBe(false);
});

test("JSON that is none is undefined, and so is that of a file that is not there", () => {
  const file = join(temporaryDir(), "file.json");
  expect([parseJson("[1"), parseJson("[1]"), readJson(file)]).toEqual([undefined, [1], undefined]);
  writeFileSync(file, '{"a":1}');
  expect(readJson(file)).toEqual({ a: 1 });
});

test.runIf(process.platform === "linux")("a process is told from a later one with its id", () => {
  const [boot = "", ticks = ""] = birthOf(process.pid)?.split("/") ?? [];
  expect(boot).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  expect(Number(ticks)).toBeGreaterThan(0);
  expect(birthOf(process.pid)).not.toBe(birthOf(1));
  const nobody = 2 ** 22 + 1;
  expect([isProcessAlive(process.pid), isProcessAlive(nobody)]).toEqual([true, false]);
  expect(birthOf(nobody)).toBeNull();
});
