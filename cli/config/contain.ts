import { setImmediate as nextTurn } from "node:timers/promises";

/** What bounds code that is not prov's. */
export interface Bounds {
  /** Aborting ends the wait; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

/**
 * Runs code that somebody else wrote, in this process, so that it cannot break what prov promises: what it prints goes
 * to stderr, since stdout is for results; it cannot end the process; what it throws where nobody catches it is its
 * error and not prov's; and it has an end. A loop without an end of its own is beyond that: nothing runs beside it.
 */
export async function contain<T>(work: () => Promise<T>, bounds: Bounds): Promise<T> {
  const { signal, limitMs } = bounds;
  signal.throwIfAborted();
  let fail: (reason: unknown) => void = () => {};
  const failure = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failure.catch(() => {}); // it may come when nobody waits for it any more
  const onAbort = (): void => fail(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(
    () => fail(new Error(`it did not end within ${limitMs / 1000} s`)),
    limitMs,
  );
  const giveBack = takeProcess(fail);
  try {
    const result = await Promise.race([work(), failure]);
    // A rejection that nobody handles is told of at the end of the turn only.
    await Promise.race([nextTurn(), failure]);
    return result;
  } finally {
    giveBack();
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** @returns how to undo it */
function takeProcess(fail: (reason: unknown) => void): () => void {
  const { exit } = process;
  const { write } = process.stdout;
  process.exit = (code): never => {
    const error = new Error(`it called process.exit(${code ?? ""})`);
    fail(error);
    throw error;
  };
  process.stdout.write = process.stderr.write.bind(process.stderr);
  process.setUncaughtExceptionCaptureCallback(fail);
  return () => {
    process.exit = exit;
    process.stdout.write = write;
    process.setUncaughtExceptionCaptureCallback(null);
  };
}
