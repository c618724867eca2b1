import {
  type Argument,
  type Command,
  CommanderError,
  InvalidArgumentError,
  type Option,
} from "commander";
import { collectPorts } from "./commands/options/values.js";

/**
 * Makes `command`, and every command below it, refuse an empty value (an unset variable of a shell), an option in
 * the place of a value, and an option that is given twice, or with its negation, of which one would be dropped without
 * a word. Call it when the tree is complete.
 */
export function refuseEmptyAndRepeated(command: Command): void {
  for (const option of command.options)
    if (option.required || option.optional) guardOption(command, option);
  for (const argument of command.registeredArguments) guardArgument(argument);
  for (const below of command.commands) refuseEmptyAndRepeated(below);
}

function guardOption(command: Command, option: Option): void {
  const parse = option.parseArg;
  const name = option.attributeName();
  const negation = command.options.find((each) => each.negate && each.attributeName() === name);
  let isGiven = false;
  let isNegated = false;
  const refuseBoth = (): void => {
    if (isGiven && isNegated)
      throw refusal(`${option.long} and ${negation?.long} exclude each other`);
  };
  if (negation)
    command.on(`option:${negation.name()}`, () => {
      isNegated = true;
      refuseBoth();
    });
  option.argParser((value: string, previous: unknown) => {
    // commander takes whatever follows for the value.
    if (isOption(command, value))
      throw refusal(`option '${option.flags}' argument missing: ${value} follows`);
    if (isGiven && parse !== collectPorts)
      throw refusal(`option '${option.flags}' is given more than once`);
    isGiven = true;
    refuseBoth();
    refuseEmpty(value);
    return parse ? parse(value, previous) : value;
  });
}

/** Not an InvalidArgumentError: commander quotes the value in its message, which may be a secret. */
function refusal(message: string): CommanderError {
  return new CommanderError(2, "prov.refused", message);
}

function isOption(command: Command, value: string): boolean {
  const above = command.parent;
  return (
    value === "--help" ||
    command.options.some(({ long, short }) => value === long || value === short) ||
    (above !== null && isOption(above, value))
  );
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
