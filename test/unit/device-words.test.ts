import { describe, expect, it } from "vitest";
import type { DeviceStatus } from "../../cli/device/device-api.js";
import { deviceError, HOST_FAILURES } from "../../cli/errors.js";
import { judgeLogLine } from "../../cli/flow/log-witness.js";
import { judgeStatus } from "../../cli/flow/status-witness.js";
import { DEVICE_FAILURES, isFailureCode } from "../../codegen/failures.js";
import { DEVICE_STATES, parseTransition } from "../../codegen/states.js";

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

/** What no try gets the device out of: of these alone prov says so before its time is up. */
const HELPLESS = ["backend_untrusted", "broker_untrusted"];
const CODES = Object.keys(DEVICE_FAILURES);
const STATES_AT_WORK = Object.entries(DEVICE_STATES).flatMap(([state, { phase }]) =>
  phase === "waiting" ? [] : [state],
);

describe("GET /status", () => {
  it.each(STATES_AT_WORK)(
    "in %s: a failure that may be over with the next try is not final",
    (state) => {
      for (const code of CODES.filter((each) => !HELPLESS.includes(each))) {
        const report = judgeStatus({ ...STATUS, state, error: { code, message: "m" } }, BEFORE);
        expect(report, code).toMatchObject({ complaint: { code, message: "m" } });
      }
      for (const code of HELPLESS) {
        const report = judgeStatus({ ...STATUS, state, error: { code, message: "m" } }, BEFORE);
        expect(report, code).toMatchObject({ kind: "failure", final: true, error: { code } });
      }
    },
  );

  it.each(CODES)("in AP_MODE: %s is final", (code) => {
    const error = { code, message: "m" };
    expect(judgeStatus({ ...STATUS, state: "AP_MODE", error }, BEFORE)).toMatchObject({
      kind: "failure",
      final: true,
      error: { code },
    });
  });

  it.each([
    ["AP_MODE", { kind: "failure", final: true }],
    ["MQTT_CONNECTING", { kind: "evidence", evidence: { milestone: "certificate" } }],
    ["A_NEW_STATE", { kind: "progress", text: "A_NEW_STATE" }],
  ])("in %s: shows the failure of a newer firmware as what it is", (state, expected) => {
    const error = { code: "antenna_missing", message: "no antenna" };
    const report = judgeStatus({ ...STATUS, state, error }, BEFORE);
    expect(report).toMatchObject(expected);
    const shown =
      report.kind === "failure" ? report.error : "complaint" in report && report.complaint;
    expect(shown).toMatchObject({
      code: "outcome_unknown",
      message: 'the device reported "antenna_missing": no antenna',
      hint: expect.stringContaining("update prov"),
    });
  });

  it("says whether the device tries on by its column, not in its words", () => {
    for (const [code, { hint, words }] of Object.entries(DEVICE_FAILURES))
      expect(`${hint} ${words}`, code).not.toMatch(/keeps trying|tries (on|again)|by itself/);
  });

  it("is none that the host can name", () => {
    expect(Object.keys(HOST_FAILURES).filter(isFailureCode)).toEqual([]);
  });

  it("is of the stage and with the hint of its own row, whichever that is", () => {
    for (const [code, { stage, hint, message }] of Object.entries(DEVICE_FAILURES))
      expect(deviceError(code, "")).toMatchObject({ code, stage, hint, message });
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
    ["I (9) prov: state WIFI_CONNECTED -> CHECK_CERTIFICATES", "evidence", "wifi"],
    ["I (9) prov: state MQTT_CONNECTED -> WIFI_CONNECTING", "progress", undefined],
    ["I (9) prov: state INIT -> A_NEW_STATE", "progress", undefined],
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

  it.each([
    ["I (9) wifi: connected"],
    ["I (9) wifi:state: init -> auth (0xb0)"],
    ["I (9) prov: state AP_MODE"],
    ["W (9) mqtt: broker_lost: x"],
    [""],
  ])("says nothing by %j", (line) => {
    expect(judgeLogLine(line)).toBeUndefined();
    expect(parseTransition(line)).toBeUndefined();
  });

  it("shows the failure of a newer firmware as what it is", () => {
    expect(judgeLogLine("W (9) prov: error antenna_missing on pin 4")).toMatchObject({
      final: false,
      error: {
        code: "outcome_unknown",
        message: 'the device reported "antenna_missing": on pin 4',
      },
    });
    expect(judgeLogLine("W (9) prov: error antenna_missing ")).toMatchObject({
      error: { message: 'the device reported "antenna_missing"' },
    });
  });
});
