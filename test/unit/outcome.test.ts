import { describe, expect, it } from "vitest";
import { deviceError, ProvError } from "../../cli/errors.js";
import {
  type Evidence,
  type Outcome,
  openHearing,
  type Witness,
  type WitnessReport,
} from "../../cli/flow/outcome.js";
import type { Milestone } from "../../codegen/states.js";

const task = { update() {}, done() {}, failed() {} };
const SPEAKS_FOR: Readonly<Record<string, Witness["speaksFor"]>> = {
  broker: "broker",
  backend: "backend",
};

/** A witness that says its lines at once and then stays until it is dismissed. */
function witness(name: string, reports: readonly WitnessReport[]): Witness {
  return {
    name,
    speaksFor: SPEAKS_FOR[name] ?? "device",
    async watch(report, signal) {
      for (const each of reports) report(each);
      if (!signal.aborted)
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  };
}

/** A witness that says what it is told to, when it is told to. */
function prompted(name: string) {
  let say: (report: WitnessReport) => void = () => {};
  const asked: Witness = {
    ...witness(name, []),
    async watch(report, signal) {
      say = report;
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  };
  return { witness: asked, say: (report: WitnessReport) => say(report) };
}

function saw(
  name: string,
  milestone: Milestone,
  mqtt = false,
  complaint?: ProvError,
): WitnessReport {
  const evidence: Evidence = {
    witness: name,
    milestone,
    detail: milestone,
    ...(mqtt ? { mqtt: { topic: "devices/d/status", payload: { seq: 1 } } } : {}),
  };
  return { kind: "evidence", evidence, ...(complaint ? { complaint } : {}) };
}

function complains(code: string, final: boolean): WitnessReport {
  return { kind: "failure", error: deviceError(code, ""), final };
}

const LOST: WitnessReport = { kind: "lost", reason: "no answer" };

async function wait(
  witnesses: Witness[],
  goal: Milestone,
  more: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<Outcome> {
  const hearing = openHearing(witnesses, more.signal ?? new AbortController().signal);
  try {
    return await hearing.until(goal, more.timeoutMs ?? 5_000, task);
  } finally {
    await hearing.close();
  }
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
        witness("broker", [saw("broker", "mqtt", true)]),
      ],
      "mqtt",
    );
    expect(outcome.reached).toBe("mqtt");
    expect(outcome.mqtt?.topic).toBe("devices/d/status");
  });

  it("does not take the device's word for MQTT while the broker can be watched", async () => {
    const promise = wait(
      [witness("status", [saw("status", "mqtt")]), witness("broker", [])],
      "mqtt",
      { timeoutMs: 50 },
    );
    expect(await codeOf(promise)).toBe("status_timeout");
  });

  it("takes the device's word when the broker cannot be watched", async () => {
    const lost: Witness = {
      name: "broker",
      speaksFor: "broker",
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
        witness("broker", [{ kind: "lost", reason: "refused" }]),
      ],
      "mqtt",
      { timeoutMs: 50 },
    );
    expect(await codeOf(promise)).toBe("observer_failed");
  });

  it("is a success by other witnesses when the AP has vanished", async () => {
    const gone = witness("status", [{ kind: "lost", reason: "no answer" }]);
    const outcome = await wait([gone, witness("broker", [saw("broker", "mqtt", true)])], "mqtt");
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

  it("counts for the next goal what was seen, and complained of, while the last one was waited for", async () => {
    const status = prompted("status");
    const hearing = openHearing([status.witness], new AbortController().signal);
    const enrolled = hearing.until("certificate", 5_000, task);
    const complaint = deviceError("publish_refused", "");
    status.say(saw("status", "certificate", false, complaint));
    expect((await enrolled).reached).toBe("certificate");
    status.say(LOST);
    expect(await codeOf(hearing.until("mqtt", 50, task))).toBe("publish_refused");
    await hearing.close();
  });

  it("is not decided by a delivered message while the device says that it is not connected", async () => {
    const status = prompted("status");
    const broker = prompted("broker");
    const hearing = openHearing([status.witness, broker.witness], new AbortController().signal);
    let outcome: Outcome | undefined;
    const waiting = hearing.until("mqtt", 5_000, task).then((found) => {
      outcome = found;
    });
    status.say(saw("status", "certificate"));
    broker.say(saw("broker", "mqtt", true));
    await new Promise(setImmediate);
    expect(outcome).toBeUndefined();
    status.say(saw("status", "mqtt"));
    await waiting;
    expect(outcome?.mqtt).toBeDefined();
    await hearing.close();
  });

  it.each(["publish_refused", "publish_unacknowledged", "broker_lost", "broker_tls_failed"])(
    "is the device's %s although the broker has delivered its message",
    async (code) => {
      const status = witness("status", [
        saw("status", "certificate", false, deviceError(code, "")),
      ]);
      const broker = witness("broker", [saw("broker", "mqtt", true)]);
      expect(await codeOf(wait([status, broker], "mqtt", { timeoutMs: 50 }))).toBe(code);
    },
  );

  it("is decided by a delivered message once the device cannot be heard any more", async () => {
    const status = prompted("status");
    const broker = witness("broker", [saw("broker", "mqtt", true)]);
    const hearing = openHearing([status.witness, broker], new AbortController().signal);
    status.say(saw("status", "certificate"));
    const waiting = hearing.until("mqtt", 5_000, task);
    status.say(LOST);
    expect((await waiting).mqtt).toBeDefined();
    await hearing.close();
  });

  it("is not decided by a message that the last will has followed", async () => {
    const broker = witness("broker", [
      saw("broker", "mqtt", true),
      { kind: "withdrawn", reason: "it is offline" },
    ]);
    const status = witness("status", [saw("status", "certificate"), LOST]);
    expect(await codeOf(wait([status, broker], "mqtt", { timeoutMs: 50 }))).toBe("status_timeout");
  });

  it("is the latest complaint of several", async () => {
    const status = prompted("status");
    const log = prompted("log");
    const hearing = openHearing([status.witness, log.witness], new AbortController().signal);
    status.say(complains("dns_failed", false));
    log.say(complains("broker_unreachable", false));
    status.say(complains("publish_refused", false));
    expect(await codeOf(hearing.until("mqtt", 50, task))).toBe("publish_refused");
    await hearing.close();
  });

  it("ends with the reason of an abort", async () => {
    const abort = new AbortController();
    const promise = wait([witness("status", [])], "mqtt", { signal: abort.signal });
    abort.abort(new ProvError("interrupted", "stop"));
    expect(await codeOf(promise)).toBe("interrupted");
  });
});
