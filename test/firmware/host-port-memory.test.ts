import { beforeAll, expect, test } from "vitest";
import {
  buildPlainProgram,
  buildPrograms,
  startProgram,
  VARIANTS,
  type Variant,
} from "../helpers/host-port.js";
import { longer } from "../helpers/longer.js";

beforeAll(async () => {
  await buildPlainProgram("memory");
  await buildPrograms();
}, longer(300_000));

function run(testCase: string, variant: Variant = "") {
  return startProgram("memory", variant, { env: { TEST_CASE: testCase } }).finished();
}

test("a task's high-water mark tells what it never used of the stack that it asked for", async () => {
  const { status, lines, stderr } = await run("marks");
  expect([stderr, status]).toEqual(["", 0]);
  expect(lines.at(-1)).toMatch(/: [1-9]\d* checks, 0 failures$/);
});

test.each([
  ["prov", "overflow"],
  ["full", "fill"],
])("a task that overflows its stack is named: %s", async (task, testCase) => {
  const { status, stderr } = await run(testCase);
  expect(stderr).toBe(`\n***ERROR*** A stack overflow in task ${task} has been detected.\n`);
  expect(status).toBe("SIGABRT");
});

test.each(["", ...VARIANTS] as const)(
  "the heap ends where a chip's does, and tells how much is left: %s",
  async (variant) => {
    const { status, lines, stderr } = await run("heap", variant);
    expect([stderr, status]).toEqual(["", 0]);
    expect(lines.at(-1)).toMatch(/: [1-9]\d* checks, 0 failures$/);
  },
);
