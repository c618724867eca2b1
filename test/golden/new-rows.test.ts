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
const GUARDS = [
  "golden/codegen",
  "golden/page",
  "golden/readme",
  "golden/state-machine",
  "unit/manifest-fields",
  "unit/partitions",
];
const ASKED =
  "is current|npm run generate|how far each state|ROM looks|default of the mission|sdkconfig|machine";

/** What `npm run generate` mends. */
const GENERATED = [
  "has every chip with every ESP-IDF that builds for it, as `npm run generate` writes it",
  "has the tables that `npm run generate` writes",
  "is current: `npm run generate` otherwise",
  "the committed '.github/workflows/ci.yml' is current",
  "the committed 'codegen/manifest-types.ts' is current",
  "the committed 'firmware/main/Kconfig.projbuild' is current",
  "the committed 'firmware/main/button_pins.h' is current",
  "the committed 'firmware/main/prov_failure.inc' is current",
  "the committed 'firmware/main/prov_states.inc' is current",
];
/** What only a person knows: an edge to the state, the page's step, the field's default, where the ROM looks. */
const BY_HAND = [
  "is the one that is drawn: `npm run generate` otherwise",
  "knows how far each state has come that leads to success, and names no state that is none",
  "only the id is required; every other field has the default of the mission",
  "sdkconfig.defaults",
  "sdkconfig.defaults of a manifest that says nothing",
  "sdkconfig.h",
  "the bootloader lies where each chip's ROM looks for it",
];

const FAILURES = { file: "codegen/failures.ts", table: "export const DEVICE_FAILURES = {" };
const STATES = { file: "codegen/states.ts", table: "export const DEVICE_STATES = {" };
const CHIP_TABLE = { file: "codegen/chips.ts", table: "const TABLE = {" };
const FIELDS = { file: "codegen/manifest-fields.ts", table: "  softAp: section({" };

let copy: string;
beforeAll(() => {
  copy = temporaryDir();
  for (const name of COPIED) cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(copy, "node_modules"));
});

/** Puts a row in front of those that a table has, and in the place of one that was put there before. */
function addRow({ file, table }: { file: string; table: string }, row: string): void {
  const text = readFileSync(join(REPOSITORY, file), "utf8");
  expect(text.split(table)).toHaveLength(2);
  writeFileSync(
    join(copy, file),
    text.replace(table, () => `${table}\n  ${row},`),
  );
}

/** What a program of the copy says. */
function run(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
  return stdout + stderr;
}

test("a row that lacks a column does not compile, and the compiler names what is missing", () => {
  addRow(FAILURES, 'dummy_failure: { stage: "mqtt" }');
  addRow(STATES, 'DUMMY: { phase: "working" }');
  addRow(CHIP_TABLE, 'esp32d1: { label: "ESP32-D1" }');
  addRow(FIELDS, 'dummy: field(flag().default(false), { option: ["PROV_DUMMY", "Dummy"] })');
  const said = run("node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--noEmit");
  for (const [{ file }, missing] of [
    [FAILURES, "'DeviceFailure': outlook, message, hint, words"],
    [STATES, "'DeviceState': milestone, words"],
    [CHIP_TABLE, "'ChipFacts': chipId, core, bootloaderOffset, dromStart, and 7 more"],
    [FIELDS, "Property 'doc' is missing"],
  ] as const)
    expect(said).toMatch(new RegExp(`^${file}.*${missing}`, "m"));
});

test("of a whole row every place that follows from it is named", () => {
  const chip = { ...CHIPS.esp32s2, label: "ESP32-D1", chipId: 99 };
  const words = 'message: "m", hint: "h", words: "w"';
  addRow(FAILURES, `dummy_failure: { stage: "mqtt", outlook: "tries_on", ${words} }`);
  addRow(STATES, 'DUMMY: { phase: "working", milestone: null, words: "w" }');
  addRow(CHIP_TABLE, `esp32d1: ${JSON.stringify(chip)}`);
  addRow(
    FIELDS,
    'dummy: field(flag().default(false), { doc: "d", option: ["PROV_DUMMY", "Dummy"] })',
  );

  const files = GUARDS.map((name) => `test/${name}.test.ts`);
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=json", "-t", ASKED];
  const report = run(...vitest, ...files);
  const { testResults } = JSON.parse(report.slice(report.indexOf("{")));
  const failed = testResults.flatMap(
    ({ assertionResults }: { assertionResults: { status: string; title: string }[] }) =>
      assertionResults.filter(({ status }) => status === "failed").map(({ title }) => title),
  );
  expect(failed.toSorted()).toEqual([...GENERATED, ...BY_HAND].toSorted());

  expect(run("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json")).toBe("");
  const written = run("scripts/generate.mjs").matchAll(/^wrote (.*)$/gm);
  expect([...written].map(([, path]) => path).sort()).toEqual([
    ".github/workflows/ci.yml",
    "README.md",
    "codegen/manifest-types.ts",
    "firmware/main/Kconfig.projbuild",
    "firmware/main/button_pins.h",
    "firmware/main/portal/page.inc",
    "firmware/main/prov_failure.inc",
    "firmware/main/prov_states.inc",
    "test/golden/state-machine.txt",
  ]);
});
