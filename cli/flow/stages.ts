import { toStageError } from "./stage-error.js";

/** One stage of the chain as the reports show it. */
export interface StageRecord {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  /** The error's code and message when it failed. */
  readonly error?: { code: string; message: string };
}

export type StageClock = ReturnType<typeof createStageClock>;

/** Times the stages of a run in the order in which they happen. */
export function createStageClock() {
  const records: StageRecord[] = [];
  return {
    records,
    async run<T>(name: string, work: () => Promise<T>): Promise<T> {
      const begin = performance.now();
      try {
        const result = await work();
        records.push({ name, ok: true, ms: elapsed(begin) });
        return result;
      } catch (error) {
        records.push({ name, ok: false, ms: elapsed(begin), error: toStageError(error) });
        throw error;
      }
    },
  };
}

function elapsed(begin: number): number {
  return Math.round(performance.now() - begin);
}
