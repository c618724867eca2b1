import { deadline } from "../deadline.js";
import { type ErrorCode, ProvError } from "../errors.js";
import type { Task } from "../progress.js";

/** How far a device has come; each includes the ones before it. */
export const MILESTONES = ["wifi", "certificate", "mqtt"] as const;
export type Milestone = (typeof MILESTONES)[number];

/** The device's own status message as the broker delivered it. */
export interface MqttProof {
  readonly topic: string;
  readonly payload: Record<string, unknown>;
}

/** Something that a witness saw with its own eyes. */
export interface Evidence {
  readonly witness: string;
  readonly milestone: Milestone;
  readonly detail: string;
  readonly mqtt?: MqttProof;
}

export type WitnessReport =
  | { readonly kind: "evidence"; readonly evidence: Evidence }
  /** `final`: the device has given up; otherwise it keeps trying, and the error stands only if time runs out. */
  | { readonly kind: "failure"; readonly error: ProvError; readonly final: boolean }
  /** The device works on; an earlier failure of this witness is void. */
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "lost"; readonly reason: string };

/** Watches one side of the device until `signal` aborts. It reports; it does not decide. */
export interface Witness {
  readonly name: string;
  /** True for the one whose word about MQTT is the proof itself. */
  readonly provesMqtt?: boolean;
  watch(report: (report: WitnessReport) => void, signal: AbortSignal): Promise<void>;
}

/** A witness that was called and never saw anything, and why. */
export interface Unheard {
  readonly witness: string;
  readonly reason: string;
}

export interface Outcome {
  readonly reached: Milestone;
  readonly evidence: readonly Evidence[];
  readonly unheard: readonly Unheard[];
  readonly mqtt?: MqttProof;
}

export interface OutcomeRequest {
  readonly witnesses: readonly Witness[];
  readonly goal: Milestone;
  /** What an earlier wait has already seen. */
  readonly earlier?: readonly Evidence[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly task: Task;
}

interface Court {
  evidence: Evidence[];
  /** What each witness last complained of, and has not taken back. */
  complaints: Map<string, ProvError>;
  lost: Map<string, string>;
  verdict: Outcome | ProvError | undefined;
}

/**
 * Waits until the evidence says that the device reached `goal`, or that it cannot.
 *
 * No single witness decides alone against the others: when the AP vanishes, the broker and the backend
 * may still have seen the device; and while a witness of the broker is alive, "the device says it is
 * connected" is not yet proof.
 * @throws ProvError the device's own failure, or outcome_unknown / status_timeout when time ran out
 */
export async function awaitOutcome(request: OutcomeRequest): Promise<Outcome> {
  const court: Court = {
    evidence: [...(request.earlier ?? [])],
    complaints: new Map(),
    lost: new Map(),
    verdict: undefined,
  };
  const closed = new AbortController();
  const timeout = deadline(request.timeoutMs);
  const signal = AbortSignal.any([request.signal, timeout, closed.signal]);

  const hear = (witness: Witness, report: WitnessReport): void => {
    if (court.verdict) return;
    note(court, witness, report, request.task);
    settle(report);
  };
  const settle = (report?: WitnessReport): void => {
    court.verdict = decide(court, request, report);
    if (court.verdict) closed.abort();
  };
  settle();
  await Promise.all(
    request.witnesses.map(async (witness) => {
      try {
        await witness.watch((report) => hear(witness, report), signal);
      } catch (error) {
        if (!signal.aborted)
          hear(witness, {
            kind: "lost",
            reason: error instanceof Error ? error.message : String(error),
          });
      }
    }),
  );
  request.signal.throwIfAborted();
  const verdict = court.verdict ?? timedOut(court, request);
  if (verdict instanceof ProvError) throw verdict;
  return verdict;
}

function note(court: Court, witness: Witness, report: WitnessReport, task: Task): void {
  if (report.kind === "lost") court.lost.set(witness.name, report.reason);
  else court.lost.delete(witness.name);
  if (report.kind === "evidence") {
    if (!isKnown(court, report.evidence)) court.evidence.push(report.evidence);
    court.complaints.delete(witness.name);
    task.update({
      text: `${report.evidence.milestone} (${report.evidence.witness}: ${report.evidence.detail})`,
    });
  } else if (report.kind === "failure") {
    court.complaints.set(witness.name, report.error);
    task.update({ text: report.error.message });
  } else if (report.kind === "progress") {
    court.complaints.delete(witness.name);
    task.update({ text: report.text });
  }
}

/** A witness that is asked again and again says the same again and again. */
function isKnown(court: Court, { witness, milestone, mqtt }: Evidence): boolean {
  return court.evidence.some(
    (known) => known.witness === witness && known.milestone === milestone && (known.mqtt || !mqtt),
  );
}

function decide(
  court: Court,
  request: OutcomeRequest,
  report: WitnessReport | undefined,
): Outcome | ProvError | undefined {
  if (report?.kind === "failure" && report.final) return report.error;
  const proofExpected =
    request.goal === "mqtt" &&
    request.witnesses.some((witness) => witness.provesMqtt && !court.lost.has(witness.name));
  const convincing = court.evidence.filter(
    (evidence) =>
      rank(evidence.milestone) >= rank(request.goal) && (!proofExpected || evidence.mqtt),
  );
  if (convincing.length === 0) return undefined;
  const mqtt = court.evidence.find((evidence) => evidence.mqtt)?.mqtt;
  return {
    reached: furthest(court.evidence),
    evidence: court.evidence,
    unheard: unheard(court),
    ...(mqtt ? { mqtt } : {}),
  };
}

function unheard(court: Court): Unheard[] {
  return [...court.lost]
    .filter(([name]) => !court.evidence.some(({ witness }) => witness === name))
    .map(([witness, reason]) => ({ witness, reason }));
}

function timedOut(court: Court, request: OutcomeRequest): ProvError {
  const complaint = [...court.complaints.values()].at(-1);
  if (complaint) return complaint;
  const seen =
    court.evidence.length === 0
      ? "no witness saw the device"
      : `seen so far: ${court.evidence.map((evidence) => `${evidence.milestone} (${evidence.witness})`).join(", ")}`;
  const lost = [...court.lost].map(([name, reason]) => `${name}: ${reason}`).join("; ");
  const message = `within ${Math.round(request.timeoutMs / 1000)} s the device did not get as far as ${request.goal}; ${seen}${lost ? `; ${lost}` : ""}`;
  return new ProvError(timeoutCode(court, request), message);
}

function timeoutCode(court: Court, { witnesses }: OutcomeRequest): ErrorCode {
  if (!court.evidence.some(({ milestone }) => rank(milestone) >= rank("certificate")))
    return "outcome_unknown";
  // The device may well be online: it was this side that could not look.
  const isBlind = witnesses.some(({ name, provesMqtt }) => provesMqtt && court.lost.has(name));
  return isBlind ? "observer_failed" : "status_timeout";
}

function rank(milestone: Milestone): number {
  return MILESTONES.indexOf(milestone);
}

function furthest(evidence: readonly Evidence[]): Milestone {
  return MILESTONES[Math.max(...evidence.map((item) => rank(item.milestone)))] ?? "wifi";
}
