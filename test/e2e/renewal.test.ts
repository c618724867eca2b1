import { afterEach, describe, expect, it } from "vitest";
import type { LabEvent } from "../../cli/lab/events.js";
import { labUp, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { longer, longerSeconds, WITH_ALL } from "../helpers/longer.js";
import { DEVICE_ID, prov } from "../helpers/prov.js";
import { statusMessages } from "../helpers/status-messages.js";

const WAIT_MS = 30_000;

let lab: RunningLab | undefined;

afterEach(async () => {
  expect(await lab?.stop()).toBe(0);
  lab = undefined;
});

async function provisioned(options: Parameters<typeof labUp>[1]): Promise<RunningLab> {
  lab = await labUp("renewal", options);
  const outcome = await prov(provisionArgs(lab, ["--token", await lab.token()]), {
    env: { PROV_WIFI_PASSWORD: lab.home.password, PROV_TOKEN: "", PROV_BEARER: "" },
  });
  expect(outcome.code, outcome.stderr).toBe(0);
  return lab;
}

/** The first event, past or future, that is wanted. */
async function labEvent(
  { client }: RunningLab,
  wanted: (event: LabEvent) => boolean,
): Promise<LabEvent> {
  const signal = AbortSignal.timeout(longer(WAIT_MS));
  for await (const event of client.events({ follow: true, signal }))
    if (wanted(event)) return event;
  throw new Error("no such event");
}

describe("a certificate that lives seconds", () => {
  it.each(["embedded", "mosquitto"] as const)(
    "is renewed over mutual TLS and proves itself at the %s broker",
    async (broker) => {
      const running = await provisioned({ broker, certificateSeconds: Number(longerSeconds(16)) });
      const ends = new Set<number>();
      for await (const message of statusMessages(running, DEVICE_ID)) {
        // It only changes over: nobody may see it offline.
        if (broker === "mosquitto") expect(message.status).toBe("connected");
        if (message.status !== "connected") continue;
        ends.add(message.cert_not_after);
        if (ends.size === 3) {
          expect(message.mqtt_reconnects).toBeGreaterThanOrEqual(1);
          expect(message.reset_reason).toBe("external");
          break;
        }
      }
      const renewed = await labEvent(running, (event) => event.what === "renew-csr");
      expect(renewed).toMatchObject({ outcome: "ok", deviceId: DEVICE_ID });
      const goodbye = await labEvent(running, (event) => event.what === "goodbye");
      expect(goodbye.deviceId).toBe(DEVICE_ID);
      let signed = 0;
      for await (const event of running.client.events()) if (event.what === "sign-csr") signed += 1;
      expect(signed).toBe(1); // the token was spent once; the rest is mutual TLS
    },
  );

  it.runIf(WITH_ALL)(
    "stays connected with the old one while the backend fails or refuses to renew",
    async () => {
      const running = await provisioned({ certificateSeconds: Number(longerSeconds(20)) });
      const renewal = { route: "/renew-csr", kind: "status", times: 1 } as const;
      await running.client.setFaults([
        { ...renewal, status: 503 },
        { ...renewal, status: 401 },
      ]);
      const ends = new Set<number>();
      for await (const message of statusMessages(running, DEVICE_ID)) {
        if (message.status !== "connected") continue;
        ends.add(message.cert_not_after);
        if (ends.size === 1) {
          expect([null, "backend_error", "renewal_rejected"]).toContain(message.last_error);
          continue;
        }
        expect(message).toMatchObject({ last_error: "renewal_rejected", mqtt_reconnects: 1 });
        break;
      }
    },
  );

  it("that expired while the device was off is a named failure with the AP up, and a token mends it", async () => {
    const lifeS = Number(longerSeconds(4));
    const running = await provisioned({ certificateSeconds: lifeS });
    await running.client.board("power_off");
    for await (const message of statusMessages(running, DEVICE_ID))
      if (message.status === "offline") break;
    await expired(running, lifeS);
    const failed = running.logLine(/error certificate_expired/, { fromNow: true });
    await running.client.board("power_on");
    await failed;
    const status = await boardStatus(running);
    expect(status).toMatchObject({ state: "AP_MODE", error: { code: "certificate_expired" } });
    expect(status.device_id).toBe(DEVICE_ID);
    const again = await prov(provisionArgs(running, ["--token", await running.token()]), {
      env: { PROV_WIFI_PASSWORD: running.home.password, PROV_TOKEN: "", PROV_BEARER: "" },
    });
    expect(again.code, again.stderr).toBe(0);
  });
});

/** What the board says of itself; its AP is there a moment before its HTTP server. */
async function boardStatus(running: RunningLab): Promise<ReturnType<typeof JSON.parse>> {
  const deadline = AbortSignal.timeout(longer(WAIT_MS));
  for (;;) {
    const answer = await fetch(`${await running.baseUrl()}/status`).catch(() => undefined);
    if (answer?.ok) return answer.json();
    deadline.throwIfAborted();
  }
}

/** Waits until the newest certificate of the board, which is off, has ended for certain. */
async function expired(running: RunningLab, lifeS: number): Promise<void> {
  let last = 0;
  for await (const event of running.client.events()) {
    if (/^(sign|renew)-csr$/.test(event.what)) last = Date.parse(event.at);
  }
  expect(last).toBeGreaterThan(0);
  const leftMs = last + (lifeS + 2) * 1000 - Date.now();
  if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs)); // time itself is what is waited for
}
