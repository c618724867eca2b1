import { MILESTONES, type Milestone } from "../../codegen/states.js";
import { type ErrorCode, ProvError } from "../errors.js";
import { reasonOf } from "../system-error.js";
import type { Task } from "../terminal/progress.js";
import { deadline } from "../time/deadline.js";

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
  /** An earlier complaint of this witness is void, unless it has one at the same time. */
  | { readonly kind: "evidence"; readonly evidence: Evidence; readonly complaint?: ProvError }
  /** `final`: nothing but help gets the device further; otherwise it keeps trying, and the error stands only if time runs out. */
  | { readonly kind: "failure"; readonly error: ProvError; readonly final: boolean }
  /** The device works on; an earlier failure of this witness is void, unless it has one at the same time. */
  | { readonly kind: "progress"; readonly text: string; readonly complaint?: ProvError }
  /** What this witness has seen of MQTT holds no longer. */
  | { readonly kind: "withdrawn"; readonly reason: string }
  | { readonly kind: "lost"; readonly reason: string };

/** Watches one side of the device until `signal` aborts. It reports; it does not decide. */
export interface Witness {
  readonly name: string;
  /** Whose word it is: only the broker's about MQTT is the proof itself, and the device knows best what it does. */
  readonly speaksFor: "broker" | "device" | "backend";
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

/** All witnesses of one run, watching at the same time, until they are dismissed. */
export interface Hearing {
  /**
   * Waits until the evidence says that the device reached `goal`, or that it cannot.
   * @throws ProvError the device's own failure, or outcome_unknown / status_timeout when time ran out
   */
  until(goal: Milestone, timeoutMs: number, task: Task): Promise<Outcome>;
  close(): Promise<void>;
}

interface Court {
  readonly witnesses: readonly Witness[];
  evidence: Evidence[];
  /** What each witness last complained of, and has not taken back; the latest last. */
  complaints: Map<string, ProvError>;
  lost: Map<string, string>;
  /** What each witness of the device last said of it, while it can be heard; null is less than any milestone. */
  words: Map<string, Milestone | null>;
  final: ProvError | undefined;
}

/**
 * Calls the witnesses. No single one decides alone against the others: when the AP vanishes, the broker and
 * the backend may still have seen the device; while a witness of the broker is alive, "the device says it is
 * connected" is not yet proof; and while the device itself can be heard, a message that the broker delivered
 * is none before the device says that the broker acknowledged it.
 */
export function openHearing(witnesses: readonly Witness[], signal: AbortSignal): Hearing {
  const court: Court = {
    witnesses,
    evidence: [],
    complaints: new Map(),
    lost: new Map(),
    words: new Map(),
    final: undefined,
  };
  const closed = new AbortController();
  const open = AbortSignal.any([signal, closed.signal]);
  let waiting: { task: Task; settle: () => void } | undefined;
  const hear = (witness: Witness, report: WitnessReport): void => {
    const text = note(court, witness, report);
    if (text !== undefined) waiting?.task.update({ text });
    waiting?.settle();
  };
  const watching = Promise.all(
    witnesses.map(async (witness) => {
      try {
        await witness.watch((report) => hear(witness, report), open);
      } catch (error) {
        const reason = reasonOf(error);
        if (!open.aborted) hear(witness, { kind: "lost", reason });
      }
    }),
  );
  return {
    async until(goal, timeoutMs, task) {
      const timeout = deadline(timeoutMs);
      const verdict = await new Promise<Outcome | ProvError | undefined>((resolve) => {
        const over = AbortSignal.any([signal, timeout]);
        const settle = (): void => {
          const decided = decide(court, goal);
          if (!decided && !over.aborted) return;
          over.removeEventListener("abort", settle);
          waiting = undefined;
          resolve(decided);
        };
        waiting = { task, settle };
        over.addEventListener("abort", settle);
        settle();
      });
      signal.throwIfAborted();
      if (verdict && !(verdict instanceof ProvError)) return verdict;
      throw verdict ?? timedOut(court, goal, timeoutMs);
    },
    async close() {
      closed.abort();
      await watching;
    },
  };
}

/** @returns what to show of it, if anything */
function note(court: Court, witness: Witness, report: WitnessReport): string | undefined {
  const { name } = witness;
  if (report.kind === "lost") {
    court.lost.set(name, report.reason);
    court.words.delete(name);
    return undefined;
  }
  court.lost.delete(name);
  if (report.kind === "withdrawn") {
    court.evidence = court.evidence.filter(
      (known) => known.witness !== name || known.milestone !== "mqtt",
    );
    return report.reason;
  }
  if (report.kind === "failure") {
    complain(court, name, report.error);
    if (report.final) court.final = report.error;
    return report.error.message;
  }
  complain(court, name, report.complaint);
  const seen = report.kind === "evidence" ? report.evidence : undefined;
  if (witness.speaksFor === "device") court.words.set(name, seen?.milestone ?? null);
  if (seen && !isKnown(court, seen)) court.evidence.push(seen);
  if (report.complaint) return report.complaint.message;
  return report.kind === "progress"
    ? report.text
    : `${report.evidence.milestone} (${name}: ${report.evidence.detail})`;
}

function complain(court: Court, name: string, error: ProvError | undefined): void {
  court.complaints.delete(name);
  if (error) court.complaints.set(name, error);
}

/** A witness that is asked again and again says the same again and again. */
function isKnown(court: Court, { witness, milestone, mqtt }: Evidence): boolean {
  return court.evidence.some(
    (known) => known.witness === witness && known.milestone === milestone && (known.mqtt || !mqtt),
  );
}

function decide(court: Court, goal: Milestone): Outcome | ProvError | undefined {
  if (court.final) return court.final;
  if (goal === "mqtt" && isDeviceBehind(court)) return undefined;
  const proofExpected = goal === "mqtt" && isBrokerWatched(court);
  const isConvincing = court.evidence.some(
    ({ milestone, mqtt }) => rank(milestone) >= rank(goal) && (!proofExpected || mqtt),
  );
  if (!isConvincing) return undefined;
  const mqtt = court.evidence.find((evidence) => evidence.mqtt)?.mqtt;
  return {
    reached: furthest(court.evidence),
    evidence: court.evidence,
    unheard: unheard(court),
    ...(mqtt ? { mqtt } : {}),
  };
}

function isBrokerWatched({ witnesses, lost }: Court): boolean {
  return witnesses.some(({ name, speaksFor }) => speaksFor === "broker" && !lost.has(name));
}

/** Whether the device can be heard, and does not say that it is connected: a broker may deliver what it then refuses. */
function isDeviceBehind({ words }: Court): boolean {
  return words.size > 0 && ![...words.values()].includes("mqtt");
}

function unheard(court: Court): Unheard[] {
  return [...court.lost]
    .filter(([name]) => !court.evidence.some(({ witness }) => witness === name))
    .map(([witness, reason]) => ({ witness, reason }));
}

function timedOut(court: Court, goal: Milestone, timeoutMs: number): ProvError {
  const complaint = [...court.complaints.values()].at(-1);
  if (complaint) return complaint;
  const seen =
    court.evidence.length === 0
      ? "no witness saw the device"
      : `seen so far: ${court.evidence.map((evidence) => `${evidence.milestone} (${evidence.witness})`).join(", ")}`;
  const lost = [...court.lost].map(([name, reason]) => `${name}: ${reason}`).join("; ");
  // The broker may have acknowledged what it then dropped, or may not let the operator read it.
  const isSilent = goal === "mqtt" && isBrokerWatched(court) && court.evidence.some(isOwnWord);
  const silence = isSilent ? "; the broker delivered no message of it" : "";
  const message = `within ${Math.round(timeoutMs / 1000)} s the device did not get as far as ${goal}; ${seen}${silence}${lost ? `; ${lost}` : ""}`;
  return new ProvError(timeoutCode(court), message);
}

function isOwnWord({ milestone, mqtt }: Evidence): boolean {
  return milestone === "mqtt" && !mqtt;
}

function timeoutCode(court: Court): ErrorCode {
  if (!court.evidence.some(({ milestone }) => rank(milestone) >= rank("certificate")))
    return "outcome_unknown";
  // The device may well be online: it was this side that could not look.
  const isBlind = court.witnesses.some(
    ({ name, speaksFor }) => speaksFor === "broker" && court.lost.has(name),
  );
  return isBlind ? "observer_failed" : "status_timeout";
}

function rank(milestone: Milestone): number {
  return MILESTONES.indexOf(milestone);
}

function furthest(evidence: readonly Evidence[]): Milestone {
  return MILESTONES[Math.max(...evidence.map((item) => rank(item.milestone)))] ?? "wifi";
}
