import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { CHIPS } from "../../codegen/chips.js";
import { temporaryDir } from "../helpers/project.js";
import { REPOSITORY } from "../helpers/prov.js";

/* In a copy of the tree each table has a row more. What is missing then is named: by the compiler, by the generator, and
 * by the tests that know what no generator can. */

const COPIED = [
  ...[".github", "cli", "codegen", "docs", "firmware", "scripts", "test"],
  ...["package.json", "run.ts", "tsconfig.json", "tsconfig.build.json", "vitest.config.ts"],
  ...["CONTRIBUTING.md", "README.md", "device.config.ts"],
];
/** The tests that know a new row, and of them those that it fails. */
const GUARDS = ["golden/codegen", "golden/page", "golden/readme", "unit/partitions"];
const ASKED = "is current|npm run generate|how far each state|ROM looks";

const FAILURES = { file: "codegen/failures.ts", table: "export const DEVICE_FAILURES = {" };
const STATES = { file: "codegen/states.ts", table: "export const DEVICE_STATES = {" };
const CHIP_TABLE = { file: "codegen/chips.ts", table: "const TABLE = {" };

let copy: string;
beforeAll(() => {
  copy = temporaryDir();
  for (const name of COPIED) cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(copy, "node_modules"));
});

/** Puts a row in front of those that a table has, and in the place of one that was put there before. */
function addRow({ file, table }: { file: string; table: string }, name: string, row: object): void {
  const text = readFileSync(join(REPOSITORY, file), "utf8");
  expect(text.split(table)).toHaveLength(2);
  const rows = `${table}\n  ${name}: ${JSON.stringify(row)},`;
  writeFileSync(
    join(copy, file),
    text.replace(table, () => rows),
  );
}

/** What a program of the copy says. */
function run(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
  return stdout + stderr;
}

test("a row that lacks a column does not compile, and the compiler names what is missing", () => {
  addRow(FAILURES, "dummy_failure", { stage: "mqtt" });
  addRow(STATES, "DUMMY", { phase: "working" });
  addRow(CHIP_TABLE, "esp32d1", { label: "ESP32-D1" });
  const said = run("node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--noEmit");
  const missing = said.matchAll(/^(codegen\/\w+\.ts)\(\d+,3\):.* (from type .*)$/gm);
  expect([...missing].map(([, file, what]) => `${file}: ${what}`).sort()).toEqual([
    "codegen/chips.ts: from type 'ChipFacts': chipId, core, bootloaderOffset, dromStart, and 6 more.",
    "codegen/failures.ts: from type 'DeviceFailure': outlook, message, hint, words",
    "codegen/states.ts: from type 'DeviceState': milestone, words",
  ]);
});

test("of a whole row every place that follows from it is named", () => {
  const outcome = { outlook: "tries_on", message: "m", hint: "h", words: "w" };
  addRow(FAILURES, "dummy_failure", { stage: "mqtt", ...outcome });
  addRow(STATES, "DUMMY", { phase: "working", milestone: null, words: "w" });
  addRow(CHIP_TABLE, "esp32d1", { ...CHIPS.esp32s2, label: "ESP32-D1", chipId: 99 });

  const files = GUARDS.map((name) => `test/${name}.test.ts`);
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=json", "-t", ASKED];
  const report = run(...vitest, ...files);
  const { testResults } = JSON.parse(report.slice(report.indexOf("{")));
  const failed = testResults.flatMap(
    ({ assertionResults }: { assertionResults: { status: string; title: string }[] }) =>
      assertionResults.filter(({ status }) => status === "failed").map(({ title }) => title),
  );
  expect(failed.sort()).toEqual([
    "has every chip with every ESP-IDF that builds for it, as `npm run generate` writes it",
    "has the tables that `npm run generate` writes",
    "is current: `npm run generate` otherwise",
    "knows how far each state has come that leads to success, and names no state that is none",
    "the bootloader lies where each chip's ROM looks for it",
    "the committed firmware/main/button_pins.h is current",
    "the committed firmware/main/prov_failure.inc is current",
    "the committed firmware/main/prov_states.inc is current",
  ]);

  expect(run("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json")).toBe("");
  const written = run("scripts/generate.mjs").matchAll(/^wrote (.*)$/gm);
  expect([...written].map(([, path]) => path).sort()).toEqual([
    ".github/workflows/ci.yml",
    "README.md",
    "firmware/main/button_pins.h",
    "firmware/main/portal/page.inc",
    "firmware/main/prov_failure.inc",
    "firmware/main/prov_states.inc",
  ]);
});
