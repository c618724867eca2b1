#!/usr/bin/env node
import { CommanderError } from "commander";
import type { GlobalOptions } from "./context.js";
import { EXIT, ProvError } from "./errors.js";
import { type CommandResult, createOutput, toProvError } from "./output.js";
import { buildProgram } from "./program.js";

/** Parses the arguments, runs the command, prints its result or its error; returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const abort = new AbortController();
  let interruptions = 0;
  const interrupt = (): void => {
    interruptions += 1;
    // The first Ctrl-C lets every stage put things back; whoever presses thrice wants out at once.
    if (interruptions >= 3) process.exit(EXIT.interrupted);
    abort.abort(new ProvError("interrupted", "interrupted"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);

  // Until commander has parsed them: an error in the arguments is shown the way that they ask for.
  let globals: GlobalOptions = {
    config: "device.config.ts",
    color: !argv.includes("--no-color"),
    json: argv.includes("--json"),
  };
  const openOutput = () =>
    createOutput({
      json: globals.json ?? false,
      quiet: globals.quiet ?? false,
      verbose: globals.verbose ?? false,
      color: globals.color && !process.env.NO_COLOR && Boolean(process.stderr.isTTY),
      stdout: process.stdout,
      stderr: process.stderr,
      annotate: process.env.GITHUB_ACTIONS === "true",
    });

  const runCommand = async (
    options: GlobalOptions,
    command: Parameters<Parameters<typeof buildProgram>[0]>[1],
  ): Promise<void> => {
    globals = options;
    const out = await openOutput();
    const result: CommandResult = await command({
      out,
      signal: abort.signal,
      cwd: process.cwd(),
      env: process.env,
    });
    out.result(result);
  };

  const crash = async (thrown: unknown): Promise<void> => {
    (await openOutput()).error(toProvError(thrown, false));
    process.exit(EXIT.bug);
  };
  process.on("uncaughtException", (error) => void crash(error));
  process.stdout.on("error", (error) => {
    // `prov monitor | head` has seen enough; that is an interruption, not a bug.
    abort.abort(new ProvError("interrupted", "nobody reads stdout any more", { cause: error }));
  });

  try {
    await buildProgram(runCommand).parseAsync(["node", "prov", ...argv]);
    return EXIT.ok;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
    const error =
      thrown instanceof CommanderError
        ? usageError(thrown, argv)
        : toProvError(thrown, abort.signal.aborted);
    (await openOutput()).error(error);
    return error.exitCode;
  }
}

function usageError(error: CommanderError, argv: readonly string[]): ProvError {
  const [command, about] = argv.filter((argument) => !argument.startsWith("-"));
  if (error.code === "commander.help")
    return new ProvError(
      "usage",
      command === "help" && about ? `unknown command '${about}'` : "no command given",
    );
  return new ProvError("usage", error.message.replace(/^error: /, "").replaceAll("\n", " "));
}

// Limits do not keep the process alive; whatever is waited for, this lets them end the wait.
const alive = setInterval(() => {}, 60_000);
const exitCode = await main(process.argv.slice(2));
clearInterval(alive);
// On a pipe of Windows, what was written may not be out yet.
process.stdout.write("", () => process.exit(exitCode));
