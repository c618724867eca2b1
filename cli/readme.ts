import type { Command, Option } from "commander";
import { CHIP_NAMES, CHIPS, isLoaderChip, NEWEST_IDF, shortName } from "../codegen/chips.js";
import { DEVICE_FAILURES, OUTLOOKS } from "../codegen/failures.js";
import { LIMIT_ROWS } from "../codegen/limits.js";
import { manifestFields } from "../codegen/manifest-docs.js";
import { fillBetween, markdownTable } from "../codegen/markdown.js";
import { ENVIRONMENT } from "./environment.js";
import { EXIT, HOST_FAILURES, type Stage } from "./errors.js";
import { buildProgram } from "./program.js";

/** The README's tables that follow from the code, by the names of their markers. */
const TABLES: Readonly<Record<string, () => string>> = {
  fields: fieldTable,
  commands: commandTable,
  environment: environmentTable,
  chips: chipTable,
  limits: () => markdownTable(["what", "how long", "and"], LIMIT_ROWS),
  failures: failureTable,
};

/**
 * The README with its tables as the code has them, each between `<!-- name -->` and `<!-- /name -->`.
 * @throws Error when a table's markers are not there exactly once
 */
export function fillTables(readme: string): string {
  return Object.entries(TABLES).reduce(
    (text, [name, table]) => fillBetween(text, name, table()),
    readme,
  );
}

function fieldTable(): string {
  const rows = manifestFields().map(({ path, takes, fallback, doc }) => [
    code(path),
    fallback === undefined ? (path === "id" ? "required" : "none") : code(fallback),
    takes,
    doc,
  ]);
  return markdownTable(["field", "default", "takes", "what it becomes"], rows);
}

function commandTable(): string {
  const program = buildProgram(async () => {});
  const leaves = program.commands.flatMap((command) =>
    command.commands.length > 0 ? command.commands : [command],
  );
  const rows = leaves.map((command) => [
    code([...names(command), ...command.registeredArguments.map(argument)].join(" ")),
    command.description(),
    optionList(
      command.options.filter((option) => !option.helpGroupHeading),
      headings(command),
    ),
  ]);
  const groups = new Map(
    leaves.flatMap((command) =>
      headings(command).map((heading) => [heading, inGroup(command, heading)] as const),
    ),
  );
  const more = [...groups].map(([heading, options]) => [
    `*${groupName(heading)}*`,
    "",
    optionList(options, []),
  ]);
  const global = program.options.filter(({ long }) => long !== "--version");
  const everywhere = ["everywhere", "", optionList(global, [])];
  return markdownTable(["command", "does", "options"], [...rows, ...more, everywhere]);
}

function names(command: Command): string[] {
  return command.parent ? [...names(command.parent), command.name()] : [command.name()];
}

function argument(each: Command["registeredArguments"][number]): string {
  return each.required ? `<${each.name()}>` : `[${each.name()}]`;
}

/** The groups of options that a command shares with others. */
function headings(command: Command): string[] {
  return [...new Set(command.options.flatMap(({ helpGroupHeading }) => helpGroupHeading ?? []))];
}

function inGroup(command: Command, heading: string): Option[] {
  return command.options.filter(({ helpGroupHeading }) => helpGroupHeading === heading);
}

function groupName(heading: string): string {
  return heading.replace(/:$/, "").toLowerCase();
}

function optionList(options: readonly Option[], groups: readonly string[]): string {
  return [
    ...options.map(({ flags }) => code(flags)),
    ...groups.map((heading) => `*${groupName(heading)}*`),
  ].join(", ");
}

function environmentTable(): string {
  const rows = Object.entries(ENVIRONMENT).map(([name, meaning]) => [code(name), meaning]);
  return markdownTable(["variable", "means"], rows);
}

function chipTable(): string {
  const rows = CHIP_NAMES.map((chip) => {
    const facts = CHIPS[chip];
    return [
      facts.label,
      code(shortName(chip)),
      `GPIO${facts.bootButtonGpio}`,
      `0x${facts.bootloaderOffset.toString(16)}`,
      String(facts.apClients),
      facts.peripherals.join(", "),
      facts.signingKey,
      `${facts.firstIdf} – ${NEWEST_IDF}`,
      isLoaderChip(chip) ? "yes" : "",
    ];
  });
  const head = ["chip", "`target`", "BOOT button", "bootloader at", "AP clients"];
  const more = ["in hardware", "secure boot key", "ESP-IDF", "virtual board"];
  return markdownTable([...head, ...more], rows);
}

function failureTable(): string {
  const row = (name: string, stage: Stage, hint: string, outlook = "") => [
    code(name),
    String(EXIT[stage]),
    hint,
    outlook,
  ];
  return markdownTable(
    ["code", "exit", "what to do", "the device"],
    [
      ...Object.entries(HOST_FAILURES).map(([name, { stage, hint }]) => row(name, stage, hint)),
      ...Object.entries(DEVICE_FAILURES).map(([name, { stage, outlook, hint }]) =>
        row(name, stage, hint, OUTLOOKS[outlook]),
      ),
    ],
  );
}

function code(text: string): string {
  return `\`${text}\``;
}
