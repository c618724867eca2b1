import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Device, deviceOf } from "../helpers/device.js";
import { type LabUpOptions, labUp, type RunningLab } from "../helpers/lab.js";
import { longer, longerSeconds, WITH_ALL } from "../helpers/longer.js";
import { writeManifest } from "../helpers/project.js";
import { REPOSITORY } from "../helpers/prov.js";
import { nextStatus, type StatusMessage } from "../helpers/status-messages.js";

/* Whatever happens to a device, it comes back by itself, or waits where somebody can reach it. */

const ID = "lost-device";
/** A project of its own: everything that a person would wait for is short, but long enough for a look at the AP. */
const PROJECT = join(REPOSITORY, ".cache", "e2e-ways-back");
const manifest = () => `defineDevice({
  id: "${ID}",
  target: "esp32c3",
  mqtt: { statusIntervalSeconds: 1 },
  softAp: { windowSeconds: ${longerSeconds(5)} },
  wifi: { fallbackApSeconds: 2, allowOpen: true },
  sdkconfig: {
    CONFIG_PROV_CONNECT_DELAY_MS: 100,
    CONFIG_PROV_RECONNECT_MIN_MS: 100,
    CONFIG_PROV_RECONNECT_MAX_MS: 500,
    CONFIG_PROV_MQTT_RECONNECT_MIN_MS: 100,
    CONFIG_PROV_MQTT_RECONNECT_MAX_MS: 500,
    CONFIG_PROV_AP_LINGER_MS: 500,
    CONFIG_PROV_BUTTON_HOLD_MS: 500,
  },
})`;

let lab: RunningLab;
let device: Device;

/** A lab of this project with an empty board in AP_MODE. */
async function start(options: LabUpOptions = {}): Promise<void> {
  writeManifest(PROJECT, manifest());
  lab = await labUp("ways-back", { project: PROJECT, ...options });
  device = deviceOf(lab, { id: ID, project: PROJECT });
  await lab.client.setAir({ networks: (await lab.client.air()).networks.map(withoutFaults) });
  await device.empty();
  await device.boot();
}

function withoutFaults<T extends { faults?: unknown }>({ faults: _, ...network }: T) {
  return network;
}

afterEach(async () => {
  expect(await lab.stop()).toBe(0);
});

const next = (pattern: RegExp) => lab.logLine(pattern, { fromNow: true });
const isClosed = async () => (await lab.client.boardStatus()).baseUrl === null;

