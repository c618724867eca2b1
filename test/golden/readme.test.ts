import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ENVIRONMENT, SECRET_VARIABLES } from "../../cli/environment.js";
import { EXIT } from "../../cli/errors.js";
import { buildProgram } from "../../cli/program.js";
import { fillTables } from "../../cli/readme.js";
import { CI_PATH, fillCiMatrix } from "../../codegen/chip-files.js";
import { NEWEST_IDF } from "../../codegen/chips.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What follows npm in a text and is no script. */
const BUILT_IN = ["packages", "ci", "run"];

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Each command that a text writes out, with its options, as far as the line or the code goes. */
function commandsIn(text: string): { words: string[]; options: string[] }[] {
  return text.split(/\bprov (?=[a-z])/).flatMap((piece) => {
    const [line = ""] = piece.split(/[`\n#]/);
    const words = /^(lab )?[a-z]+/.exec(line)?.[0].split(" ") ?? [];
    const options = [...line.matchAll(/(?<=[\s[])--[a-z-]+/g)].map(([option]) => option);
    return options.length > 0 ? [{ words, options }] : [];
  });
}

/** The options of a command, its own and the global ones. */
function optionsOf(words: readonly string[]): string[] {
  let command = buildProgram(async () => {});
  const options = [...command.options];
  for (const word of words) {
    const found = command.commands.find((each) => each.name() === word);
    if (!found) throw new Error(`prov has no command ${words.join(" ")}`);
    command = found;
    options.push(...command.options);
  }
  return options.flatMap(({ long }) => long ?? []);
}

/** The environment variables that a source reads, in the shapes that reading them has. */
function variablesIn(source: string): string[] {
  const single = /\benv(?:ironment)?(?:\?\.|\.|\[\s*["'])([A-Z][A-Z0-9_]*)\b/g;
  const several = /\{([^{}]*)\}\s*=\s*(?:[\w.]*\.)?env(?:ironment)?\b/g;
  return [
    ...[...source.matchAll(single)].map(([, name = ""]) => name),
    ...[...source.matchAll(several)].flatMap(([, names = ""]) =>
      [...names.matchAll(/(?<![\w:]\s*)\b[A-Z][A-Z0-9_]*\b/g)].map(([name]) => name),
    ),
  ];
}

function productSources(): string[] {
  const files = ["cli", "codegen"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) =>
      join(folder, name),
    ),
  );
  return ["run.ts", ...files].filter((name) => name.endsWith(".ts")).map(read);
}

describe("the README", () => {
  const readme = read("README.md");

  it("has the tables that `npm run generate` writes", () => {
    expect(readme).toBe(fillTables(readme));
  });

  it("writes out no option that its command does not have", () => {
    const commands = commandsIn(readme);
    expect(commands.length).toBeGreaterThan(15);
    for (const { words, options } of commands)
      expect(optionsOf(words), words.join(" ")).toEqual(expect.arrayContaining(options));
  });

  it("names every exit code", () => {
    for (const code of Object.values(EXIT))
      expect(readme).toMatch(new RegExp(`\\b${code} [a-z]`, "i"));
  });

  it("names the newest ESP-IDF that CI builds with", () => {
    const releases = [
      ...read(".github/workflows/ci.yml").matchAll(/release-v(\d+\.\d+)(?=[,\]])/g),
    ].map(([, release = ""]) => release);
    expect(releases.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1)).toBe(
      NEWEST_IDF,
    );
  });
});

describe("the matrix of CI", () => {
  it("has every chip with every ESP-IDF that builds for it, as `npm run generate` writes it", () => {
    const workflow = read(CI_PATH);
    expect(fillCiMatrix(workflow.replace("esp32c6", "esp32h2"))).toBe(workflow);
  });
});

describe("the tables", () => {
  it("replace what is between their markers and nothing else", () => {
    const readme = read("README.md");
    const stale = readme.replace("| `id` | required", "| `id` | optional");
    expect(stale).not.toBe(readme);
    expect(fillTables(stale)).toBe(readme);
  });

  it.each(["<!-- commands -->", "<!-- /commands -->"])("miss their marker %s", (marker) => {
    const readme = read("README.md");
    expect(() => fillTables(readme.replace(marker, ""))).toThrow("commands");
    expect(() => fillTables(`${readme}\n<!-- commands -->\n<!-- /commands -->\n`)).toThrow("once");
  });
});

describe("the environment", () => {
  it("is what the sources read, no more and no less", () => {
    const found = new Set([...SECRET_VARIABLES, ...productSources().flatMap(variablesIn)]);
    expect([...found].sort()).toEqual(Object.keys(ENVIRONMENT).sort());
  });

  it("is seen in each of the shapes that reading it has", () => {
    const source = `process.env.ONE ?? env.TWO; env["THREE"]; environment?.FOUR;
const { FIVE, SIX: six } = process.env; const { SEVEN = "x" } = request.env; env: { LC_ALL: "C" }`;
    expect(variablesIn(source)).toEqual(["ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN"]);
  });
});

it.each(["README.md", "CONTRIBUTING.md", ".ci/run", ".github/workflows/ci.yml"])(
  "%s names only scripts that package.json has",
  (path) => {
    const { scripts } = JSON.parse(read("package.json"));
    const named = [...read(path).matchAll(/\bnpm (?:run (?:--silent |-s )?)?([a-z][a-z:]*)/g)];
    const words = named.map(([, name = ""]) => name).filter((name) => !BUILT_IN.includes(name));
    expect(words.length).toBeGreaterThan(0);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(words));
  },
);
