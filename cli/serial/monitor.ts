import { ProvError } from "../errors.js";
import { createLineSplitter } from "../lines.js";
import { coloredLine, visibleLine, withoutStyles } from "../terminal/foreign-text.js";
import { pause } from "../time/wait.js";
import type { BacktraceDecoder } from "./backtrace.js";
import type { SerialLink, UsbIdentity } from "./link.js";
import { type LogFile, openLog } from "./log-file.js";
import { type LogFilter, type LogHead, parseLogHead } from "./log-line.js";
import { createMask } from "./mask.js";
import { openPort } from "./open-port.js";
import { identifyPort } from "./ports.js";
import { reopenPort } from "./reopen.js";
import { resetIntoApp } from "./reset.js";

export interface MonitorLine {
  /** Without line end, colours or secrets; what a terminal would obey is written out. */
  readonly text: string;
  /** The same with the colours that the board gave it; undefined where it gave none. */
  readonly colored: string | undefined;
  readonly at: Date;
  /** Level and tag of a log line. */
  readonly head: LogHead | undefined;
  /** True for what prov made of a panic's addresses; the board did not print it. */
  readonly isDecoded: boolean;
}

export interface MonitorControl {
  /** Restarts the application. @throws ProvError port_lost */
  reset(): Promise<void>;
  /** Console input for the board. */
  write(bytes: Uint8Array): Promise<void>;
}

export interface MonitorRequest {
  readonly port: string;
  readonly usb?: UsbIdentity;
  /** Default 115200. */
  readonly baud?: number;
  /** Reset the board first; what it printed before does not count. */
  readonly reset?: boolean;
  readonly filter?: LogFilter;
  /** Ends the monitor; also matches lines that the filter hides. */
  readonly until?: RegExp | ((line: string) => boolean);
  readonly timeoutMs?: number;
  /** Never shown, nor written to the log file. */
  readonly secrets?: readonly string[];
  readonly decoder?: BacktraceDecoder;
  /** Gets every line, filtered or not, with its time. */
  readonly logFile?: string;
  /** Default true: wait for a port that vanishes and go on. */
  readonly reconnect?: boolean;
  readonly onLine?: (line: MonitorLine) => void;
  readonly onNote?: (text: string) => void;
  /** Called when the port is open, and again each time that it was opened again. */
  readonly onOpen?: (control: MonitorControl) => void;
  /** Leaves the monitor. */
  readonly signal?: AbortSignal;
}

export type MonitorResult =
  | { readonly reason: "matched"; readonly line: MonitorLine }
  | { readonly reason: "left" };

/** How long what the board printed before the port was open may still be on its way. */
const STALE_MS = 50;

/**
 * Shows a board's log until `until` matches, `signal` aborts or the time is up. The port is closed
 * in any case.
 * @throws ProvError port_*, monitor_timeout; file_inaccessible when the log file cannot be written
 */
export async function monitor(request: MonitorRequest): Promise<MonitorResult> {
  const usb = request.usb ?? (await identifyPort(request.port));
  const ending = createEnding(request);
  const { logFile } = request;
  let log: LogFile | undefined;
  try {
    if (logFile !== undefined) log = await openLog(logFile, ending.fail);
    const sink = createSink(request, log, ending.match);
    await follow(request, usb, ending, sink);
    const result = await ending.result;
    await sink.settle();
    await log?.close();
    return result;
  } finally {
    ending.stop();
    // What is to be said of it has been said, or something worse has happened.
    await log?.close().catch(() => {});
  }
}

/** Opens, listens, and opens again until the end has come. */
async function follow(
  request: MonitorRequest,
  usb: UsbIdentity,
  ending: Ending,
  sink: Sink,
): Promise<void> {
  const baud = request.baud === undefined ? {} : { baud: request.baud };
  const signal = ending.signal;
  let link = await raceOpening(ending, openPort(request.port, { usb, signal, ...baud }));
  let isFirst = true;
  while (link) {
    const lost = await listen(link, request, ending, sink, isFirst && request.reset === true);
    if (!lost) return;
    if (request.reconnect === false) throw lost;
    request.onNote?.(`${link.spec} vanished; waiting for it to come back`);
    isFirst = false;
    link = await raceOpening(ending, reopenPort({ spec: request.port, usb, signal, ...baud }));
    if (link) request.onNote?.(`connected to ${link.spec} again`);
  }
}

/** A port that opens when the end has come is closed again. */
async function raceOpening(
  ending: Ending,
  opening: Promise<SerialLink>,
): Promise<SerialLink | undefined> {
  const link = await ending.race(opening);
  if (!link)
    await opening.then(
      (late) => late.close(),
      () => {},
    );
  return link;
}

