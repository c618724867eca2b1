import { ProvError } from "../errors.js";
import type { CommandRunner } from "./command.js";
import type { RestoreReport } from "./host-wifi.js";

/** What an adapter that changes the host is given. */
export interface AdapterOptions {
  /** Where the restore journal lies. */
  stateDir: string;
  iface?: string;
  run?: CommandRunner;
  /** Between two looks at what the host's own tools say. */
  pollIntervalMs?: number;
}

/** For as long a host may take to get back into its network, where nothing else is known. */
export const RESTORE_LIMIT_MS = 45_000;

const UNCHANGED: RestoreReport = {
  changed: false,
  restored: true,
  network: null,
  message: "the host's WiFi was not touched",
};

/**
 * What an adapter that changes the host keeps between `join` and `leave`.
 * @param restore must not throw; an entry that it could not restore is tried again at the next `leave`
 */
export function hostSession<Entry>(restore: (entry: Entry) => Promise<RestoreReport>) {
  let begun: Entry | null = null;
  let leaving: Promise<RestoreReport> | null = null;
  let joining: { stop: AbortController; done: Promise<unknown> } | null = null;

  const restoreBegun = async (): Promise<RestoreReport> => {
    joining?.stop.abort(new ProvError("interrupted", "interrupted while joining the AP"));
    await joining?.done;
    if (begun === null) return UNCHANGED;
    const report = await restore(begun);
    if (report.restored) begun = null;
    return report;
  };
  const leave = (): Promise<RestoreReport> => {
    leaving ??= restoreBegun().finally(() => {
      leaving = null;
    });
    return leaving;
  };
  return {
    /** Notes that the host is about to be changed as `entry` says. */
    begin: (entry: Entry): void => {
      begun = entry;
    },
    /** Runs a join; `work` gets a signal that also aborts when `leave` is called meanwhile. */
    run: async <T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
      if (begun !== null) await leave(); // a second board: start from the original network again
      const stop = new AbortController();
      const running = work(AbortSignal.any([signal, stop.signal]));
      joining = { stop, done: running.catch(() => undefined) };
      try {
        return await running;
      } finally {
        joining = null;
      }
    },
    /** Ends a running join, then restores what was begun. Calls at the same time share one restore. */
    leave,
  };
}

/** The report of a host that is back on its network; null stands for none, which `idle` words. */
export function backOn(network: string | null, idle: string): RestoreReport {
  const message = network === null ? idle : `back on ${JSON.stringify(network)}`;
  return { changed: true, restored: true, network, message };
}

/** Runs a restore; what it throws becomes the report of a host that is not back on `what`. */
export async function orNotRestored(
  what: string,
  wayOut: string,
  restore: () => Promise<RestoreReport>,
): Promise<RestoreReport> {
  try {
    return await restore();
  } catch (error) {
    const why = error instanceof ProvError ? error.message : "it took too long";
    const message = `could not restore ${what}: ${why}${wayOut}`;
    return { changed: true, restored: false, network: null, message };
  }
}
