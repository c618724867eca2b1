import type { Output } from "./terminal/output.js";

/** The options that every command takes. */
export interface GlobalOptions {
  config: string;
  device?: string;
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  color: boolean;
}

/** What every command is given: where it runs, how it speaks, and when it has to stop. */
export interface CommandContext {
  out: Output;
  /** Aborted by Ctrl-C (SIGINT) and SIGTERM. */
  signal: AbortSignal;
  cwd: string;
  env: NodeJS.ProcessEnv;
}
