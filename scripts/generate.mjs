#!/usr/bin/env node
// Writes the committed files that codegen/ makes for the firmware and the README's tables, what is not current only.
// `npm run build` first. The golden tests say when this is due.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const { GENERATED } = await import("../dist/codegen/generated.js");
const { emitPageInc, isPageCurrent, PAGE_INC_PATH, PAGE_SOURCE_DIR, PAGE_SOURCES } = await import(
  "../dist/codegen/page.js"
);

const { fillTables } = await import("../dist/cli/readme.js");

function read(path) {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return "";
    throw error;
  }
}

function write(path, text) {
  writeFileSync(join(ROOT, path), text);
  console.error(`wrote ${path}`);
}

for (const { path, fill } of GENERATED) {
  const current = read(path);
  if (current !== fill(current)) write(path, fill(current));
}

const sources = Object.fromEntries(
  PAGE_SOURCES.map((name) => [name, read(`${PAGE_SOURCE_DIR}/${name}`)]),
);
if (!isPageCurrent(read(PAGE_INC_PATH), sources)) write(PAGE_INC_PATH, emitPageInc(sources));

const readme = read("README.md");
if (readme !== fillTables(readme)) write("README.md", fillTables(readme));

const { fillStateDiagram, STATE_DIAGRAM_PATH, STATE_MACHINE_PATH } = await import(
  "../dist/codegen/state-diagram.js"
);
const machine = execFileSync(process.execPath, [join(ROOT, "scripts/state-machine.mjs")], {
  encoding: "utf8",
});
if (read(STATE_MACHINE_PATH) !== machine) write(STATE_MACHINE_PATH, machine);
const design = read(STATE_DIAGRAM_PATH);
if (design !== fillStateDiagram(design, machine))
  write(STATE_DIAGRAM_PATH, fillStateDiagram(design, machine));
