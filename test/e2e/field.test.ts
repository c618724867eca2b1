import { mkdirSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { REFUSAL_WORDS } from "../../codegen/page-words.js";
import { auditPage, launchBrowser, openPhone, screenshot } from "../helpers/browser.js";
import { type Device, deviceOf } from "../helpers/device.js";
import { labUp, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { prov, REPOSITORY } from "../helpers/prov.js";

const PAIRING_SECRET = "a-pairing-secret";
const ID = "field-device";

/** A project of its own: short times, and a pairing secret. */
const PROJECT = join(REPOSITORY, ".cache", "e2e-field");
const MANIFEST = `import { defineDevice } from "prov";

export default defineDevice({
  id: "${ID}",
  target: "esp32c3",
  mqtt: { statusIntervalSeconds: 1 },
  softAp: { pairingSecret: "${PAIRING_SECRET}" },
  wifi: { fallbackApSeconds: 2, country: "DE" },
  time: { servers: ["ntp-1.example", "ntp-2.example"] },
  sdkconfig: {
    CONFIG_PROV_SNTP_TIMEOUT_MS: 1000,
    CONFIG_PROV_RECONNECT_MAX_MS: 1000,
    CONFIG_PROV_AP_LINGER_MS: 500,
  },
});
`;

let lab: RunningLab;
let device: Device;

beforeAll(async () => {
  mkdirSync(PROJECT, { recursive: true });
  writeFileSync(join(PROJECT, "device.config.ts"), MANIFEST);
  lab = await labUp("field", { project: PROJECT });
  device = deviceOf(lab, { id: ID, project: PROJECT, pairingSecret: PAIRING_SECRET });
});

afterAll(async () => {
  expect(await lab?.stop()).toBe(0);
});

/** An empty board in AP_MODE, whatever it was before. */
beforeEach(async () => {
  await device.setAir({ faults: {} });
  await device.empty();
  await device.boot();
});

describe("a pairing secret", () => {
  it("is asked for, five wrong ones lock the device, and a restart unlocks it", async () => {
    const body = await device.credentials();
    expect(await device.post("/provision", body, "")).toMatchObject({
      status: 401,
      body: { code: "pairing_required" },
    });
    for (let tries = 1; tries < 5; tries++) {
      const answer = await device.post("/provision", body, "wrong-secret");
      expect([answer.status, answer.body.code]).toEqual([401, "pairing_required"]);
    }
    const fifth = await device.post("/reset", { scope: "all", pairing_secret: "x" }, "");
    expect([fifth.status, fifth.body.code]).toEqual([429, "locked"]);
    expect((await device.post("/provision", body)).body.code).toBe("locked");
    expect((await device.status()).state).toBe("AP_MODE");
    await device.boot();
    const answer = await device.post("/provision", { ...body, pairing_secret: PAIRING_SECRET }, "");
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    await device.statusWhere((now) => now.status === "connected");
  });

  it("is asked of the page's form as well", async () => {
    const { ssid, password } = lab.home;
    const form = { ssid, password, provisioning_token: await lab.token(ID) };
    const send = async (more: Record<string, string>) =>
      fetch(`${await lab.baseUrl()}/`, {
        method: "POST",
        body: new URLSearchParams({ ...form, ...more }),
      });
    expect((await send({})).status).toBe(401);
    for (let tries = 1; tries < 5; tries++)
      expect((await send({ pairing_secret: "wrong" })).status).toBe(401);
    expect((await send({ pairing_secret: "wrong" })).status).toBe(429);
    expect((await send({ pairing_secret: PAIRING_SECRET })).status).toBe(429);
    expect((await device.status()).state).toBe("AP_MODE");
  });

  it("has a field of its own on the page", async () => {
    const browser = await launchBrowser();
    try {
      const { page } = await openPhone(browser, await lab.baseUrl());
      await page.getByRole("radio", { name: lab.home.ssid }).click();
      await page.getByLabel("WiFi password").fill(lab.home.password);
      await page.getByLabel("Provisioning token").fill(await lab.token(ID));
      await page.getByLabel("Pairing secret").fill("wrong");
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await page.getByText(REFUSAL_WORDS.pairing_required ?? "").waitFor();
      expect(await auditPage(page)).toEqual([]);
      await screenshot(page, "light-13-pairing");
      await page.getByLabel("Pairing secret").fill(PAIRING_SECRET);
      // The AP of this project goes away before the page can have read of it.
      const connected = lab.logLine(/-> MQTT_CONNECTED/, { fromNow: true });
      await page.keyboard.press("Enter");
      await connected;
    } finally {
      await browser.close();
    }
  });

  it("is sent by prov, which has it from the manifest", async () => {
    const outcome = await prov(provisionArgs(lab, ["--token", await lab.token(ID)]), {
      cwd: PROJECT,
      env: { PROV_WIFI_PASSWORD: lab.home.password, PROV_TOKEN: "", PROV_BEARER: "" },
    });
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stdout + outcome.stderr).not.toContain(PAIRING_SECRET);
  });
});

describe("a device without the time", () => {
  it("says clock_not_set and goes on when a time server answers; the time survives a power cycle", async () => {
    await device.setAir({ faults: { sntp_blocked: true } });
    expect((await device.post("/provision", await device.credentials())).status).toBe(200);
    const stuck = await device.statusWhere((now) => now.error !== null);
    expect(stuck).toMatchObject({ state: "WIFI_CONNECTED", error: { code: "clock_not_set" } });
    await lab.logLine(/time server ntp-2\.example/, { fromNow: true });
    const connected = lab.logLine(/-> MQTT_CONNECTED/, { fromNow: true });
    await device.setAir({ faults: {} });
    await connected;
    await device.setAir({ faults: { sntp_blocked: true } });
    const restored = lab.logLine(/restored the last known time/, { fromNow: true });
    const again = lab.logLine(/-> MQTT_CONNECTED/, { fromNow: true });
    await lab.client.board("reset");
    await restored;
    await again;
  });
});

describe("networks", () => {
  it("that are hidden or in WPA2/WPA3 transition are joined", async () => {
    const { networks } = await lab.client.air();
    const psk = "hidden-password";
    const hidden = { ssid: "Hidden", psk, rssi: -50, channel: 9, hidden: true };
    await device.setAir({ networks: [...networks, { ...hidden, auth: "wpa2wpa3" }] });
    const connected = lab.logLine(/-> MQTT_CONNECTED/, { fromNow: true });
    expect(
      (await device.post("/provision", await device.credentials({ ssid: "Hidden", password: psk })))
        .status,
    ).toBe(200);
    await connected;
    await device.setAir({ networks });
  });

  it("without a password are refused unless they are allowed", async () => {
    const open = (await lab.client.air()).networks.find((each) => each.psk === null);
    const body = await device.credentials({ ssid: open?.ssid, password: "" });
    expect((await device.post("/provision", body)).status).toBe(200);
    const verdict = await device.statusWhere((now) => now.error !== null);
    expect(verdict).toMatchObject({ state: "AP_MODE", error: { code: "wifi_weak_security" } });
  });

  it("that are away for long open the AP, and the device is back when they are", async () => {
    const closed = lab.logLine(/the AP is closed/, { fromNow: true });
    expect((await device.post("/provision", await device.credentials())).status).toBe(200);
    await closed;
    const { networks } = await lab.client.air();
    await device.setAir({ networks: networks.filter((each) => each.ssid !== lab.home.ssid) });
    await lab.client.board("reset");
    const fallback = await device.statusWhere((now) => now.error !== null);
    expect(fallback).toMatchObject({
      state: "WIFI_CONNECTING",
      error: { code: "wifi_ap_not_found" },
      certificate: true,
    });
    const connected = lab.logLine(/-> MQTT_CONNECTED/, { fromNow: true });
    await device.setAir({ networks });
    await connected;
  });
});

describe("the API", () => {
  it("answers while seven clients stall it in every way", async () => {
    const { hostname, port } = new URL(await lab.baseUrl());
    await device.status();
    const post = `POST /provision HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\n`;
    const stalls = [
      "",
      "GET /sta",
      "GET /status HTTP/1.1\r\n",
      `${post}Content-Length: 4000\r\n\r\n`,
      `${post}Content-Length: 9\r\n\r\n{`,
      post,
      "\r\n",
    ];
    const sockets = await Promise.all(stalls.map((text) => open(hostname, Number(port), text)));
    const pipelined = await open(
      hostname,
      Number(port),
      `GET /status HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(3),
    );
    let answers = "";
    for await (const chunk of pipelined) {
      answers += String(chunk);
      if (answers.split("HTTP/1.1 200").length === 4) break;
    }
    expect((await device.status()).state).toBe("AP_MODE");
    for (const socket of sockets) socket.destroy();
  });
});

async function open(host: string, port: number, text: string): Promise<Socket> {
  const socket = connect({ host, port });
  socket.on("error", () => {}); // the board may close it; that is its answer
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  socket.write(text);
  return socket;
}
