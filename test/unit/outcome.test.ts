import { describe, expect, it } from "vitest";
import { deviceError, ProvError } from "../../cli/errors.js";
import {
  awaitOutcome,
  type Evidence,
  type Milestone,
  type OutcomeRequest,
  type Witness,
  type WitnessReport,
} from "../../cli/flow/outcome.js";

const task = { update() {}, done() {}, failed() {} };

/** A witness that says its lines at once and then stays until it is dismissed. */
function witness(name: string, reports: readonly WitnessReport[], provesMqtt = false): Witness {
  return {
    name,
    provesMqtt,
    async watch(report, signal) {
      for (const each of reports) report(each);
      if (!signal.aborted)
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  };
}

function saw(name: string, milestone: Milestone, mqtt = false): WitnessReport {
  const evidence: Evidence = {
    witness: name,
    milestone,
    detail: milestone,
    ...(mqtt ? { mqtt: { topic: "devices/d/status", payload: { seq: 1 } } } : {}),
  };
  return { kind: "evidence", evidence };
}

function complains(code: string, final: boolean): WitnessReport {
  return { kind: "failure", error: deviceError(code, ""), final };
}

function wait(witnesses: Witness[], goal: Milestone, more: Partial<OutcomeRequest> = {}) {
  return awaitOutcome({
    witnesses,
    goal,
    timeoutMs: 5_000,
    signal: new AbortController().signal,
    task,
    ...more,
  });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProvError)) throw new Error(`expected a ProvError, got ${String(error)}`);
  return error.code;
}

describe("the outcome of a provisioning", () => {
  it("is decided by the broker when there is one, and carries its message", async () => {
    const outcome = await wait(
      [
        witness("status", [saw("status", "mqtt")]),
        witness("broker", [saw("broker", "mqtt", true)], true),
      ],
      "mqtt",
    );
    expect(outcome.reached).toBe("mqtt");
    expect(outcome.mqtt?.topic).toBe("devices/d/status");
  });

  it("does not take the device's word for MQTT while the broker can be watched", async () => {
    const promise = wait(
      [witness("status", [saw("status", "mqtt")]), witness("broker", [], true)],
      "mqtt",
      { timeoutMs: 50 },
    );
    expect(await codeOf(promise)).toBe("status_timeout");
  });

  it("takes the device's word when the broker cannot be watched", async () => {
    const lost: Witness = {
      name: "broker",
      provesMqtt: true,
      watch: () => Promise.reject(new Error("refused")),
    };
    const outcome = await wait([lost, witness("status", [saw("status", "mqtt")])], "mqtt");
    expect(outcome.evidence.map((item) => item.witness)).toEqual(["status"]);
    expect(outcome.unheard).toEqual([{ witness: "broker", reason: "refused" }]);
  });

  it("is observer_failed when the device may be online and only the way to the broker is missing", async () => {
    const promise = wait(
      [
        witness("status", [saw("status", "certificate"), { kind: "lost", reason: "no answer" }]),
        witness("broker", [{ kind: "lost", reason: "refused" }], true),
      ],
      "mqtt",
      { timeoutMs: 50 },
    );
    expect(await codeOf(promise)).toBe("observer_failed");
  });

  it("is a success by other witnesses when the AP has vanished", async () => {
    const gone = witness("status", [{ kind: "lost", reason: "no answer" }]);
    const outcome = await wait(
      [gone, witness("broker", [saw("broker", "mqtt", true)], true)],
      "mqtt",
    );
    expect(outcome.evidence.map((item) => item.witness)).toEqual(["broker"]);
    expect(outcome.unheard).toEqual([{ witness: "status", reason: "no answer" }]);
  });

  it("is the device's own failure as soon as that is final", async () => {
    expect(
      await codeOf(wait([witness("status", [complains("wifi_wrong_password", true)])], "mqtt")),
    ).toBe("wifi_wrong_password");
  });

  it("is the last complaint when time runs out while the device still tries", async () => {
    expect(
      await codeOf(
        wait(
          [
            witness("status", [
              saw("status", "certificate"),
              complains("broker_unreachable", false),
            ]),
          ],
          "mqtt",
          { timeoutMs: 50 },
        ),
      ),
    ).toBe("broker_unreachable");
  });

  it("forgets a complaint that the device has overcome", async () => {
    const reports = [complains("backend_error", false), saw("status", "certificate")];
    expect((await wait([witness("status", reports)], "certificate")).reached).toBe("certificate");
  });

  it("is unknown, never a success, when nobody saw anything", async () => {
    expect(await codeOf(wait([witness("status", [])], "wifi", { timeoutMs: 50 }))).toBe(
      "outcome_unknown",
    );
  });

  it("counts what an earlier wait has seen", async () => {
    const earlier: Evidence[] = [
      { witness: "backend", milestone: "certificate", detail: "signed the CSR" },
    ];
    expect((await wait([witness("status", [])], "certificate", { earlier })).evidence).toEqual(
      earlier,
    );
  });

  it("ends with the reason of an abort", async () => {
    const abort = new AbortController();
    const promise = wait([witness("status", [])], "mqtt", { signal: abort.signal });
    abort.abort(new ProvError("interrupted", "stop"));
    expect(await codeOf(promise)).toBe("interrupted");
  });
});
