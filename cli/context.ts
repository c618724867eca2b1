import type { Output } from "./terminal/output.js";
import type { Progress } from "./terminal/progress.js";

/** The options that every command takes. */
export interface GlobalOptions {
  config: string;
  device?: string;
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  color: boolean;
}

/** Where work takes place, how it tells what it does, and when it has to stop. */
export interface WorkContext {
  out: Progress;
  /** Aborted by Ctrl-C (SIGINT) and SIGTERM. */
  signal: AbortSignal;
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/** What every command is given: the same, with a terminal or a reader of JSON on the other side. */
export interface CommandContext extends WorkContext {
  out: Output;
}
