import { setTimeout as delay } from "node:timers/promises";
import { type ErrorCode, ProvError } from "../errors.js";
import { optional } from "../optional.js";

export interface Failure {
  code: ErrorCode;
  message: string;
}

/**
 * The error for an aborted signal: a ProvError reason as it is, a timeout as `onTimeout` says,
 * anything else as `interrupted`.
 */
export function abortError(signal: AbortSignal, onTimeout: Failure): ProvError {
  const reason: unknown = signal.reason;
  if (reason instanceof ProvError) return reason;
  if (reason instanceof Error && reason.name === "TimeoutError") {
    return new ProvError(onTimeout.code, onTimeout.message, { cause: reason });
  }
  return new ProvError("interrupted", "interrupted while waiting");
}

/**
 * Calls `attempt` every `intervalMs` until it returns something other than undefined. When the
 * signal aborts, throws what `abortError` makes of it.
 */
export async function poll<T>(
  attempt: () => Promise<T | undefined>,
  options: {
    intervalMs: number;
    signal: AbortSignal;
    onTimeout: Failure;
  },
): Promise<T> {
  for (;;) {
    if (options.signal.aborted) throw abortError(options.signal, options.onTimeout);
    const value = await attempt();
    if (value !== undefined) return value;
    await pause(options.intervalMs, options.signal);
  }
}

/** Runs `work`; what it throws because the signal aborted becomes what `abortError` says. */
export async function abortsAs<T>(
  signal: AbortSignal,
  onTimeout: Failure,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted && !(error instanceof ProvError)) throw abortError(signal, onTimeout);
    throw error;
  }
}

/** Waits `ms`, or less when the signal aborts; never throws. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, optional({ signal })).catch(() => undefined);
}
