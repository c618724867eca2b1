import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RouteFault } from "../../cli/lab/faults.js";
import { freshBoard, labUp, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { longerSeconds, WITH_ALL_BROKERS } from "../helpers/longer.js";
import { prov } from "../helpers/prov.js";

/** What happens to a provisioning when one side of it fails, and who then decides the outcome. */
let lab: RunningLab;

beforeAll(async () => {
  lab = await labUp("witnesses");
});

afterAll(async () => {
  await lab.stop();
});

beforeEach(() => freshBoard(lab));

async function provision(...more: string[]) {
  const outcome = await prov(provisionArgs(lab, more), {
    env: { PROV_WIFI_PASSWORD: lab.home.password, PROV_TOKEN: await lab.token() },
  });
  return { ...outcome, document: JSON.parse(outcome.stdout) };
}

async function airFaults(faults: Record<string, unknown>): Promise<void> {
  await lab.client.setAir({ ...(await lab.client.air()), faults });
}

function witnessesOf(document: ReturnType<typeof JSON.parse>): string[] {
  return document.evidence.map((item: { witness: string }) => item.witness);
}

describe("the outcome of a provisioning", () => {
  it("is a success by the others' evidence when the AP vanishes right after the POST", async () => {
    await airFaults({ ap_vanish_on_connect: true });
    const { code, document } = await provision();
    expect(code, JSON.stringify(document)).toBe(0);
    expect(document.reached).toBe("mqtt");
    expect(witnessesOf(document)).toEqual(expect.arrayContaining(["backend", "broker"]));
    expect(witnessesOf(document)).not.toContain("status");
  });

  it("is a success when the reply to the POST is lost", async () => {
    await airFaults({ lose_replies: ["POST /provision"] });
    const { code, document, stderr } = await provision();
    expect(code, JSON.stringify(document)).toBe(0);
    expect(stderr).toContain("no reply to POST /provision");
  });

  it("is a success when the replies to GET /status are lost after the POST", async () => {
    const saved = lab.logLine(/credentials saved/, { fromNow: true });
    const pending = provision();
    await saved;
    await airFaults({ lose_replies: ["GET /status"] });
    const { code, document } = await pending;
    expect(code, JSON.stringify(document)).toBe(0);
    expect(document.reached).toBe("mqtt");
  });

  const FAULTS: readonly [
    name: string,
    fault: Omit<RouteFault, "route">,
    exit: number,
    code: string | null,
  ][] = [
    ["401", { kind: "status", status: 401 }, 8, "token_rejected"],
    ["403", { kind: "status", status: 403 }, 8, "token_rejected"],
    ["404", { kind: "status", status: 404 }, 8, "backend_error"],
    ["500, then all is well", { kind: "status", status: 500, times: 1 }, 0, null],
    ["a hang-up, then all is well", { kind: "close", times: 1 }, 0, null],
    ["100 unasked, then as always", { kind: "serve", informational: [100] }, 0, null],
    [
      "100, 102 and hints, then as always",
      { kind: "serve", informational: [100, 102, 103] },
      0,
      null,
    ],
    ["100, then 401", { kind: "status", status: 401, informational: [100] }, 8, "token_rejected"],
    ["a certificate for another key", { kind: "foreign_certificate" }, 8, "certificate_mismatch"],
    ["a certificate with another name", { kind: "foreign_name" }, 8, "certificate_mismatch"],
    ["a certificate that has expired", { kind: "expired_certificate" }, 8, "certificate_mismatch"],
    ["a CA that did not sign it", { kind: "wrong_ca" }, 8, "certificate_mismatch"],
  ];

  /** Until the time is up. */
  const FOR_EVER: typeof FAULTS = [
    ["100, then a hang-up", { kind: "close", informational: [100] }, 8, "backend_unreachable"],
    ["half a JSON", { kind: "truncated_json" }, 8, "backend_bad_response"],
    ["101", { kind: "serve", informational: [101] }, 8, "backend_error"],
    ["a firewall's page", { kind: "page" }, 8, "backend_error"],
    ["a redirect", { kind: "redirect" }, 8, "backend_error"],
  ];

  it.each(WITH_ALL_BROKERS ? [...FAULTS, ...FOR_EVER] : FAULTS)(
    "with a backend that answers %s",
    async (_name, fault, exit, code) => {
      await lab.client.setFaults([{ route: "/sign-csr", ...fault }]);
      const outcome = await provision("--timeout", longerSeconds(15));
      expect([outcome.code, outcome.document.error?.code ?? null], outcome.stdout).toEqual([
        exit,
        code,
      ]);
    },
  );

  it("waits for a broker that is down and comes up", async () => {
    await lab.client.setFaults([{ server: "broker", kind: "down" }]);
    const pending = provision();
    await lab.enters("MQTT_CONNECTING");
    await lab.logLine(/mqtt/i, { fromNow: true });
    await lab.client.setFaults([]);
    const { code, document } = await pending;
    expect(code, JSON.stringify(document)).toBe(0);
  });

  it("is broker_unreachable with exit 9 when the broker stays down", async () => {
    await lab.client.setFaults([{ server: "broker", kind: "down" }]);
    const { code, document } = await provision("--timeout", longerSeconds(12));
    expect([code, document.error.code]).toEqual([9, "broker_unreachable"]);
  });

  it("ends where --wait says", async () => {
    await lab.client.setFaults([{ server: "broker", kind: "down" }]);
    const { code, document } = await provision("--wait", "certificate");
    expect([code, document.reached]).toEqual([0, "certificate"]);
  });
});