/** @returns why the port is gone, or undefined when the monitor ends */
async function listen(
  link: SerialLink,
  request: MonitorRequest,
  ending: Ending,
  sink: Sink,
  isReset: boolean,
): Promise<ProvError | undefined> {
  let isListening = !isReset;
  const splitter = createLineSplitter(sink.take);
  const stopData = link.onData((bytes) => {
    if (isListening) splitter.feed(bytes);
  });
  const lost = new Promise<ProvError>((resolve) => link.onLost(resolve));
  try {
    if (isReset) {
      if (!link.canReset())
        request.onNote?.(`${link.spec} has no reset lines: press RESET on the board`);
      await pause(STALE_MS);
      await resetIntoApp(link, () => {
        isListening = true;
      });
    }
    request.onOpen?.({ reset: () => resetIntoApp(link), write: link.write });
    return await ending.race(lost);
  } catch (error) {
    const loss = link.lost();
    if (loss) return loss;
    throw error;
  } finally {
    stopData();
    splitter.end();
    await link.close();
  }
}

type Ending = ReturnType<typeof createEnding>;

function createEnding(request: MonitorRequest) {
  const over = new AbortController();
  let finish: (result: MonitorResult) => void = () => {};
  let fail: (error: ProvError) => void = () => {};
  const result = new Promise<MonitorResult>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  result.then(
    () => over.abort(),
    () => over.abort(),
  );
  const ended = result.then(
    () => undefined,
    () => undefined,
  );
  const leave = (): void => finish({ reason: "left" });
  if (request.signal?.aborted) leave();
  request.signal?.addEventListener("abort", leave);
  let lines = 0;
  const { timeoutMs } = request;
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => fail(timedOut(request, timeoutMs, lines)), timeoutMs);
  return {
    /** Aborts when the monitor ends, for whatever reason. */
    signal: over.signal,
    result,
    match(line: MonitorLine): void {
      lines += 1;
      if (isAwaited(line.text, request.until)) finish({ reason: "matched", line });
    },
    fail,
    /** The work's result, or undefined when the end comes first. */
    race: <T>(work: Promise<T>): Promise<T | undefined> =>
      Promise.race([
        ended,
        work.catch((error: unknown) => {
          if (over.signal.aborted) return undefined;
          throw error;
        }),
      ]),
    stop(): void {
      clearTimeout(timer);
      request.signal?.removeEventListener("abort", leave);
      over.abort();
    },
  };
}

function isAwaited(text: string, until: MonitorRequest["until"]): boolean {
  if (typeof until === "function") return until(text);
  // `search`, unlike `test`, does not depend on what a global pattern matched before.
  return until !== undefined && text.search(until) >= 0;
}

/** @param lines how many came */
function timedOut(request: MonitorRequest, timeoutMs: number, lines: number): ProvError {
  const { until, reset, port } = request;
  const awaited = until instanceof RegExp ? `no line matched /${until.source}/` : "no such line";
  const what = until ? awaited : "the time was up";
  const silence = lines === 0 ? "; no line came at all" : "";
  // A board that has settled says nothing more: what it said at its start it says again after the next one.
  const again =
    "What the board said before does not count: --reset restarts it, and it says it again. " +
    "Otherwise raise --timeout or check the pattern.";
  const hint = until ? again : "Raise --timeout, or leave it out to go on until Ctrl-C.";
  return new ProvError(
    "monitor_timeout",
    `${what} within ${timeoutMs / 1000} s on ${port}${silence}`,
    until && reset ? {} : { hint },
  );
}

type Sink = ReturnType<typeof createSink>;

function createSink(
  request: MonitorRequest,
  log: LogFile | undefined,
  match: (line: MonitorLine) => void,
) {
  const mask = createMask(request.secrets ?? []);
  let decoding: Promise<void> = Promise.resolve();

  const show = (text: string, isDecoded: boolean, colored?: string): MonitorLine => {
    const line = {
      text,
      colored,
      at: new Date(),
      head: isDecoded ? undefined : parseLogHead(text),
      isDecoded,
    };
    log?.write(`${line.at.toISOString()} ${text}\n`);
    if (request.filter?.(line.head) ?? true) request.onLine?.(line);
    return line;
  };

  return {
    take(raw: string): void {
      // A secret may have a colour in its middle, and characters of its own that are written out afterwards.
      const plain = withoutStyles(raw);
      const masked = mask(plain);
      const colored = masked === plain ? coloredLine(raw) : undefined;
      const line = show(visibleLine(masked), false, colored);
      match(line);
      const { decoder } = request;
      if (!decoder) return;
      decoding = decoding.then(async () => {
        for (const text of await decoder.decode(line.text)) show(text, true);
      });
    },
    /** Resolves when everything that was taken is shown. */
    settle: () => decoding,
  };
}
