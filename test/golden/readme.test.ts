import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EXIT, HOST_FAILURES } from "../../cli/errors.js";
import { buildProgram } from "../../cli/program.js";
import { DEVICE_FAILURES } from "../../codegen/failures.js";

/** The README's troubleshooting table, as the tables in the code have it. */
function failureTable(): string {
  const host = Object.entries(HOST_FAILURES).map(([code, { stage, hint }]) => ({
    code,
    stage,
    hint,
  }));
  const rows = [...host, ...DEVICE_FAILURES].map(
    ({ code, stage, hint }) =>
      `| \`${code}\` | ${EXIT[stage]} | ${hint.replaceAll("|", "\\|").replaceAll("\n", " ")} |`,
  );
  return ["| code | exit | what to do |", "|---|---|---|", ...rows].join("\n");
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

describe("the README", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

  it("tells what to do about every failure", () => {
    const section = /<!-- failures -->\n([\s\S]*?)\n?<!-- \/failures -->/.exec(readme)?.[1];
    expect(section).toBe(failureTable());
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
});
