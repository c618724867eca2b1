import type { DeviceApi, DeviceStatus } from "../device/device-api.js";
import { deviceError, ProvError } from "../errors.js";
import { pause } from "../wifi/wait.js";
import type { Milestone, Witness, WitnessReport } from "./outcome.js";

/** Failures that the device cannot mend by trying again; it waits for new input or a mended server. */
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

/** The board's own `GET /status`, for as long as its AP can be reached. */
export function statusWitness(api: DeviceApi, attemptId: string, pollMs: number): Witness {
  return {
    name: "status",
    async watch(report, signal) {
      while (!signal.aborted) {
        try {
          const status = await api.status(signal);
          if (status.attemptId === attemptId) for (const each of judge(status)) report(each);
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

function judge(status: DeviceStatus): WitnessReport[] {
  const reports: WitnessReport[] = [];
  const milestone = REACHED[status.state];
  if (milestone === undefined) reports.push({ kind: "progress", text: status.state });
  else {
    const detail = `${status.state}, ip ${status.ip || "none"}`;
    reports.push({ kind: "evidence", evidence: { witness: "status", milestone, detail } });
  }
  if (status.error) {
    const error = deviceError(status.error.code, status.error.message);
    const gaveUp = status.state === "AP_MODE" || FINAL_CODES.has(status.error.code);
    reports.push({ kind: "failure", error, final: gaveUp });
  }
  return reports;
}
