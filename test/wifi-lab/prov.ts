import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { wiredDefaultRoute } from "./air.js";
import { slowly } from "./pace.js";

/** A user's project with one manifest, and the real CLI run in it as a child process. */
const CLI = fileURLToPath(new URL("../../cli/main.js", import.meta.url));
/** Where the restore journal lies, whatever the project; below /tmp, where secrets are looked for. */
export const STATE_DIR = join(tmpdir(), "prov-state");
const WATCH_INTERVAL_MS = 200;
/** What bounds a run that has no --timeout of its own, where nobody measures it. */
const TIMEOUT_S = 60;

const resultSchema = z.object({
  ok: z.boolean(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});

export interface ProvRun {
  exitCode: number | null;
  /** The error's code in the JSON document; null after a success or when there is no document. */
  code: string | null;
  stdout: string;
  /** stdout and stderr. */
  output: string;
  seconds: number;
  /** What was wrong while it ran: a secret in some argv, a default route that moved. */
  complaints: string[];
}

export interface RunningProv {
  child: ChildProcess;
  done: Promise<ProvRun>;
}

export interface ProjectOptions {
  apPassword: string;
  ssidPrefix: string;
  /** Must not show up in the arguments of any process. */
  secrets: string[];
}

export interface Project {
  dir: string;
  prov(...args: string[]): Promise<ProvRun>;
  provWith(env: Record<string, string>, ...args: string[]): Promise<ProvRun>;
  start(...args: string[]): RunningProv;
}

export function createProject(options: ProjectOptions): Project {
  const dir = mkdtempSync(join(tmpdir(), "project-"));
  const device = {
    id: "lab-board",
    target: "host",
    softAp: { ssidPrefix: options.ssidPrefix, password: options.apPassword },
    backend: { url: "https://127.0.0.1:9" },
    mqtt: { uri: "mqtts://127.0.0.1:9" },
  };
  const text = `import { defineDevice } from "prov";\nexport default defineDevice(${JSON.stringify(device)});\n`;
  writeFileSync(join(dir, "device.config.ts"), text, { mode: 0o600 });
  return openProject(dir, options.secrets);
}

/** A folder that holds a manifest already. */
export function openProject(dir: string, secrets: string[]): Project {
  const start = (...args: string[]) => startProv(dir, secrets, {}, args);
  return {
    dir,
    start,
    prov: (...args) => start(...args).done,
    provWith: (env, ...args) => startProv(dir, secrets, env, args).done,
  };
}

function startProv(
  cwd: string,
  secrets: string[],
  env: Record<string, string>,
  args: string[],
): RunningProv {
  const started = performance.now();
  const bound = args.includes("--timeout") ? [] : ["--timeout", String(slowly(TIMEOUT_S))];
  const child = spawn(process.execPath, [CLI, ...args, ...bound, "--json", "--verbose"], {
    cwd,
    env: {
      ...process.env,
      PROV_STATE_DIR: STATE_DIR,
      PROV_WIFI_PASSWORD: "homepass1234",
      PROV_TOKEN: "lab-token-4711",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const watch = watchWhile(secrets);
  const done = new Promise<ProvRun>((resolve) => {
    child.once("close", async (status, signal) => {
      // Until its handler is in place, Ctrl-C ends node itself; shells call that 130, too.
      const exitCode = signal === "SIGINT" ? 130 : status;
      const output = `${stdout}${stderr}`;
      const complaints = await watch.end();
      for (const secret of secrets)
        if (output.includes(secret)) complaints.push(`"${secret}" in the output`);
      const seconds = (performance.now() - started) / 1000;
      resolve({ exitCode, code: errorCode(stdout), stdout, output, seconds, complaints });
    });
  });
  return { child, done };
}

function errorCode(stdout: string): string | null {
  try {
    return resultSchema.parse(JSON.parse(stdout)).error?.code ?? null;
  } catch {
    return null;
  }
}

/** Looks at every process' arguments and at the default route again and again until ended. */
function watchWhile(secrets: string[]): { end(): Promise<string[]> } {
  const complaints = new Set<string>();
  const before = wiredDefaultRoute();
  const look = async () => {
    for (const argv of allArguments())
      for (const secret of secrets)
        if (argv.includes(secret)) complaints.add(`a secret in argv: ${argv.slice(0, 60)}`);
    const [expected, now] = [await before, await wiredDefaultRoute()];
    if (now !== expected) complaints.add(`the default route became ${JSON.stringify(now)}`);
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, WATCH_INTERVAL_MS);
  return {
    end: async () => {
      clearInterval(timer);
      await looking.then(look);
      return [...complaints];
    },
  };
}

function allArguments(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return ""; // it has ended meanwhile
      }
    });
}
