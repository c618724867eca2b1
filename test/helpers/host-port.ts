import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Air } from "../../cli/lab/air/air-file.js";
import { listAnnouncedAps } from "../../cli/lab/air/air-file.js";
import { createLineSplitter } from "../../cli/lines.js";
import { hasExited, spawnBound } from "../../cli/processes/child.js";
import { buildProject } from "./cmake.js";
import { longer, WITH_ALL } from "./longer.js";
import { temporaryDir } from "./project.js";

const SOURCE = fileURLToPath(new URL("../firmware/host-port", import.meta.url));
const BUILD = fileURLToPath(new URL("../../.cache/host-port-tests", import.meta.url));

/** The two builds every program is tried in; ThreadSanitizer excludes the other two. */
export const VARIANTS = ["address;undefined", "thread"] as const;
/** For what runs in one thread: there the second build has nothing of its own to see. */
export const QUICK_VARIANTS = WITH_ALL ? VARIANTS : ([VARIANTS[0]] as const);
/** `""` is a build without a sanitizer, whose stacks are a chip's. */
export type Variant = (typeof VARIANTS)[number] | "";

/** A program that writes nothing for this long hangs. */
const WAIT_MS = 30_000;

export const OPEN_AIR: Air = {
  networks: [{ ssid: "Open", psk: null, rssi: -50, channel: 6, auth: "open" }],
};

/** Builds all programs in both variants. */
export async function buildPrograms(): Promise<void> {
  for (const variant of VARIANTS)
    await buildProject(SOURCE, buildDir(variant), { defines: { PROV_SANITIZE: variant } });
}

/** Builds one program without a sanitizer. */
export async function buildPlainProgram(name: string): Promise<void> {
  await buildProject(SOURCE, buildDir(""), { targets: [name] });
}

/** The objects of the port's own files. */
export function portObjects(): string[] {
  const objects = join(buildDir("thread"), "host", "CMakeFiles", "host_port.dir", "src");
  const sources = readdirSync(fileURLToPath(new URL("../../firmware/host/src", import.meta.url)));
  return sources.filter((name) => name.endsWith(".c")).map((name) => join(objects, `${name}.o`));
}

function buildDir(variant: Variant): string {
  return join(BUILD, variant.replace(";", "-") || "plain");
}

export interface Program {
  /** The next line, after those already taken, that matches. @throws when the program ends first */
  next(pattern: RegExp): Promise<string>;
  write(line: string): void;
  /** Drives a pin of the board. */
  setGpio(pin: number, level: 0 | 1): void;
  /** Closes the control line. */
  letGo(): void;
  /** Ends standard input. */
  end(): void;
  kill(signal: NodeJS.Signals): void;
  /** Exit status or signal, all lines, and what came on standard error. */
  finished(): Promise<{ status: number | string | null; lines: string[]; stderr: string }>;
  /** The folder of its air. */
  airDir: string;
  setAir(air: Air): void;
  /** Waits until its SoftAP is announced. */
  baseUrl(): Promise<string>;
}

/** Starts one of the programs in test/firmware/host-port on an air of its own. */
export function startProgram(
  name: string,
  variant: Variant,
  options: {
    air?: Air;
    env?: Record<string, string>;
    /** The command line that runs a program somewhere else. */
    inside?: (command: string) => [string, string[]];
  } = {},
): Program {
  const dir = temporaryDir();
  const airFile = join(dir, "air.json");
  const setAir = (air: Air) => writeFileSync(airFile, JSON.stringify(air));
  setAir(options.air ?? OPEN_AIR);
  const { inside = (command: string): [string, string[]] => [command, []] } = options;
  const child = spawnBound(...inside(join(buildDir(variant), name)), {
    env: {
      PATH: process.env.PATH ?? "",
      PROV_HOST_AIR: dir,
      PROV_HOST_MAC: "246f28aabb00",
      PROV_HOST_CONTROL_FD: "3",
      TSAN_OPTIONS: "atexit_sleep_ms=0", // a second at each end, for threads that race with it
      ...options.env,
    },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return { ...follow(child), airDir: dir, setAir, baseUrl: () => waitForAp(dir, child) };
}

function follow(child: ChildProcess): Omit<Program, "airDir" | "setAir" | "baseUrl"> {
  const lines: string[] = [];
  let taken = 0;
  let stderr = "";
  let wake = () => {};
  let isClosed = false;
  const splitter = createLineSplitter((line) => {
    lines.push(line);
    wake();
  });
  child.stdout?.on("data", splitter.feed);
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const closed = new Promise<number | string | null>((resolve) => {
    child.once("close", (status, signal) => {
      splitter.end();
      isClosed = true;
      wake();
      resolve(status ?? signal);
    });
  });
  for (const stream of [child.stdin, child.stdio[3]]) stream?.on("error", () => {});
  const control = child.stdio[3] as NodeJS.WritableStream;

  const next = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      while (taken < lines.length) {
        const line = lines[taken++] ?? "";
        if (pattern.test(line)) return line;
      }
      if (isClosed) throw new Error(`ended without ${pattern}:\n${lines.join("\n")}\n${stderr}`);
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no ${pattern} in time:\n${lines.join("\n")}\n${stderr}`)),
          longer(WAIT_MS),
        );
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  return {
    next,
    write: (line) => child.stdin?.write(`${line}\n`),
    setGpio: (pin, level) => control.write(`gpio ${pin} ${level}\n`),
    letGo: () => control.end(),
    end: () => child.stdin?.end(),
    kill: (signal) => child.kill(signal),
    finished: async () => ({ status: await closed, lines, stderr }),
  };
}

async function waitForAp(airDir: string, child: ChildProcess): Promise<string> {
  while (!hasExited(child)) {
    const ap = listAnnouncedAps(airDir)[0];
    if (ap) return ap.baseUrl;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("the program ended before its AP was up");
}

/** Writes files and returns their paths, as the values of environment variables. */
export function fileEnv(files: Record<string, string>): Record<string, string> {
  const dir = temporaryDir();
  const paths: Record<string, string> = {};
  for (const [variable, text] of Object.entries(files)) {
    const path = join(dir, variable);
    writeFileSync(path, text, { mode: 0o600 });
    paths[variable] = path;
  }
  return paths;
}

/** The file of a program's announcement. */
export function readAnnouncement(airDir: string): unknown {
  return JSON.parse(readFileSync(join(airDir, "aps", "246f28aabb01.json"), "utf8"));
}
