import {
  type Argument,
  type Command,
  CommanderError,
  InvalidArgumentError,
  type Option,
} from "commander";
import { collectPorts } from "./option-values.js";

/**
 * Makes `command`, and every command below it, refuse an empty value (an unset variable of a shell) and an option
 * that is given twice, of which one would be dropped without a word. Call it when the tree is complete.
 */
export function refuseEmptyAndRepeated(command: Command): void {
  for (const option of command.options)
    if (option.required || option.optional) guardOption(command, option);
  for (const argument of command.registeredArguments) guardArgument(argument);
  for (const below of command.commands) refuseEmptyAndRepeated(below);
}

function guardOption(command: Command, option: Option): void {
  const parse = option.parseArg;
  option.argParser((value: string, previous: unknown) => {
    const isRepeated = command.getOptionValueSource(option.attributeName()) === "cli";
    // Not an InvalidArgumentError: commander quotes the value in its message, which may be a secret.
    if (isRepeated && parse !== collectPorts)
      throw new CommanderError(
        2,
        "prov.repeated",
        `option '${option.flags}' is given more than once`,
      );
    refuseEmpty(value);
    return parse ? parse(value, previous) : value;
  });
}

function guardArgument(argument: Argument): void {
  const parse = argument.parseArg;
  argument.argParser((value: string, previous: unknown) => {
    refuseEmpty(value);
    return parse ? parse(value, previous) : value;
  });
}

function refuseEmpty(value: string): void {
  if (value === "") throw new InvalidArgumentError("It must not be empty.");
}
