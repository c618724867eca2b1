import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readNamedFile } from "../../cli/config/named-file.js";
import { GOLDEN_KEY } from "../golden/golden-device.js";
import { temporaryDir } from "../helpers/project.js";
import { run } from "../helpers/prov.js";

/** A pipe that this command writes into. */
async function pipeFrom(command: string): Promise<string> {
  const path = join(temporaryDir(), "pipe");
  expect((await run("mkfifo", [path])).code).toBe(0);
  const writer = spawn("sh", ["-c", `{ ${command}; } >"$1"`, "sh", path], { stdio: "ignore" });
  onTestFinished(() => void writer.kill("SIGKILL"));
  return path;
}

test.each([
  ["as it is", (pem: string) => pem],
  ["in one line", (pem: string) => pem.replaceAll("\n", " ")],
  ["without its first and last line", (pem: string) => pem.replace(/-----.*-----\n?/g, "")],
])("a key in the place of its path, %s, is not shown", (_name, change) => {
  const content = readNamedFile(change(GOLDEN_KEY));
  expect(content).toMatch(/^what is given is the text of a certificate or key \(not shown\)/);
  expect(content).not.toContain("MIG");
});

describe.skipIf(process.platform === "win32")("a file that somebody named", () => {
  test("may be a pipe, as a shell's <(…) is", async () => {
    const path = await pipeFrom("printf 'one '; printf 'two'");
    expect(String(readNamedFile(path))).toBe("one two");
  });

  test("is read as a whole, and not when it is too large", () => {
    const path = join(temporaryDir(), "bundle.pem");
    const most = Buffer.alloc(4 * 1024 * 1024, "x");
    writeFileSync(path, most);
    expect(most.equals(Buffer.from(readNamedFile(path)))).toBe(true);
    writeFileSync(path, "x", { flag: "a" });
    expect(readNamedFile(path)).toBe(`${path}: it is no file of certificates or keys`);
  });

  test("that is a pipe without an end is not read for ever", async () => {
    const path = await pipeFrom("exec cat /dev/zero");
    expect(readNamedFile(path)).toBe(`${path}: it is no file of certificates or keys`);
  });
});
