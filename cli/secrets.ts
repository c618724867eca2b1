import { createInterface } from "node:readline";
import { addAbortSignal, type Readable, Writable } from "node:stream";
import type { DeviceManifest } from "../codegen/manifest.js";
import { SECRET_VARIABLES, type SecretVariable } from "./environment.js";
import { ProvError } from "./errors.js";
import { isDumb } from "./terminal/color.js";

/** Far more than any secret has; what is judged then is that it is too long. */
const LINE_MAX_BYTES = 64 * 1024;

/** Where a secret may come from, in the order in which it is looked for. */
export interface SecretSource {
  /** What it is, for the prompt and the error: "WiFi password". */
  label: string;
  /** The value of its flag. */
  flag: string | undefined;
  /** The name of its environment variable. */
  variable: SecretVariable;
  /** Whether it is to be read from stdin (one line). */
  fromStdin?: boolean;
  /** Asked for on a terminal when it is required and nothing else gave it. */
  prompt: boolean;
  required: boolean;
  /** What to do when it is required and nothing gave it. */
  missingHint?: string;
}

/** What a run was given, as far as it is known. */
interface RunInputs {
  readonly env: NodeJS.ProcessEnv;
  readonly manifest?: DeviceManifest;
  readonly credentials?: {
    readonly password: string;
    readonly token?: string;
    readonly bearer?: string;
  };
  /** The operator's access to the broker. */
  readonly broker?: { readonly password?: string } | undefined;
}

/** All of it that no log may show, of whatever device. */
export function secretsOfRun({ env, manifest, credentials, broker }: RunInputs): string[] {
  const given = [
    ...SECRET_VARIABLES.map((name) => env[name]),
    ...[manifest?.softAp.password, manifest?.softAp.pairingSecret, manifest?.mqtt.password],
    ...[credentials?.password, credentials?.token, credentials?.bearer],
    broker?.password,
  ];
  return [...new Set(given.flatMap((secret) => secret || []))];
}

/** What a terminal has beside its bytes. */
type Input = Readable & { isTTY?: boolean };

/** Whether there is a terminal to ask people on. */
export function canAsk(input: Input = process.stdin): boolean {
  return Boolean(input.isTTY && process.stderr.isTTY);
}

/**
 * The secret that is there without reading or asking. An empty variable counts as none: CI systems hand over a
 * secret that is not defined as an empty text.
 * @throws ProvError input_missing when it is required, and neither stdin nor people can give it
 */
export function secretGiven(
  source: SecretSource,
  env: NodeJS.ProcessEnv,
  input: Input = process.stdin,
): string | undefined {
  if (source.flag !== undefined) return source.flag;
  if (source.fromStdin) return undefined;
  const fromEnvironment = env[source.variable];
  if (fromEnvironment) return fromEnvironment;
  if (source.required && !(source.prompt && canAsk(input))) throw missing(source);
  return undefined;
}

/**
 * A secret from its flag, stdin, the environment or a hidden prompt.
 * @throws ProvError input_missing when it is required and nothing gave it
 */
export async function resolveSecret(
  source: SecretSource,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  input: Input = process.stdin,
): Promise<string | undefined> {
  const given = secretGiven(source, env, input);
  if (given !== undefined) return given;
  if (source.fromStdin) {
    const line = await readLine(input, signal);
    if (line !== "") return line;
    throw new ProvError("input_missing", `no ${source.label} came on stdin`, {
      hint: "Pipe it in, ended by a line break.",
    });
  }
  if (!source.required || !source.prompt) return undefined;
  const answer = await ask(source.label, signal);
  if (answer === "") throw missing(source);
  return answer;
}

function missing({ label, variable, missingHint }: SecretSource): ProvError {
  return new ProvError("input_missing", `no ${label} given`, {
    hint: missingHint ?? `Give it with its flag, in ${variable}, or run on a terminal to be asked.`,
  });
}

async function ask(label: string, signal: AbortSignal): Promise<string> {
  if (isDumb(process.env)) return askPlainly(label, signal);
  const { default: password } = await import("@inquirer/password");
  return password({ message: label, mask: true }, { output: process.stderr, signal });
}

/** For a terminal whose cursor cannot be moved: it shows the question, and nothing of what is typed. */
async function askPlainly(label: string, signal: AbortSignal): Promise<string> {
  const { stdin, stderr } = process;
  // Before the question: from here on the terminal does not echo.
  const terminal = createInterface({
    input: stdin,
    output: new Writable({ write: (_chunk, _encoding, done) => done() }),
    terminal: true,
  });
  stderr.write(`${label}: `);
  try {
    return await new Promise<string>((resolve, reject) => {
      const give = (reason: unknown): void =>
        reject(new ProvError("interrupted", "interrupted", { cause: reason }));
      terminal.once("line", resolve);
      // Ctrl-C is a key while the terminal is in raw mode; Ctrl-D ends the input.
      terminal.once("SIGINT", give);
      terminal.once("close", give);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  } finally {
    terminal.close();
    stderr.write("\n");
  }
}

async function readLine(input: Readable, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of addAbortSignal(signal, input)) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (bytes.includes(0x0a) || length > LINE_MAX_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8").split(/\r?\n/, 1)[0] ?? "";
}
