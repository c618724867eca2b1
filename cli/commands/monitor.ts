import type { GlobalOptions } from "../context.js";
import { ProvError } from "../errors.js";
import { DEFAULT_BAUD } from "../serial/link.js";
import type { LogLevel } from "../serial/log-line.js";
import type { MonitorLine } from "../serial/monitor.js";
import type { Output } from "../terminal/output.js";
import type { Verb } from "../verb.js";
import { port, positiveInteger, seconds } from "./options/values.js";

interface MonitorOptions extends GlobalOptions {
  port?: string;
  baud: number;
  until?: string;
  timeout?: number;
  filter?: string;
  timestamps?: boolean;
  log?: string;
  reset?: boolean;
}

const COLOR: Partial<Record<LogLevel, "red" | "yellow" | "green" | "dim">> = {
  E: "red",
  W: "yellow",
  I: "green",
  D: "dim",
  V: "dim",
};

/** `prov monitor`: the device's log on stdout; with --until, an exit code for CI. */
export const monitor: Verb<MonitorOptions> = {
  name: "monitor",
  summary: "show the device's log (Ctrl-R resets the board, Ctrl-] leaves)",
  options: (command) =>
    command
      .option("--port <port>", "serial port, socket:// or rfc2217:// address", port)
      .option("--baud <rate>", "line rate", positiveInteger, DEFAULT_BAUD)
      .option("--until <regex>", "stop with success at the first line that matches")
      .option("--timeout <seconds>", "give up after this long (exit 5)", seconds)
      .option("--filter <filter>", 'what to show, such as "*:W wifi:I"')
      .option("--timestamps", "put the host's time before each line")
      .option("--log <file>", "also write the log to a file")
      .option("--reset", "reset the board first"),
  async action(options, context) {
    const { logAids } = await import("../flow/log-aids.js");
    const { optional } = await import("../optional.js");
    const { parseLogFilter } = await import("../serial/log-line.js");
    const { monitor } = await import("../serial/monitor.js");
    const { createMonitorKeys } = await import("../terminal/monitor-keys.js");
    const { out } = context;
    const until = options.until === undefined ? undefined : parsePattern(options.until);
    const filter = options.filter === undefined ? undefined : parseLogFilter(options.filter);
    if (options.filter !== undefined && !filter)
      throw new ProvError(
        "usage",
        `--filter: expected pairs such as "*:W wifi:I", got "${options.filter}"`,
      );
    const port = options.port ?? (await (await import("./options/ports.js")).choosePort(context));
    const { decoder, secrets } = await logAids(options, context);
    const leave = new AbortController();
    const keys = createMonitorKeys(leave, out);
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
  },
};

function parsePattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new ProvError("usage", `--until: "${source}" is not a regular expression`, { cause });
  }
}

function print(line: MonitorLine, options: MonitorOptions, out: Output): void {
  const time = options.timestamps ? `${line.at.toISOString().slice(11, 23)} ` : "";
  const color = line.isDecoded ? "yellow" : line.head && COLOR[line.head.level];
  const painted = color ? out.paint(color, line.text) : line.text;
  out.log(`${time}${line.colored ?? painted}`);
}
