import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDir } from "./project.js";
import { type Outcome, prov, REPOSITORY } from "./prov.js";

const FIXTURES = fileURLToPath(new URL("../cli/fixtures/idf", import.meta.url));
const STAND_IN = join(REPOSITORY, "test", "support", "idf-stand-in.mjs");

export const APP_BYTES = 1_000_000;

/** What makes a manifest fit to build: no placeholder is left. */
export const REAL = `backend: { url: "https://b.example" }, mqtt: { uri: "mqtts://m.example" }`;
export const AP_PASSWORD = "only-for-the-AP";
export const BUILDABLE = `defineDevice({ id: "fern", target: "esp32c3", softAp: { password: "${AP_PASSWORD}" }, ${REAL} })`;

/** One call of the stand-in. */
export interface Call {
  argv: string[];
  cwd: string;
  env: Record<string, string | undefined>;
  pid: number;
}

export interface IdfStandIn {
  /** For IDF_PATH. */
  readonly path: string;
  /** What idf.py does from now on: prints the recorded pieces and ends with `exit`. */
  play(
    pieces: readonly string[],
    options?: {
      exit?: number;
      appBytes?: number;
      /** What it makes of a symbol, whatever it was asked for; null: it drops it. */
      sdkconfig?: Record<string, string | null>;
      /** The symbols (without CONFIG_) that its Kconfig does not have and says nothing about. */
      lacks?: readonly string[];
    },
  ): void;
  /** From now on idf.py's products are the files of this folder. */
  handOut(dir: string): void;
  /** From now on idf.py prints the recorded pieces, starts a compiler and does not end. */
  hang(pieces: readonly string[], options?: { lacks?: readonly string[] }): void;
  calls(): Call[];
  /** The processes that `hang` left: idf.py and the compiler. */
  pids(): number[];
}

export const SUCCESS = ["configure", "start", "end", "end-fits"] as const;

/** An ESP-IDF whose idf.py is a stand-in, found through its export.sh as a real one is. */
export function idfStandIn(options: { release?: string; exportScript?: string } = {}): IdfStandIn {
  const path = temporaryDir();
  const [major = "5", minor = "5"] = (options.release ?? "5.5").split(".");
  mkdirSync(join(path, "tools", "cmake"), { recursive: true });
  writeFileSync(
    join(path, "tools", "cmake", "version.cmake"),
    `set(IDF_VERSION_MAJOR ${major})\nset(IDF_VERSION_MINOR ${minor})\nset(IDF_VERSION_PATCH 1)\n`,
  );
  writeFileSync(
    join(path, "export.sh"),
    // Like the real one it reads variables that may be unset and runs commands that may fail.
    options.exportScript ??
      'if [ -n "$IDF_NEVER_SET" ]; then return 1; fi\nfalse\nexport PATH="$IDF_PATH/tools:$PATH"\n',
  );
  writeFileSync(
    join(path, "tools", "idf.py"),
    `#!/bin/sh\nexec "${process.execPath}" "${STAND_IN}" "${path}" "$@"\n`,
    { mode: 0o755 },
  );
  const setScenario = (scenario: object): void =>
    writeFileSync(join(path, "scenario.json"), JSON.stringify(scenario));
  const standIn: IdfStandIn = {
    path,
    play: (pieces, { exit = 0, appBytes = APP_BYTES, sdkconfig = {}, lacks } = {}) =>
      setScenario({ output: pieces.map(recorded).join(""), exit, appBytes, sdkconfig, lacks }),
    handOut: (products) =>
      setScenario({ output: SUCCESS.map(recorded).join(""), exit: 0, products }),
    hang: (pieces, { lacks } = {}) =>
      setScenario({ output: pieces.map(recorded).join(""), hang: true, lacks }),
    calls: () => {
      const log = join(path, "calls.jsonl");
      if (!existsSync(log)) return [];
      const lines = readFileSync(log, "utf8").trim().split("\n");
      return lines.map((line): Call => JSON.parse(line));
    },
    pids: () => JSON.parse(readFileSync(join(path, "pids.json"), "utf8")),
  };
  standIn.play(SUCCESS);
  return standIn;
}

/** `prov build` with this ESP-IDF. */
export function build(cwd: string, idf: IdfStandIn, ...args: string[]): Promise<Outcome> {
  return prov(["build", ...args], { cwd, env: { IDF_PATH: idf.path } });
}

export async function buildFails(cwd: string, idf: IdfStandIn, ...args: string[]) {
  const { code, stdout } = await build(cwd, idf, "--json", ...args);
  return { code, error: JSON.parse(stdout).error };
}

/** The folder that idf.py compiles in. */
export function folderOf(call: Call | undefined): string {
  return call?.argv[call.argv.indexOf("-B") + 1] ?? "";
}

function recorded(piece: string): string {
  return readFileSync(join(FIXTURES, `${piece}.txt`), "utf8");
}

/** The processes among these that still run; one that has ended but was not waited for does not. */
export function running(pids: readonly number[]): number[] {
  return pids.filter((pid) => {
    const state = stateOf(pid);
    return state !== undefined && !state.startsWith("Z");
  });
}

function stateOf(pid: number): string | undefined {
  try {
    if (!existsSync("/proc/self/stat"))
      return execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field of proc(5)'s stat may hold spaces and parentheses; the third is the state.
    return stat.slice(stat.lastIndexOf(")") + 2);
  } catch {
    return undefined;
  }
}
