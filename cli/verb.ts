import type { Command } from "commander";
import type { CommandContext, GlobalOptions } from "./context.js";
import type { CommandResult } from "./terminal/output.js";

/**
 * One verb of the command line. Every start of prov reads its file for the help, so the file imports next to nothing: what
 * the action needs it imports when it runs.
 */
export interface Verb<Options> {
  readonly name: string;
  readonly summary: string;
  /** Declares its flags and arguments. */
  options?(command: Command): Command;
  action(
    options: Options & GlobalOptions,
    context: CommandContext,
    ...positional: string[]
  ): Promise<CommandResult>;
}

/** Verbs below a word of their own. */
export interface VerbGroup {
  readonly name: string;
  readonly summary: string;
  /** Of whatever options: each gets those that it declares. */
  readonly verbs: readonly Verb<never>[];
}
