import { ProvError } from "./errors.js";

/** Where a secret may come from, in the order in which it is looked for. */
export interface SecretSource {
  /** What it is, for the prompt and the error: "WiFi password". */
  label: string;
  /** The value of its flag. */
  flag: string | undefined;
  /** The name of its environment variable. */
  variable: string;
  /** Whether it is to be read from stdin (one line). */
  fromStdin?: boolean;
  /** Asked for on a terminal when nothing else gave it. */
  prompt: boolean;
  required: boolean;
}

/**
 * A secret from its flag, stdin, the environment or a hidden prompt.
 * @throws ProvError input_missing when it is required and nothing gave it
 */
export async function resolveSecret(
  source: SecretSource,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (source.flag !== undefined) return source.flag;
  if (source.fromStdin) return readLine(process.stdin);
  const fromEnvironment = env[source.variable];
  if (fromEnvironment !== undefined) return fromEnvironment;
  if (source.prompt && process.stdin.isTTY && process.stderr.isTTY) {
    const { default: password } = await import("@inquirer/password");
    return password({ message: source.label, mask: true }, { output: process.stderr, signal });
  }
  if (source.required)
    throw new ProvError("input_missing", `no ${source.label} given`, {
      hint: `Give it with its flag, in ${source.variable}, or run on a terminal to be asked.`,
    });
  return undefined;
}

async function readLine(stream: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    if (chunk.includes(0x0a)) break;
  }
  return Buffer.concat(chunks).toString("utf8").split(/\r?\n/, 1)[0] ?? "";
}
