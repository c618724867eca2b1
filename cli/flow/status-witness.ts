import type { DeviceApi, DeviceStatus } from "../device/device-api.js";
import { deviceError, ProvError } from "../errors.js";
import { pause } from "../time/wait.js";
import type { Milestone, Witness, WitnessReport } from "./outcome.js";

/**
 * Failures that the device cannot mend by trying again; it waits for new input or a mended server. Trouble with a
 * broker or backend that is there and does not refuse the device is none: it may be over with the next try.
 */
const FINAL_CODES = new Set([
  "wifi_wrong_password",
  "wifi_ap_not_found",
  "wifi_weak_security",
  "wifi_weak_signal",
  "wifi_timeout",
  "wifi_unknown",
  "dhcp_timeout",
  "backend_untrusted",
  "backend_bad_response",
  "token_rejected",
  "csr_rejected",
  "certificate_mismatch",
  "storage_failed",
  "broker_untrusted",
  "broker_rejected",
]);

const REACHED: Record<string, Milestone> = {
  WIFI_CONNECTED: "wifi",
  CHECK_CERTIFICATES: "wifi",
  SUBMIT_CSR: "wifi",
  MQTT_CONNECTING: "certificate",
  MQTT_CONNECTED: "mqtt",
};

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
  const error = status.error && deviceError(status.error.code, status.error.message);
  if (error && (status.state === "AP_MODE" || FINAL_CODES.has(error.code)))
    return { kind: "failure", error, final: true };
  const trouble = error ?? brokerTrouble(status, before);
  const complaint = trouble ? { complaint: trouble } : {};
  const milestone = REACHED[status.state];
  if (milestone === undefined) return { kind: "progress", text: status.state, ...complaint };
  const detail = `${status.state}, ip ${status.ip || "none"}`;
  return { kind: "evidence", evidence: { witness: "status", milestone, detail }, ...complaint };
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
