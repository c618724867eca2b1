import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { filesIn, source } from "../helpers/import-graph.js";
import { REPOSITORY } from "../helpers/prov.js";

const PLACES = ["cli", "codegen", "docs", "firmware", "scripts", "test"];
const NAMES = new Set(
  PLACES.flatMap((place) => filesIn(place, /\./)).map((file) => basename(file)),
);

/** What a text calls a file or folder of the project: a path from the root, or a file's name alone. */
function filesNamedIn(markdown: string): string[] {
  const quoted = [...markdown.matchAll(/`([^`\s]+)`/g)].map(([, text = ""]) => text);
  return quoted.filter(
    (text) =>
      /^[\w./-]+$/.test(text) &&
      (PLACES.some((place) => text.startsWith(`${place}/`)) ||
        /^[\w-]+\.(ts|mjs|c|h|inc|css|js)$/.test(text)),
  );
}

/** Made for each device, and committed nowhere. */
const MADE = ["device_keys.h", "sdkconfig.h"];

test.each(["CONTRIBUTING.md", "docs/DESIGN.md"])("%s names no file that is not there", (path) => {
  const named = filesNamedIn(source(path)).filter((text) => !MADE.includes(text));
  expect(named.length).toBeGreaterThan(10);
  const missing = named.filter((text) => !existsSync(join(REPOSITORY, text)) && !NAMES.has(text));
  expect(missing).toEqual([]);
});

test("files are seen in a text by their path or their name", () => {
  const text =
    "`cli/a.ts`, `b.c` and `firmware/main/`, not `npm test`, `a.b`, `.prov`, `c.json` or d.ts";
  expect(filesNamedIn(text)).toEqual(["cli/a.ts", "b.c", "firmware/main/"]);
});
