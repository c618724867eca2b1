import { type Command, Option } from "commander";
import { labName, positiveInteger, seconds } from "./commands/options/values.js";
import type { CommandContext, GlobalOptions } from "./context.js";
import type { CommandResult } from "./terminal/output.js";

export type CommandRun = (context: CommandContext) => Promise<CommandResult>;

/** Adds a command whose action hands its options to `start`, which imports the code and runs it. */
export type Add = <Options>(
  command: Command,
  start: (options: Options & GlobalOptions, ...positional: string[]) => Promise<CommandRun>,
) => void;

/** `prov lab …`: the virtual board and what surrounds it. */
export function addLab(program: Command, add: Add): void {
  const lab = program
    .command("lab")
    .description("the virtual board with its own backend, broker and air");
  const name = (): Option =>
    new Option("--name <name>", "which lab").argParser(labName).default("default");

  add<import("./commands/lab-up.js").LabUpOptions>(
    lab
      .command("up")
      .description("start a lab in the foreground and print how to drive it")
      .option("--timeout <seconds>", "bound on the board's boot; default 20", seconds)
      .option("--keep", "go on with the board's flash as the last `lab up` left it")
      .option(
        "--certificate-seconds <seconds>",
        "lifetime of device certificates; default a year",
        positiveInteger,
      )
      .addOption(name())
      .addOption(
        new Option("--broker <kind>", "which broker")
          .choices(["embedded", "mosquitto"])
          .default("embedded"),
      )
      .addOption(
        new Option("--sanitize <kind>", "build the firmware with a sanitizer").choices([
          "address",
          "undefined",
          "thread",
        ]),
      ),
    async (options) => (await import("./commands/lab-up.js")).labUpCommand(options),
  );
  add<import("./commands/lab-control.js").LabOptions>(
    lab
      .command("token")
      .argument("<device>", "device id")
      .description("issue a provisioning token for a device")
      .addOption(name()),
    async (options, device) =>
      (await import("./commands/lab-control.js")).labTokenCommand(options, device ?? ""),
  );
  add<import("./commands/lab-control.js").LabOptions>(
    lab
      .command("info")
      .description("show the addresses and files of a running lab")
      .addOption(name()),
    async (options) => (await import("./commands/lab-control.js")).labInfoCommand(options),
  );
  add<import("./commands/lab-control.js").LabOptions>(
    lab
      .command("board")
      .argument(
        "<action>",
        "on, off, cut (pull the plug), reset, press or release (the BOOT button)",
      )
      .description("power, reset or press the button of the virtual board")
      .addOption(name()),
    async (options, action) =>
      (await import("./commands/lab-control.js")).labBoardCommand(options, action ?? ""),
  );
}
