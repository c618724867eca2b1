import { expect, test } from "vitest";
import { circlesOf } from "../helpers/c-graph.js";
import {
  filesIn,
  type Graph,
  importGraph,
  importsOf,
  includeGraph,
  includesOf,
  source,
} from "../helpers/import-graph.js";

/** A row of CONTRIBUTING's table: the files below a place may name one another, and those below `mayImport`. */
interface Rule {
  readonly places: readonly string[];
  readonly mayImport: readonly string[];
}

/** Reads the table: `nothing`, `the above`, `one another`, names of places, and what a `but` takes out. */
function rulesIn(markdown: string): Rule[] {
  const [, table = ""] = /^\| folder [^\n]*\n\|[-| ]+\|\n((?:\|[^\n]*\n)+)/m.exec(markdown) ?? [];
  const rules: Rule[] = [];
  for (const row of table.trimEnd().split("\n")) {
    const [, folder = "", , cell = ""] = row.split("|");
    const [allowed = "", taken = ""] = cell.split(" but ");
    const above = allowed.includes("the above") ? rules.flatMap(({ places }) => places) : [];
    const places = placesIn(folder);
    const own = allowed.includes("one another") ? places : [];
    const mayImport = [...above, ...own, ...placesIn(allowed)];
    rules.push({
      places,
      mayImport: mayImport.filter((place) => !placesIn(taken).includes(place)),
    });
  }
  return rules;
}

function placesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+?)\/?`/g)].map(([, place = ""]) => place);
}

/** The row whose place is nearest to a file. */
function placeOf(file: string, rules: readonly Rule[]): string | undefined {
  return rules
    .flatMap(({ places }) => places)
    .filter((place) => file === place || file.startsWith(`${place}/`))
    .toSorted((a, b) => b.length - a.length)[0];
}

function violations(graph: Graph, rules: readonly Rule[]): string[] {
  const found: string[] = [];
  for (const [file, targets] of graph) {
    const place = placeOf(file, rules);
    const rule = rules.find(({ places }) => places.some((each) => each === place));
    for (const target of targets) {
      const other = placeOf(target, rules) ?? "";
      if (other !== place && !rule?.mayImport.includes(other)) found.push(`${file} → ${target}`);
    }
  }
  return found;
}

const RULES = rulesIn(source("CONTRIBUTING.md"));
const TYPESCRIPT = importGraph("codegen", "cli", "run.ts");
const C = includeGraph("firmware/main", "firmware/host");

test("each file names those only that CONTRIBUTING's table allows its folder", () => {
  expect([...violations(TYPESCRIPT, RULES), ...violations(C, RULES)]).toEqual([]);
});

test("the table has each folder, and none that is not there", () => {
  const files = [...TYPESCRIPT.keys(), ...C.keys()];
  const places = RULES.flatMap((rule) => rule.places);
  const roots = ["cli", "firmware/main"];
  const nameless = files.filter((file) =>
    roots.some(
      (root) => placeOf(file, RULES) === root && file.slice(root.length + 1).includes("/"),
    ),
  );
  expect(nameless).toEqual([]);
  for (const place of places.filter((each) => /^(codegen|cli|firmware)\b/.test(each)))
    expect(
      files.some((file) => placeOf(file, RULES) === place),
      place,
    ).toBe(true);
  expect(new Set(places).size).toBe(places.length);
});

test("imports have no circle", () => {
  expect(circlesOf(TYPESCRIPT)).toEqual([]);
});

test("every import names a file that is there", () => {
  const dangling = [...TYPESCRIPT].flatMap(([file, imports]) =>
    imports.filter((target) => !TYPESCRIPT.has(target)).map((target) => `${file} → ${target}`),
  );
  expect(dangling).toEqual([]);
});

test("codegen is pure: it knows neither files nor processes nor the network", () => {
  const used = filesIn("codegen", /\.ts$/).flatMap((file) =>
    [...source(file).matchAll(/from "(node:[^"]+)"/g)].map(([, name = ""]) => name),
  );
  expect([...new Set(used)].sort()).toEqual(["node:crypto", "node:zlib"]);
});

/** What shares one lab stays together: another one costs the suite more than the length does. */
const LONG_TESTS = ["test/e2e/field.test.ts", "test/e2e/http-gate.test.ts"];

test.each([
  [300, /\.(ts|mjs)$/, ["codegen", "cli", "scripts", "test", "run.ts"], LONG_TESTS],
  [450, /\.[ch]$/, ["firmware", "test"], []],
] as const)("no file has more than %i lines: %s", (most, kind, places, long) => {
  const files = places.flatMap((place) => filesIn(place, kind));
  expect(files.length).toBeGreaterThan(100);
  const over = files.filter((file) => source(file).split("\n").length - 1 > most);
  expect(over.sort()).toEqual(long);
});

/** Starts a program with nothing to say which environment it gets. */
function inheritsEnvironment(text: string): boolean {
  const starts =
    /import \{[^}]*\b(?:spawn|spawnSync|exec|execSync|execFile|execFileSync|fork)\b[^}]*\} from "node:child_process"|import .* from "zx/;
  return starts.test(text) && !text.includes("childEnvironment()");
}

test("whoever starts a program keeps prov's secrets from it", () => {
  const careless = [...TYPESCRIPT.keys()].filter((file) => inheritsEnvironment(source(file)));
  expect(careless).toEqual([]);
});

test("the checks find what they look for", () => {
  const text = `import { a } from "../flow/a.js";
