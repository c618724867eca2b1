import { describe, expect, it } from "vitest";
import type { DeviceStatus } from "../../cli/device/device-api.js";
import { judgeLogLine } from "../../cli/flow/log-witness.js";
import { judgeStatus } from "../../cli/flow/status-witness.js";
import { DEVICE_FAILURES } from "../../codegen/failures.js";

// What the device says of itself, over its AP and in its log, and what of it is the end of a run.

const STATUS: DeviceStatus = {
  status: "provisioning",
  state: "MQTT_CONNECTING",
  deviceId: "d",
  ip: "10.0.0.2",
  error: null,
  lastError: null,
  attemptsRemaining: 0,
  firmware: "1",
  attemptId: "a",
  wifiConnected: true,
  certificate: true,
};
const BEFORE = { lastError: null };

/** What the device gets over by itself, or by a server that is mended, while it goes on trying. */
const PASSING = [
  ...["dns_failed", "backend_unreachable", "backend_error", "backend_tls_failed"],
  ...["certificate_expired", "renewal_rejected", "clock_not_set", "radio_misconfigured"],
  ...["broker_unreachable", "broker_tls_failed", "broker_bad_response", "broker_lost"],
  ...["publish_refused", "publish_unacknowledged"],
];

describe("GET /status", () => {
  it.each(DEVICE_FAILURES.map(({ code }) => code))("with the error %s", (code) => {
    const error = { code, message: "m" };
    const report = judgeStatus({ ...STATUS, error }, BEFORE);
    if (PASSING.includes(code))
      expect(report).toMatchObject({ kind: "evidence", complaint: { code, message: "m" } });
    else expect(report).toMatchObject({ kind: "failure", final: true, error: { code } });
  });

  it("is final once the device has gone back to its AP", () => {
    const error = { code: "backend_error", message: "m" };
    expect(judgeStatus({ ...STATUS, state: "AP_MODE", error }, BEFORE)).toMatchObject({
      kind: "failure",
      final: true,
    });
  });

  it("complains of the last try at the broker, which is no error yet", () => {
    const lastError = { code: "publish_refused", message: "m" };
    expect(judgeStatus({ ...STATUS, lastError }, BEFORE)).toMatchObject({
      kind: "evidence",
      evidence: { milestone: "certificate" },
      complaint: { code: "publish_refused" },
    });
  });

  it.each([
    ["is of before this run", { lastError: { code: "publish_refused", message: "m" } }, {}],
    ["is over", BEFORE, { state: "MQTT_CONNECTED" }],
    ["is not about the broker", BEFORE, { lastError: { code: "clock_not_set", message: "m" } }],
  ])("does not complain of a last error that %s", (_what, before, more) => {
    const lastError = { code: "publish_refused", message: "m" };
    const report = judgeStatus({ ...STATUS, lastError, ...more }, before);
    expect(report).not.toHaveProperty("complaint");
    expect(report.kind).toBe("evidence");
  });
});

describe("the log", () => {
  it.each([
    ["I (9) prov: state MQTT_CONNECTING -> MQTT_CONNECTED", "evidence", "mqtt"],
    ["I (9) prov: state SUBMIT_CSR -> MQTT_CONNECTING", "evidence", "certificate"],
    ["I (9) prov: state MQTT_CONNECTED -> WIFI_CONNECTING", "progress", undefined],
  ])("%s", (line, kind, milestone) => {
    const report = judgeLogLine(line);
    expect(report?.kind).toBe(kind);
    if (report?.kind === "evidence") expect(report.evidence.milestone).toBe(milestone);
  });

  it("complains in the words of the device, and never for good", () => {
    expect(judgeLogLine("W (9) prov: error broker_unreachable CONNACK code 3")).toMatchObject({
      kind: "failure",
      final: false,
      error: {
        code: "broker_unreachable",
        message: "the MQTT broker did not answer (CONNACK code 3)",
      },
    });
    expect(judgeLogLine("W (9) prov: error publish_refused ")).toMatchObject({
      final: false,
      error: { code: "publish_refused" },
    });
  });

  it.each(["I (9) wifi: connected", "W (9) mqtt: broker_lost: x", ""])(
    "says nothing by %j",
    (line) => {
      expect(judgeLogLine(line)).toBeUndefined();
    },
  );
});
