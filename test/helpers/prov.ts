import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installRoot } from "../../cli/paths.js";
import { checkDocument } from "./json-keys.js";

export const REPOSITORY = installRoot();
export const MAIN = join(REPOSITORY, "dist", "cli", "main.js");

/** Everything that the suite makes prov print or write lies below this folder, for the test that looks for secrets. */
export const PRODUCED = join(REPOSITORY, ".cache", "produced");

/** The project that the end-to-end tests share, so that the firmware is compiled once. */
export const PROJECT = join(REPOSITORY, ".cache", "e2e");
export const DEVICE_ID = "e2e-device";
/** What its manifest has for a broker that wants more than a certificate; the lab's brokers do not. */
export const BROKER_PASSWORD = "broker-1f0a9c5e77d24b6d";

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface ProvOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: string;
}

/** Runs `prov` as a user would and returns what it printed and its exit code. */
export async function prov(args: readonly string[], options: ProvOptions = {}): Promise<Outcome> {
  const outcome = await outcomeOf(startProv(args, options), options.input);
  const { stdout, stderr } = outcome;
  keep(args, stdout, stderr);
  if (args.includes("--json") && stdout !== "") checkDocument(stdout);
  return outcome;
}

/** What a program says until it ends; `input` is all that it gets to read, when its stdin is a pipe. */
export async function outcomeOf(child: ChildProcess, input = ""): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });
  // A command that has ended before it read its input is no failure of the test.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout, stderr };
}

/** `args` with those of the options that they do not have: prov takes none twice. */
export function withDefaults(
  defaults: Readonly<Record<string, string>>,
  args: readonly string[],
): string[] {
  return [...Object.entries(defaults).filter(([flag]) => !args.includes(flag)), args].flat();
}

export function startProv(args: readonly string[], options: ProvOptions = {}): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd ?? ensureProject(),
    env: { ...process.env, GITHUB_ACTIONS: "", NO_COLOR: "1", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Runs any other program to its end. */
export async function run(command: string, args: readonly string[], input = ""): Promise<Outcome> {
  return outcomeOf(spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] }), input);
}

export function ensureProject(): string {
  const manifest = join(PROJECT, "device.config.ts");
  const device = {
    id: DEVICE_ID,
    target: "esp32c3",
    mqtt: { statusIntervalSeconds: 1, username: "e2e", password: BROKER_PASSWORD },
  };
  const text = `import { defineDevice } from "prov";\n\nexport default defineDevice(${JSON.stringify(device)});\n`;
  if (!existsSync(manifest) || readFileSync(manifest, "utf8") !== text) {
    mkdirSync(PROJECT, { recursive: true });
    writeFileSync(manifest, text);
  }
  return PROJECT;
}

/** The arguments are left out: some tests give secrets as flags on purpose. */
export function keep(args: readonly string[], ...texts: readonly string[]): void {
  mkdirSync(PRODUCED, { recursive: true });
  appendFileSync(
    join(PRODUCED, `${args[0] ?? "prov"}-${process.pid}.log`),
    `${texts.join("\n")}\n`,
  );
}
