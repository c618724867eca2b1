export type Verdict = "ok" | "warning" | "failed";

/** One line of the doctor's report. `fix` is there unless the verdict is ok. */
export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  readonly detail: string;
  readonly fix?: string;
}
