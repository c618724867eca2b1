/** What decides about colour besides the stream. */
export interface ColorChoice {
  /** False for `--no-color`. */
  readonly flag: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Whether a stream gets colour. The first that says something decides: `--no-color`, FORCE_COLOR (https://force-color.org;
 * `0` and `false` are a no, as in Node), NO_COLOR (https://no-color.org), TERM=dumb, and whether a person looks.
 */
export function hasColor(
  { flag, env }: ColorChoice,
  stream: { readonly isTTY?: boolean },
): boolean {
  if (!flag) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false";
  if (env.NO_COLOR || isDumb(env)) return false;
  return Boolean(stream.isTTY);
}

/** A terminal that has no cursor to move (terminfo's `dumb`), such as a shell inside an editor. */
export function isDumb(env: NodeJS.ProcessEnv): boolean {
  return env.TERM === "dumb";
}
