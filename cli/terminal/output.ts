import { styleText } from "node:util";
import type { Ora } from "ora";
import type { ProvError } from "../errors.js";
import { visible, visiblePlain, visibleStyled, withoutCommands } from "./foreign-text.js";
import { renderDocument, renderError } from "./json-document.js";
import type { Progress, Task } from "./progress.js";
import { progressLine } from "./progress-line.js";
import { wrapProse } from "./wrap-prose.js";

/** What a command hands back: one JSON document for machines, text for people. */
export interface CommandResult {
  /** null: the command has printed its document itself, before it ended. */
  json: Record<string, unknown> | null;
  text: string;
}

export interface OutputOptions {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** Whether stderr, and whether stdout, gets colour. */
  color: { stderr: boolean; stdout: boolean };
  /** Whether the terminal's cursor may be moved. */
  movement: boolean;
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  stderr: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  /** GitHub Actions: it shows marked errors on the run's page, and takes other lines for commands, too. */
  annotate: boolean;
}

export interface Output extends Progress {
  options: OutputOptions;
  /** Of the terminal that shows the result; undefined when none does. */
  columns: number | undefined;
  result(result: CommandResult): void;
  /** The one document of a success, for a command that goes on after it. */
  document(fields: Readonly<Record<string, unknown>>): void;
  /** A line of a result on stdout, for a command that has more than one; without --json only. */
  print(text: string): void;
  /** A line of a device's log, which is the result of a command unless there is a document. */
  log(line: string): void;
  error(error: ProvError): void;
  paint(style: "green" | "red" | "yellow" | "cyan" | "dim" | "bold", text: string): string;
}

/** Results go to stdout, everything else to stderr; colour and movement only where a person looks. */
export async function createOutput(options: OutputOptions): Promise<Output> {
  // A terminal that says it has no columns would have ora erase infinitely many lines.
  const { isTTY, columns = 0 } = options.stderr;
  const animated =
    Boolean(isTTY) && columns > 0 && options.movement && !options.quiet && !options.json;
  const ora = animated ? (await import("ora")).default : undefined;
  let active: Ora | undefined;

  const paint: Output["paint"] = (style, text) =>
    options.color.stderr || options.color.stdout
      ? styleText(style, text, { validateStream: false })
      : text;
  // Whatever a text is made of, and wherever it comes from: past this nothing is obeyed but prov's own colours.
  const shown = (text: string, color: boolean): string => {
    const safe = color ? visibleStyled(text) : visiblePlain(text);
    return options.annotate ? withoutCommands(safe) : safe;
  };
  const line = (text: string): void => {
    active?.clear();
    options.stderr.write(`${shown(text, options.color.stderr)}\n`);
    active?.render();
  };
  const sentence = (text: string): void =>
    line(wrapProse(text, isTTY ? options.stderr.columns || undefined : undefined));
  const say = (text: string): void => {
    if (!options.quiet) line(text);
  };

  const plainTask = (label: string): Task => {
    const begin = performance.now();
    const ending = (mark: string, text?: string): void =>
      say(`${mark} ${label}${text ? `: ${text}` : ""} ${paint("dim", seconds(begin))}`);
    return {
      update() {},
      done: (text) => ending(paint("green", "✓"), text),
      failed: (text) => ending(paint("red", "✗"), text),
    };
  };

  const animatedTask = (given: string, start: NonNullable<typeof ora>): Task => {
    const label = visible(given);
    const begin = performance.now();
    const spinner = start({
      text: label,
      stream: process.stderr,
      color: options.color.stderr ? "cyan" : false,
      discardStdin: false,
    }).start();
    active = spinner;
    const ending = (mark: string, text?: string): void => {
      spinner.stopAndPersist({
        symbol: mark,
        text: `${label}${text ? `: ${visible(text)}` : ""} ${paint("dim", seconds(begin))}`,
      });
      if (active === spinner) active = undefined;
    };
    return {
      update: ({ fraction, text = "" }) => {
        const given = { fraction, text: visible(text) };
        const { columns: now = columns } = options.stderr;
        spinner.text = progressLine(label, given, now, (part) => paint("dim", part));
      },
      done: (text) => ending(paint("green", "✓"), text),
      failed: (text) => ending(paint("red", "✗"), text),
    };
  };

  const print = (text: string): void => {
    options.stdout.write(`${shown(text, options.color.stdout)}\n`);
  };

  const document = (fields: Readonly<Record<string, unknown>>): void => {
    options.stdout.write(`${renderDocument(true, fields)}\n`);
  };

  return {
    options,
    columns: options.stdout.isTTY ? options.stdout.columns || undefined : undefined,
    paint,
    print,
    document,
    log: options.json ? line : print,
    task: (label) => (ora ? animatedTask(label, ora) : plainTask(label)),
    note: say,
    warn: (message) => sentence(`${paint("yellow", "!")} ${message}`),
    detail: (message) => {
      if (options.verbose) line(paint("dim", message));
    },
    result: ({ json, text }) => {
      if (json === null) return;
      if (options.json) document(json);
      else if (text) print(text);
    },
    error: (error) => {
      if (options.annotate) options.stderr.write(`${annotation(error)}\n`);
      if (options.json) {
        options.stdout.write(`${renderError(error)}\n`);
        return;
      }
      sentence(`${paint("red", `error ${error.code}`)}: ${error.message}`);
      sentence(`${paint("cyan", "next")}: ${error.hint}`);
      if (options.verbose && error.cause)
        line(
          paint(
            "dim",
            `cause: ${error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause)}`,
          ),
        );
    },
  };
}

/** GitHub's workflow command for an error, with its two ways of escaping (actions/toolkit, command.ts). */
function annotation(error: ProvError): string {
  const data = (text: string): string =>
    text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = (text: string): string =>
    data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::error title=${property(`prov ${error.code}`)}::${data(withoutCommands(`${error.message}\nnext: ${error.hint}`))}`;
}

function seconds(begin: number): string {
  return `${((performance.now() - begin) / 1000).toFixed(1)} s`;
}
