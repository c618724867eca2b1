import { isatty } from "node:tty";
import { CommanderError } from "commander";
import type { GlobalOptions } from "./context.js";
import { SECRET_VARIABLES } from "./environment.js";
import { EXIT, ProvError } from "./errors.js";
import { buildProgram, type CommandRun } from "./program.js";
import { hasCode, systemError, toProvError } from "./system-error.js";
import { hasColor, isDumb } from "./terminal/color.js";
import type { CommandResult, Output } from "./terminal/output.js";

/** How long a crash waits for the clean-up: the network before took up to 24 s to come back in the WiFi lab. */
const CRASH_CLEAN_UP_MS = 30_000;

/** While the manifest's code runs, `process.exit` is not its to call. */
const exit = process.exit.bind(process);

/** What prov was given. Its own dependencies start children too (serialport's udevadm), and hand on what is left. */
const env = { ...process.env };
for (const name of SECRET_VARIABLES) delete process.env[name];

const isAtTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
let hasHungUp = false;

/** Parses the arguments, runs the command, prints its result or its error; returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const abort = new AbortController();
  const stop = (): void => abort.abort(new ProvError("interrupted", "interrupted"));
  let interruptions = 0;
  const interrupt = (): void => {
    interruptions += 1;
    // The first Ctrl-C lets every stage put things back; whoever presses thrice wants out at once.
    if (interruptions >= 3) exit(EXIT.interrupted);
    stop();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGBREAK"] as const) process.on(signal, interrupt);
  // A terminal that closes may send several, of the kernel's and of the shell's; nobody presses anything.
  process.on("SIGHUP", () => {
    hasHungUp = true;
    stop();
  });

  // Until commander has parsed them: an error in the arguments is shown the way that they ask for.
  let globals: GlobalOptions = {
    config: "device.config.ts",
    color: !argv.includes("--no-color"),
    json: argv.includes("--json"),
  };
  const colors = () => {
    const choice = { flag: globals.color, env };
    const color = {
      stderr: hasColor(choice, process.stderr),
      stdout: hasColor(choice, process.stdout),
    };
    tellLibraries(color.stderr);
    return color;
  };
  // The help needs none of it.
  const openOutput = async (json = globals.json ?? false): Promise<Output> => {
    const { createOutput } = await import("./terminal/output.js");
    return createOutput({
      json,
      quiet: globals.quiet ?? false,
      verbose: globals.verbose ?? false,
      color: colors(),
      movement: !isDumb(env),
      stdout: process.stdout,
      stderr: process.stderr,
      annotate: process.env.GITHUB_ACTIONS === "true",
    });
  };

  let crash: ProvError | undefined;
  process.on("uncaughtException", (thrown) => {
    crash ??= toProvError(thrown, false);
    abort.abort(crash);
    // What has not been put back by then never will be; the WiFi's journal is left for the next run.
    setTimeout(async () => {
      (await openOutput()).error(toProvError(thrown, false));
      exit(EXIT.bug);
    }, CRASH_CLEAN_UP_MS);
  });
  let lost: ProvError | undefined;
  process.stdout.on("error", (error) => {
    if (!isReaderGone(error)) lost ??= lostResult(error);
    // `prov monitor | head` has seen enough; that is an interruption, not a bug.
    abort.abort(
      lost ?? new ProvError("interrupted", "nobody reads stdout any more", { cause: error }),
    );
  });
  // Progress that nobody reads any more is no reason to stop half-way.
  process.stderr.on("error", () => {});

  const runCommand = async (options: GlobalOptions, command: CommandRun): Promise<void> => {
    globals = options;
    const out = await openOutput();
    const result: CommandResult = await command({
      out,
      signal: abort.signal,
      cwd: process.cwd(),
      env,
    });
    if (crash) throw crash;
    out.result(result);
  };
  const attempt = async (): Promise<number> => {
    let complaint = "";
    const onComplaint = (text: string): void => {
      complaint = text;
    };
    try {
      await buildProgram(runCommand, onComplaint).parseAsync(["node", "prov", ...argv]);
      return EXIT.ok;
    } catch (thrown) {
      if (isHelpWanted(thrown, argv) && !globals.json) {
        process.stdout.write(complaint);
        return EXIT.usage;
      }
      if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
      if (lost) return lost.exitCode;
      const error =
        thrown instanceof CommanderError
          ? usageError(thrown, argv)
          : (crash ?? toProvError(thrown, abort.signal.aborted));
      (await openOutput()).error(error);
      return error.exitCode;
    }
  };

  const exitCode = await attempt();
  // On a pipe of Windows, what was written may not be out yet; a disk that is full says so no sooner.
  await new Promise<void>((resolve) => process.stdout.write("", () => setImmediate(resolve)));
  if (!lost) return exitCode;
  (await openOutput(false)).error(lost);
  return exitCode === EXIT.ok ? lost.exitCode : exitCode;
}

/** Spinner and prompts look at the environment themselves, and Node warns of one that contradicts itself. */
function tellLibraries(color: boolean): void {
  delete process.env[color ? "NO_COLOR" : "FORCE_COLOR"];
  if (!color) process.env.NO_COLOR = "1";
}

/** Whether stdout broke because its other end went away, and not because it cannot be written. */
function isReaderGone(error: Error): boolean {
  return hasCode(error, "EPIPE") || hasCode(error, "ECONNRESET") || Boolean(process.stdout.isTTY);
}

function lostResult(cause: Error): ProvError {
  const { message } = systemError(cause) ?? cause;
  return new ProvError("file_inaccessible", `stdout cannot be written: ${message}`, { cause });
}

/** Who names no command gets the help, and the exit code of a usage error, as from git and npm. */
function isHelpWanted(thrown: unknown, argv: readonly string[]): boolean {
  const isHelp = thrown instanceof CommanderError && thrown.code === "commander.help";
  return isHelp && unknownTopic(argv) === undefined;
}

/** The word that `prov help` was asked about and does not know, when it has thrown. */
function unknownTopic(argv: readonly string[]): string | undefined {
  const [command, about] = argv.filter((argument) => !argument.startsWith("-"));
  return command === "help" ? about : undefined;
}

function usageError(error: CommanderError, argv: readonly string[]): ProvError {
  if (error.code === "commander.help") {
    const topic = unknownTopic(argv);
    return new ProvError("usage", topic ? `unknown command '${topic}'` : "no command given");
  }
  // The value of a misspelt option may be a secret.
  const message = error.message.replace(/^error: (unknown option '[^=']*)=[\s\S]*'/, "$1'");
  return new ProvError("usage", message.replace(/^error: /, "").replaceAll("\n", " "));
}

// Limits do not keep the process alive; whatever is waited for, this lets them end the wait.
setInterval(() => {}, 60_000);
const exitCode = await main(process.argv.slice(2));
if (hasHungUp && isAtTerminal) {
  // On its way out node wants to reset the terminal, and aborts with a core dump where that is gone.
  process.removeAllListeners("SIGHUP");
  process.kill(process.pid, "SIGHUP");
}
exit(exitCode);