import type { B } from "./b.js";
export { c } from "./c.js";
import "./d.js";
const e = await import("./e.js");
import { readFileSync } from "node:fs";
`;
  expect(importsOf(text)).toEqual(["../flow/a.js", "./b.js", "./c.js", "./d.js", "./e.js"]);
  expect(includesOf('#include "a.h"\n#include <b.h>\n# include "c/d.h"\n')).toEqual([
    "a.h",
    "c/d.h",
  ]);
  const rules = rulesIn(`x
| folder | holds | may import |
|---|---|---|
| \`low/\` | a | nothing |
| \`one\`, \`two\` | b | the above |
| \`one/high\`, \`top.ts\` | c | the above but \`two\` |
| \`a.ts\`, \`b.ts\` | c | one another |
| \`other\` | d | \`two\` |

| \`not\` | in the | table |
`);
  expect(rules).toHaveLength(5);
  const graph = new Map([
    ["low/a.ts", ["low/b.ts", "one/a.ts"]],
    ["one/a.ts", ["low/a.ts", "two/a.ts", "one/high/a.ts"]],
    ["one/high/a.ts", ["one/a.ts", "two/a.ts"]],
    ["top.ts", ["low/a.ts", "one/high/a.ts", "nowhere/a.ts"]],
    ["other/a.ts", ["two/a.ts", "low/a.ts"]],
    ["nowhere/a.ts", ["low/a.ts"]],
    ["a.ts", ["b.ts", "top.ts"]],
  ]);
  expect(violations(graph, rules)).toEqual([
    "low/a.ts → one/a.ts",
    "one/a.ts → two/a.ts",
    "one/a.ts → one/high/a.ts",
    "one/high/a.ts → two/a.ts",
    "top.ts → one/high/a.ts",
    "top.ts → nowhere/a.ts",
    "other/a.ts → low/a.ts",
    "nowhere/a.ts → low/a.ts",
    "a.ts → top.ts",
  ]);
  const spawning = 'import { type ChildProcess, spawn } from "node:child_process";\n';
  expect(inheritsEnvironment(spawning)).toBe(true);
  expect(inheritsEnvironment('import { $ } from "zx/core";\n')).toBe(true);
  expect(inheritsEnvironment(`${spawning}spawn("x", { env: childEnvironment() });`)).toBe(false);
  expect(inheritsEnvironment('import type { ChildProcess } from "node:child_process";')).toBe(
    false,
  );
});
