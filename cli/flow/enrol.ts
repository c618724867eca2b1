import { isFailureCode } from "../../codegen/failures.js";
import type { Milestone } from "../../codegen/states.js";
import { ProvError } from "../errors.js";
import { asTask } from "../terminal/progress.js";
import { type Attempt, leaveAp } from "./attempt.js";
import type { EnrolledBoard, OnlineBoard, ProvisionedBoard } from "./board.js";
import { brokerUriOf } from "./broker-proof.js";
import { brokerWitness } from "./broker-witness.js";
import { type Hearing, type Outcome, openHearing, type Witness } from "./outcome.js";
import { statusWitness } from "./status-witness.js";
import { AP_GONE_MS, LAST_LOOK_MS } from "./timeouts.js";

/** Calls everybody who can tell what becomes of a board. They watch until the hearing is closed. */
export function callWitnesses(board: ProvisionedBoard, attempt: Attempt): Hearing {
  const { broker, manifest, apGoneMs = AP_GONE_MS } = attempt;
  const { attemptId } = board;
  const status = statusWitness(board.api, attemptId, board.status, attempt.pollMs);
  const witnesses = [
    whenSilent(status, apGoneMs, () => void leaveAp(attempt)),
    ...(broker ? [brokerWitness(broker, manifest.id, attemptId)] : []),
    ...(attempt.witnesses ?? []).map((make) => make(attemptId)),
  ];
  return openHearing(witnesses, attempt.signal);
}

/**
 * Waits for the board's WiFi and, where no less is wanted, for its certificate.
 * @throws ProvError of the provision, enrol and mqtt stages: what the device says that has gone wrong
 */
export async function enrol(
  board: ProvisionedBoard,
  hearing: Hearing,
  attempt: Attempt,
): Promise<EnrolledBoard> {
  const isWifiEnough = attempt.goal === "wifi";
  const label = isWifiEnough ? "wait for the WiFi" : "wait for WiFi and certificate";
  const outcome = await wait(hearing, label, isWifiEnough ? "wifi" : "certificate", attempt);
  return { ...board, outcome };
}

/**
 * Waits for the proof that an enrolled board is online.
 * @throws ProvError of the provision, enrol and mqtt stages
 */
export async function goOnline(
  board: EnrolledBoard,
  hearing: Hearing,
  attempt: Attempt,
): Promise<OnlineBoard> {
  return { ...board, outcome: await wait(hearing, "wait for MQTT", "mqtt", attempt) };
}

function wait(
  hearing: Hearing,
  label: string,
  upTo: Milestone,
  attempt: Attempt,
): Promise<Outcome> {
  return asTask(attempt.progress, label, async (task) => {
    const timeoutMs = Math.max(LAST_LOOK_MS, Math.round(attempt.endsAt - performance.now()));
    try {
      return await hearing.until(upTo, timeoutMs, task);
    } catch (error) {
      throw namingTheBroker(error, brokerUriOf(attempt));
    }
  });
}

/** What went wrong at the broker, of which neither the device nor the court says which one it is. */
function namingTheBroker(error: unknown, uri: string): unknown {
  if (!(error instanceof ProvError) || error.stage !== "mqtt") return error;
  if (!isFailureCode(error.code) && error.code !== "status_timeout") return error;
  const { code, message, hint, cause, details } = error;
  return new ProvError(code, `${uri}: ${message}`, { hint, cause, details });
}

/** Calls `act` once when the witness could ask nobody for `silentMs`. */
function whenSilent(witness: Witness, silentMs: number, act: () => void): Witness {
  let hasActed = false;
  return {
    ...witness,
    async watch(report, signal) {
      let silentSince: number | undefined;
      await witness.watch((each) => {
        silentSince = each.kind === "lost" ? (silentSince ?? performance.now()) : undefined;
        report(each);
        if (hasActed || silentSince === undefined || performance.now() - silentSince < silentMs)
          return;
        hasActed = true;
        act();
      }, signal);
    },
  };
}
