import type { Command, Option } from "commander";
import { describe, expect, test } from "vitest";
import { collectPorts } from "../../cli/commands/options/values.js";
import { buildProgram } from "../../cli/program.js";

/** Every command that does something, by its words. */
function leaves(command: Command, words: readonly string[] = []): [string[], Command][] {
  if (command.commands.length === 0) return [[[...words], command]];
  return command.commands.flatMap((below) => leaves(below, [...words, below.name()]));
}

const program = buildProgram(async () => {});
const commands = leaves(program);

/** Every option that takes a value, with the command line up to it; the global ones before and after a command. */
const options = [
  ...commands.flatMap(([words, command]) =>
    [...program.options, ...command.options].map((option) => ({ words, option })),
  ),
  ...program.options.map((option) => ({ words: [], option })),
].filter(({ option }) => option.required || option.optional);

const named = options.map(({ words, option }) => ({
  name: [...words, option.long].join(" "),
  words,
  option,
}));

async function parse(...args: string[]): Promise<unknown> {
  let ran = false;
  try {
    await buildProgram(async () => {
      ran = true;
    }).parseAsync(["node", "prov", ...args]);
  } catch (error) {
    return error;
  }
  return ran;
}

function mayRepeat({ description }: Option): boolean {
  return description.endsWith("repeat for several");
}

/** A value that its parser takes. */
function sample(option: Option): string {
  const choice = option.argChoices?.[0];
  if (choice !== undefined) return choice;
  return option.long === "--url" ? "http://192.168.4.1" : "1";
}

test("the tree has the options that these tests are about", () => {
  expect(named.length).toBeGreaterThan(60);
  for (const name of ["build --target", "monitor --port", "provision --token", "lab up --name"])
    expect(named.map((each) => each.name)).toContain(name);
});

describe("an empty value is a usage error", () => {
  test.each(named)("$name", async ({ words, option }) => {
    const flag = option.long ?? "";
    for (const args of [[flag, ""], [`${flag}=`]])
      expect(await parse(...words, ...args)).toMatchObject({
        code: "commander.invalidArgument",
        message: expect.stringContaining(
          `'${option.flags}' argument '' is invalid. It must not be`,
        ),
      });
  });

  const positional = commands.filter(([, command]) => command.registeredArguments.length > 0);
  test.each(positional.map(([words]) => [words.join(" "), words] as const))(
    "the argument of %s",
    async (_name, words) => {
      expect(await parse(...words, "")).toMatchObject({
        message: expect.stringContaining("It must not be empty"),
      });
    },
  );
  test("there are such arguments", () => expect(positional.length).toBeGreaterThan(1));
});

describe("an option given twice is a usage error that shows neither value", () => {
  test.each(named)("$name", async ({ words, option }) => {
    const twice = [option.long ?? "", sample(option), option.long ?? "", sample(option)];
    const outcome = await parse(...words, ...twice);
    if (mayRepeat(option)) return expect(outcome).not.toMatchObject({ code: "prov.refused" });
    expect(outcome).toMatchObject({
      code: "prov.refused",
      message: `option '${option.flags}' is given more than once`,
    });
  });

  test("but for a port to flash, of which there may be many", async () => {
    const repeatable = named.filter(({ option }) => mayRepeat(option));
    expect(repeatable.map(({ name }) => name)).toEqual(["flash --port"]);
    expect(collectPorts("b", ["a"])).toEqual(["a", "b"]);
  });
});

test("values that are there go through", async () => {
  expect(await parse("build", "--target", "c3", "--device", "a")).toBe(true);
  expect(await parse("--device", "a", "monitor", "--port", "/dev/ttyACM0")).toBe(true);
  expect(await parse("lab", "token", "fern", "--name", "desk")).toBe(true);
});
