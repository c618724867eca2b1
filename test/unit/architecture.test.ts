import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const SIDES = ["cli/pki", "cli/device", "cli/serial", "cli/wifi"];
const ROOMS = ["cli/files", "cli/processes", "cli/time", "cli/terminal"];
const UPPER = ["cli/flow", "cli/commands", "cli/lab"];
const otherSides = (own: string): string[] => SIDES.filter((side) => side !== own);

/** Which folders each folder must not reach into; the dependency direction of the design. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  codegen: ["cli"],
  ...Object.fromEntries(ROOMS.map((room) => [room, ["cli/config", ...SIDES, ...UPPER]])),
  "cli/config": [...SIDES, ...UPPER],
  "cli/pki": [...otherSides("cli/pki"), ...UPPER],
  "cli/device": [...otherSides("cli/device"), ...UPPER],
  "cli/serial": [...otherSides("cli/serial"), ...UPPER],
  "cli/wifi": [...otherSides("cli/wifi"), ...UPPER],
  "cli/flow": ["cli/commands", "cli/lab"],
  // The lab as a board of the chain; the rest of it knows nothing of a chain.
  "cli/lab/stages": ["cli/commands"],
  "cli/lab": ["cli/flow", "cli/commands"],
};

// Static, dynamic and re-exporting; the shapes that Biome's formatter leaves.
const IMPORT = /\bfrom\s+"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"\s*\)|^import\s+"(\.[^"]+)"/gm;

function importsOf(source: string): string[] {
  return [...source.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

/** Each source file with the project files that it imports, as paths relative to the root. */
function importGraph(): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  for (const folder of ["codegen", "cli"]) {
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts")) continue;
      const path = join(ROOT, folder, name);
      const imports = importsOf(readFileSync(path, "utf8")).map((specifier) =>
        relative(ROOT, resolve(dirname(path), specifier)).replace(/\.js$/, ".ts"),
      );
      graph.set(relative(ROOT, path), imports);
    }
  }
  return graph;
}

function violations(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  for (const [file, imports] of graph) {
    const [, banned] =
      Object.entries(FORBIDDEN).find(([folder]) => file.startsWith(`${folder}/`)) ?? [];
    for (const target of imports) {
      if (banned?.some((folder) => target.startsWith(`${folder}/`)))
        found.push(`${file} → ${target}`);
    }
  }
  return found;
}

/** The first circle of imports, as the files along it; undefined when there is none. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target, [...trail, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

test("imports follow the dependency direction", () => {
  expect(violations(importGraph())).toEqual([]);
});

test("imports have no cycle", () => {
  expect(findCycle(importGraph())).toBeUndefined();
});

test("every import names a file that is there", () => {
  const graph = importGraph();
  const dangling = [...graph].flatMap(([file, imports]) =>
    imports.filter((target) => !graph.has(target)).map((target) => `${file} → ${target}`),
  );
  expect(dangling).toEqual([]);
});

/** Starts a program with nothing to say which environment it gets. */
function inheritsEnvironment(source: string): boolean {
  const starts =
    /import \{[^}]*\b(?:spawn|spawnSync|exec|execSync|execFile|execFileSync|fork)\b[^}]*\} from "node:child_process"|import .* from "zx/;
  return starts.test(source) && !source.includes("childEnvironment()");
}

test("whoever starts a program keeps prov's secrets from it", () => {
  const careless = [...importGraph().keys()].filter((file) =>
    inheritsEnvironment(readFileSync(join(ROOT, file), "utf8")),
  );
  expect(careless).toEqual([]);
});

test("each rule names a folder that exists", () => {
  const files = [...importGraph().keys()];
  for (const folder of Object.keys(FORBIDDEN)) {
    expect(files.some((file) => file.startsWith(`${folder}/`))).toBe(true);
  }
});

test("the checks find what they look for", () => {
  const source = `import { a } from "../flow/a.js";
import type { B } from "./b.js";
export { c } from "./c.js";
import "./d.js";
const e = await import("./e.js");
import { readFileSync } from "node:fs";
`;
  expect(importsOf(source)).toEqual(["../flow/a.js", "./b.js", "./c.js", "./d.js", "./e.js"]);
  expect(violations(new Map([["cli/pki/x.ts", ["cli/flow/a.ts", "cli/errors.ts"]]]))).toEqual([
    "cli/pki/x.ts → cli/flow/a.ts",
  ]);
  const spawning = 'import { type ChildProcess, spawn } from "node:child_process";\n';
  expect(inheritsEnvironment(spawning)).toBe(true);
  expect(inheritsEnvironment('import { $ } from "zx/core";\n')).toBe(true);
  expect(inheritsEnvironment(`${spawning}spawn("x", { env: childEnvironment() });`)).toBe(false);
  expect(inheritsEnvironment('import type { ChildProcess } from "node:child_process";')).toBe(
    false,
  );
  const circle = new Map([
    ["a", ["b"]],
    ["b", ["c"]],
    ["c", ["b"]],
  ]);
  expect(findCycle(circle)).toEqual(["b", "c", "b"]);
});
