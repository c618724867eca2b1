import { join } from "node:path";
import type { CommandContext, GlobalOptions } from "../context.js";
import { ProvError } from "../errors.js";
import { openProject } from "../flow/project.js";
import { optional } from "../optional.js";
import { secretsOfRun } from "../secrets.js";
import { createBacktraceDecoder } from "../serial/backtrace.js";
import { type LogLevel, parseLogFilter } from "../serial/log-line.js";
import { type MonitorControl, type MonitorLine, monitor } from "../serial/monitor.js";
import { listPorts } from "../serial/ports.js";
import type { CommandResult, Output } from "../terminal/output.js";
import { choosePort } from "./flash.js";

export interface MonitorOptions extends GlobalOptions {
  port?: string;
  baud: number;
  until?: string;
  timeout?: number;
  filter?: string;
  timestamps?: boolean;
  log?: string;
  reset?: boolean;
}

const CTRL_C = 0x03;
const CTRL_R = 0x12;
const CTRL_RIGHT_BRACKET = 0x1d;
const COLOR: Partial<Record<LogLevel, "red" | "yellow" | "green" | "dim">> = {
  E: "red",
  W: "yellow",
  I: "green",
  D: "dim",
  V: "dim",
};

/** `prov monitor`: the device's log on stdout; with --until, an exit code for CI. */
export function monitorCommand(
  options: MonitorOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
    const { out } = context;
    const until = options.until === undefined ? undefined : parsePattern(options.until);
    const filter = options.filter === undefined ? undefined : parseLogFilter(options.filter);
    if (options.filter !== undefined && !filter)
      throw new ProvError(
        "usage",
        `--filter: expected pairs such as "*:W wifi:I", got "${options.filter}"`,
      );
    const port = options.port ?? (await choosePort(await listPorts(), context));
    const { decoder, secrets } = await deviceAids(options, context);
    const leave = new AbortController();
    const keys = createKeys(leave, out);
    try {
      const result = await monitor({
        port,
        baud: options.baud,
        reset: options.reset ?? false,
        signal: AbortSignal.any([context.signal, leave.signal]),
        secrets,
        onLine: (line) => print(line, options, out),
        onNote: out.note,
        onOpen: keys.attach,
        ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 }),
        ...optional({ until, filter, decoder, logFile: options.log }),
      });
      if (result.reason === "matched")
        return { json: { port, matched: result.line.text }, text: "" };
      if (until) throw new ProvError("interrupted", "left before a line matched");
      return { json: { port }, text: "" };
    } finally {
      keys.detach();
    }
  };
}

function parsePattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new ProvError("usage", `--until: "${source}" is not a regular expression`, { cause });
  }
}

/** What the manifest adds to a log: the ELF for backtraces, and what must not be shown. A log without a manifest is fine too. */
async function deviceAids(
  options: MonitorOptions,
  context: CommandContext,
): Promise<{ decoder?: ReturnType<typeof createBacktraceDecoder>; secrets: string[] }> {
  const { env } = context;
  try {
    const { manifest, workspace } = await openProject(options, context);
    const secrets = secretsOfRun({ env, manifest });
    if (manifest.target === "host") return { secrets };
    return {
      secrets,
      decoder: createBacktraceDecoder({
        elf: join(workspace.buildDir, manifest.target, "prov_firmware.elf"),
        chip: manifest.target,
      }),
    };
  } catch (error) {
    if (
      error instanceof ProvError &&
      (error.stage === "manifest" || error.code === "device_unknown")
    )
      return { secrets: secretsOfRun({ env }) };
    throw error;
  }
}

function print(line: MonitorLine, options: MonitorOptions, out: Output): void {
  const time = options.timestamps ? `${line.at.toISOString().slice(11, 23)} ` : "";
  const color = line.isDecoded ? "yellow" : line.head && COLOR[line.head.level];
  const painted = color ? out.paint(color, line.text) : line.text;
  out.log(`${time}${line.colored ?? painted}`);
}

/** Ctrl-R resets the board, Ctrl-] leaves, as in ESP-IDF's monitor. */
function createKeys(
  leave: AbortController,
  out: Output,
): { attach(control: MonitorControl): void; detach(): void } {
  let current: MonitorControl | undefined;
  const { stdin } = process;
  const onKey = (bytes: Buffer): void => {
    if (bytes.includes(CTRL_C)) process.kill(process.pid, "SIGINT");
    else if (bytes.includes(CTRL_RIGHT_BRACKET)) leave.abort();
    else if (bytes.includes(CTRL_R))
      void current?.reset().catch((error: unknown) => out.warn(String(error)));
  };
  return {
    attach(control) {
      if (!stdin.isTTY) return;
      if (!current) {
        stdin.setRawMode(true);
        stdin.on("data", onKey);
        out.note("Ctrl-R resets the board, Ctrl-] leaves");
      }
      current = control;
    },
    detach() {
      if (!current) return;
      stdin.off("data", onKey);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
