import { basename } from "node:path";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { buildProgram } from "../../cli/program.js";
import { filesIn, importsOf, source } from "../helpers/import-graph.js";

/** Every command, by its words. */
function wordsOf(command: Command, above: readonly string[] = []): string[] {
  return command.commands.flatMap((below) => {
    const words = [...above, below.name()];
    return [words.join("-"), ...wordsOf(below, words)];
  });
}

test("each verb has a file of its own, and each file is a verb", () => {
  const files = filesIn("cli/commands", /^[\w-]+\.ts$/).map((file) => basename(file, ".ts"));
  expect(files.toSorted()).toEqual(wordsOf(buildProgram(async () => {})).toSorted());
});

// What is loaded whatever the verb is costs every start of prov its time; imports of types cost nothing.
test("what every start loads of the verbs is what they declare", () => {
  const loaded = (file: string): string[] =>
    importsOf(
      source(file)
        .replaceAll(/^import type [^;]*;/gm, "")
        .replaceAll(/\bimport\(/g, ""),
    );
  const verbs = [
    ...filesIn("cli/commands", /^[\w-]+\.ts$/),
    ...["groups", "lab", "values"].map((name) => `cli/commands/options/${name}.ts`),
  ];
  const rooms = new Set(verbs.flatMap(loaded).map((path) => path.replace(/^(\.\.\/)+/, "")));
  expect([...rooms].filter((path) => !path.startsWith("./")).toSorted()).toEqual([
    "device/credential-rules.js",
    "errors.js",
    "flow/evidence.js",
    "flow/timeouts.js",
    "serial/link.js",
    "system-error.js",
    "terminal/foreign-text.js",
  ]);
});
