import { DEVICE_FAILURES, isFailureCode } from "../../codegen/failures.js";
import { findState } from "../../codegen/states.js";
import type { DeviceApi, DeviceStatus } from "../device/device-api.js";
import { deviceError, ProvError } from "../errors.js";
import { pause } from "../time/wait.js";
import type { Witness, WitnessReport } from "./outcome.js";

/**
 * The board's own `GET /status`, for as long as its AP can be reached.
 * @param before what the board said before it was given anything
 */
export function statusWitness(
  api: DeviceApi,
  attemptId: string,
  before: DeviceStatus,
  pollMs: number,
): Witness {
  return {
    name: "status",
    speaksFor: "device",
    async watch(report, signal) {
      while (!signal.aborted) {
        try {
          const status = await api.status(signal);
          if (status.attemptId === attemptId) report(judgeStatus(status, before));
        } catch (error) {
          if (signal.aborted) return;
          report({
            kind: "lost",
            reason: error instanceof ProvError ? error.message : "no answer",
          });
        }
        await pause(pollMs, signal);
      }
    },
  };
}

/** What one answer of the board tells. */
export function judgeStatus(
  status: DeviceStatus,
  before: Pick<DeviceStatus, "lastError">,
): WitnessReport {
  const state = findState(status.state);
  const error = status.error && deviceError(status.error.code, status.error.message);
  if (error && (state?.phase === "waiting" || needsHelp(error.code)))
    return { kind: "failure", error, final: true };
  const trouble = error ?? brokerTrouble(status, before);
  const complaint = trouble ? { complaint: trouble } : {};
  if (!state?.milestone) return { kind: "progress", text: status.state, ...complaint };
  const { milestone } = state;
  const detail = `${status.state}, ip ${status.ip || "none"}`;
  return { kind: "evidence", evidence: { witness: "status", milestone, detail }, ...complaint };
}

/** Of all that the device goes on trying, what no try gets it out of. */
function needsHelp(code: string): boolean {
  return isFailureCode(code) && DEVICE_FAILURES[code].outlook === "needs_help";
}

/** Its last try at the broker, which alone is no error to the device yet, but all that it can say when time is up. */
function brokerTrouble(
  { state, lastError }: DeviceStatus,
  before: Pick<DeviceStatus, "lastError">,
): ProvError | undefined {
  if (state !== "MQTT_CONNECTING" || !lastError) return undefined;
  const isOld =
    lastError.code === before.lastError?.code && lastError.message === before.lastError.message;
  const error = deviceError(lastError.code, lastError.message);
  return isOld || error.stage !== "mqtt" ? undefined : error;
}
