import { Command } from "commander";
import { build } from "./commands/build.js";
import { codegen } from "./commands/codegen.js";
import { doctor } from "./commands/doctor.js";
import { flash } from "./commands/flash.js";
import { keys } from "./commands/keys.js";
import { lab } from "./commands/lab.js";
import { monitor } from "./commands/monitor.js";
import { ports } from "./commands/ports.js";
import { provision } from "./commands/provision.js";
import { reset } from "./commands/reset.js";
import { run } from "./commands/run.js";
import { scan } from "./commands/scan.js";
import { status } from "./commands/status.js";
import type { CommandContext, GlobalOptions } from "./context.js";
import { readVersion } from "./paths.js";
import { refuseEmptyAndRepeated } from "./strict-options.js";
import type { CommandResult } from "./terminal/output.js";
import type { Verb, VerbGroup } from "./verb.js";

/** In the order of the help. */
const VERBS: readonly (Verb<never> | VerbGroup)[] = [
  ...[keys, codegen, build, flash, monitor, ports, scan, provision, status, reset, run],
  ...[lab, doctor],
];

export type CommandRun = (context: CommandContext) => Promise<CommandResult>;
export type RunCommand = (globals: GlobalOptions, command: CommandRun) => Promise<void>;

/**
 * The command tree.
 * @param onComplaint gets what commander would print on stderr: an error in the arguments or, with no command, the help
 */
export function buildProgram(
  runCommand: RunCommand,
  onComplaint: (text: string) => void = () => {},
): Command {
  const program = new Command("prov")
    .description(
      "From an empty ESP32 to a device that reports over mutual-TLS MQTT, from one typed manifest.",
    )
    .version(readVersion())
    .option("--config <file>", "the device manifest", "device.config.ts")
    .option("--device <id>", "which device, when the manifest defines several")
    .option("--json", "print one JSON document on stdout")
    .option("--quiet", "print results, warnings and errors only")
    .option("--verbose", "print details and causes")
    .option("--no-color", "no colour (also NO_COLOR)")
    // Wrapped at words on narrow terminals too: commander leaves columns of less than 40 to the terminal.
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    // The commands below inherit both.
    .configureOutput({ writeErr: onComplaint })
    .exitOverride();
  for (const verb of VERBS) addVerb(program, verb, runCommand);
  refuseEmptyAndRepeated(program);
  return program;
}

function addVerb(above: Command, verb: Verb<never> | VerbGroup, runCommand: RunCommand): void {
  const command = above.command(verb.name).description(verb.summary);
  if ("verbs" in verb) {
    for (const below of verb.verbs) addVerb(command, below, runCommand);
    return;
  }
  verb.options?.(command);
  command.action(async (...received: unknown[]) => {
    const positional = received.filter((value): value is string => typeof value === "string");
    const options = command.optsWithGlobals<never>();
    await runCommand(options, (context) => verb.action(options, context, ...positional));
  });
}
