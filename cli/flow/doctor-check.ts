export type Verdict = "ok" | "warning" | "failed";

/** One line of the doctor's report. `fix` is there unless the verdict is ok. */
export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  readonly detail: string;
  readonly fix?: string;
}

export function ok(name: string, detail: string): Check {
  return { name, verdict: "ok", detail };
}

export function warning(name: string, detail: string, fix: string): Check {
  return { name, verdict: "warning", detail, fix };
}

export function failed(name: string, detail: string, fix: string): Check {
  return { name, verdict: "failed", detail, fix };
}