async function provision(more: object = {}): Promise<void> {
  const answer = await device.post("/provision", await device.credentials(more));
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

/** Online, with its AP closed. */
async function bringOnline(): Promise<void> {
  const closed = next(/the AP is closed/);
  await provision();
  await closed;
}

/** What nobody but a router can do: the home network goes away, or comes back. */
async function setHome(change: {
  isThere: boolean;
  dropAfterMs?: number;
  password?: string;
}): Promise<void> {
  const { networks } = await lab.client.air();
  const others = networks.filter((each) => each.ssid !== lab.home.ssid);
  const faults = change.dropAfterMs ? { faults: { drop_after_ms: change.dropAfterMs } } : {};
  const { ssid } = lab.home;
  const psk = change.password ?? lab.home.password;
  const home = { ssid, psk, rssi: -50, channel: 6, auth: "wpa2" as const, ...faults };
  await device.setAir({ networks: change.isThere ? [home, ...others] : others });
}

describe("the AP's window", () => {
  beforeEach(() => start());

  it("is over when nobody has come, until the next power-up", async () => {
    const url = await lab.baseUrl();
    await lab.logLine(/the AP is closed/);
    expect(await lab.client.boardStatus()).toMatchObject({ state: "running", baseUrl: null });
    await expect(fetch(`${url}/status`)).rejects.toThrow();
    await device.boot();
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await provision();
    await online;
  });

  it.runIf(WITH_ALL)(
    "is as long again for an attempt, and is over while the device tries on in vain",
    async () => {
      await lab.client.setFaults([{ server: "broker", kind: "untrusted" }]);
      const closed = next(/the AP is closed/);
      await provision();
      const { error } = await device.statusWhere((now) => now.error !== null);
      expect(error.code).toBe("broker_untrusted");
      await closed;
      for (let tries = 0; tries < 3; tries++) {
        await next(/error broker_untrusted/);
        expect(await isClosed()).toBe(true);
      }
      const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
      await lab.client.setFaults([]);
      await online;
    },
  );
});

describe("a device that has worked", () => {
  beforeEach(() => start());

  it("opens its AP when its network is away for long, and is online again when that is back", async () => {
    await setHome({ isThere: true, dropAfterMs: 4000 });
    const lost = lab.enters("WIFI_CONNECTING", { from: "MQTT_CONNECTED", fromNow: true });
    await bringOnline();
    await setHome({ isThere: false });
    await lost;
    expect(await isClosed()).toBe(true);
    const status = await device.statusWhere((now) => now.error !== null);
    expect(status).toMatchObject({
      status: "disconnected",
      state: "WIFI_CONNECTING",
      error: { code: "wifi_ap_not_found" },
      certificate: true,
    });
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await setHome({ isThere: true });
    await online;
    const isBack = (message: StatusMessage) => message.wifi_reconnects > 0;
    expect(await nextStatus(lab, ID, isBack)).toMatchObject({ last_error: "wifi_ap_not_found" });
    await expect.poll(isClosed, { timeout: longer(10_000) }).toBe(true);
  });

  it("goes back to its network after somebody has sent it to one that is none", async () => {
    await bringOnline();
    await setHome({ isThere: false });
    await lab.client.board("reset");
    await device.statusWhere((now) => now.error !== null);
    await provision({ ssid: "No such network", attempt_id: "wrong" });
    const verdict = await device.statusWhere((now) => now.state === "AP_MODE");
    expect(verdict).toMatchObject({ error: { code: "wifi_ap_not_found" }, certificate: true });
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await setHome({ isThere: true });
    await online;
  });

  it("goes back to its certificate after somebody has given it a token that is none", async () => {
    await bringOnline();
    const { cert_not_after } = await nextStatus(lab, ID);
    await setHome({ isThere: false });
    await lab.client.board("reset");
    await device.statusWhere((now) => now.error !== null);
    // With the password that it knows it would be online again before anybody could send it anything.
    const password = "another password";
    await setHome({ isThere: true, password });
    const rejected = lab.enters("AP_MODE", { from: "SUBMIT_CSR", fromNow: true });
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await provision({ password, provisioning_token: "not-a-token" });
    await rejected;
    await online;
    const after = await nextStatus(lab, ID, (message) => message.last_error === "token_rejected");
    expect(after.cert_not_after).toBe(cert_not_after);
  });
});

describe("an open network", () => {
  it("is joined by a device that may", async () => {
    await start();
    const { networks } = await lab.client.air();
    const open = networks.find((each) => each.psk === null);
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await provision({ ssid: open?.ssid, password: "" });
    await online;
  });
});

describe("a new certificate", () => {
  it.each([
    ["embedded", "it hung up on the device's certificate"],
    ["mosquitto", "TLS alert unknown_ca"],
  ] as const)("that the %s broker refuses gives way to the one before", async (broker, why) => {
    await start({ broker, certificateSeconds: Number(longerSeconds(24)) });
    await lab.client.setFaults([
      { route: "/renew-csr", kind: "new_ca", times: 1 },
      { route: "/renew-csr", kind: "status", status: 503 },
    ]);
    const refused = next(/error broker_rejected/);
    const dropped = next(/back to the certificate before/);
    await bringOnline();
    const before = await nextStatus(lab, ID);
    expect(await refused).toContain(why);
    await dropped;
    const isBack = (message: StatusMessage) => message.mqtt_reconnects === 1;
    const back = await nextStatus(lab, ID, isBack);
    expect(back.cert_not_after).toBe(before.cert_not_after);
    expect(["broker_rejected", "backend_error"]).toContain(back.last_error);
    await lab.client.setFaults([]);
    const isNewer = (message: StatusMessage) => message.cert_not_after > before.cert_not_after;
    expect((await nextStatus(lab, ID, isNewer)).mqtt_reconnects).toBe(2);
  });
});

describe("a certificate that is revoked", () => {
  it("is named, and opens no AP: its end mends it, or the button and a token, with the same key", async () => {
    await start({ broker: "mosquitto" });
    await bringOnline();
    const isRevoked = [
      { server: "broker", kind: "revoked" },
      { server: "backend", kind: "revoked" },
    ] as const;
    await lab.client.setFaults(isRevoked);
    for (let tries = 0; tries < 4; tries++) {
      expect(await next(/error broker_rejected/)).toContain("TLS alert certificate_revoked");
      expect(await isClosed()).toBe(true); // anybody on the way could have said so
    }
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await lab.client.setFaults([]);
    await online;

    await lab.client.setFaults(isRevoked);
    await lab.client.board("reset");
    await next(/error broker_rejected/);
    await lab.client.board("press");
    await device.statusWhere((now) => now.state === "AP_MODE" && now.certificate === false);
    await lab.client.board("release");
    const again = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await provision(); // a certificate for another key is one that the device would not take
    await again;
  });
});
