import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Air, listAnnouncedAps } from "../../cli/lab/air/air-file.js";
import { createCa } from "../../cli/lab/pki/ca.js";
import { REFUSAL_WORDS } from "../../codegen/page-words.js";
import { buildNvsTools, readClock } from "../attack/records.js";
import { auditPage, launchBrowser, openPhone, screenshot } from "../helpers/browser.js";
import { type Device, deviceOf } from "../helpers/device.js";
import { labUp, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { writeManifest } from "../helpers/project.js";
import { prov, REPOSITORY } from "../helpers/prov.js";
import { nextStatus } from "../helpers/status-messages.js";

const PAIRING_SECRET = "a-pairing-secret";
const ID = "field-device";

/** A project of its own: short times, and a pairing secret. */
const PROJECT = join(REPOSITORY, ".cache", "e2e-field");
const MANIFEST = `defineDevice({
  id: "${ID}",
  target: "esp32c3",
  mqtt: { statusIntervalSeconds: 1 },
  softAp: { pairingSecret: "${PAIRING_SECRET}" },
  wifi: { fallbackApSeconds: 2, country: "DE" },
  time: { servers: ["ntp-1.example", "ntp-2.example"] },
  sdkconfig: {
    CONFIG_PROV_SNTP_TIMEOUT_MS: 1000,
    CONFIG_PROV_RECONNECT_MAX_MS: 1000,
    CONFIG_PROV_BACKEND_RETRY_MAX_MS: 1000,
    CONFIG_PROV_AP_LINGER_MS: 500,
  },
})`;

const { version: VERSION } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));

let lab: RunningLab;
let device: Device;

beforeAll(async () => {
  writeManifest(PROJECT, MANIFEST);
  await buildNvsTools();
  // A CA that was good yesterday: what has expired since was good for a clock that is set back.
  const day = 86_400_000;
  const ca = await createCa({
    commonName: "prov lab CA",
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 3650 * day),
  });
  const caDir = join(PROJECT, ".prov", "lab", "field", "ca");
  mkdirSync(caDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(caDir, "ca.pem"), ca.certPem);
  writeFileSync(join(caDir, "ca-key.pem"), ca.keyPem, { mode: 0o600 });
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
      const connected = lab.enters("MQTT_CONNECTED", { fromNow: true });
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
    const connected = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await device.setAir({ faults: {} });
    await connected;
    await device.setAir({ faults: { sntp_blocked: true } });
    const restored = lab.logLine(/restored the last known time/, { fromNow: true });
    const again = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await lab.client.board("reset");
    await restored;
    await again;
  });
});

const storedClock = () => readClock(join(lab.client.info.airDir, "..", "board", "flash.bin"));

describe("the time of a POST", () => {
  const now = () => Math.floor(Date.now() / 1000);
  const YEAR = 365 * 86_400;
  const IN_2099 = Date.UTC(2099, 0, 1) / 1000;
  const post = async (more: object) => {
    const answer = await device.post("/provision", await device.credentials(more));
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  };

  it("does where no time server answers, and one before the firmware was built does not replace it", async () => {
    await device.setAir({ faults: { sntp_blocked: true } });
    const noted = lab.logLine(/noted the time of the client/, { fromNow: true });
    await post({ ssid: "No such network", time: now() });
    await noted;
    await device.statusWhere((status) => status.error !== null);
    const took = lab.logLine(/took the time from the client/, { fromNow: true });
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await post({ time: now() - YEAR });
    await took;
    await online;
    expect((await storedClock()).anchor).toBe(0); // a TLS handshake agreed, but no time server
  });

  it.each([
    ["2030", Date.UTC(2030, 0, 1) / 1000],
    ["2099", IN_2099],
    ["a year ago", Math.floor(Date.now() / 1000) - YEAR],
  ])("is of no account where a time server answers: %s", async (_, time) => {
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await post({ time });
    await online;
    const { cert_not_after: end } = await nextStatus(
      lab,
      ID,
      (each) => each.status === "connected",
    );
    expect(end).toBeGreaterThan(now());
    const stored = await storedClock();
    expect(Math.abs(stored.time - now())).toBeLessThan(120);
    expect(stored.anchor).toBe(stored.time);
  });

  it("when it is 2099 is neither kept nor in the way of the right one, from the owner or from a server", async () => {
    await device.setAir({ faults: { sntp_blocked: true } });
    await post({ time: IN_2099 });
    const fooled = await device.statusWhere((status) => status.error !== null);
    expect(fooled.error.code).toBe("backend_untrusted"); // whose certificate has ended by then
    expect((await storedClock()).time).toBe(0);
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await post({ time: now() });
    await online;
    expect(Math.abs((await storedClock()).time - now())).toBeLessThan(120);

    await device.empty();
    await device.boot();
    await post({ time: IN_2099 });
    await device.statusWhere((status) => status.error?.code === "backend_untrusted");
    const mended = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await device.setAir({ faults: {} });
    await mended;
  });

  // The lab's expired certificate was good until an hour ago.
  it("that is set back does not make an expired certificate of the backend good", async () => {
    const asked = async () => {
      let count = 0;
      for await (const { what } of lab.client.events()) if (what === "sign-csr") count++;
      return count;
    };
    const before = await asked();
    const expired = lab.logLine(/error backend_untrusted/, { fromNow: true });
    await lab.client.setFaults([{ server: "backend", kind: "expired" }]);
    try {
      await post({ time: now() - 5400 });
      await expired;
      expect(await asked()).toBe(before); // nobody got the token
      expect((await storedClock()).anchor).toBe(0);
    } finally {
      await lab.client.setFaults([]);
    }
  });
});

describe("the status message", () => {
  it("tells how the device is", async () => {
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    const body = await device.credentials({ attempt_id: "status-test" });
    expect((await device.post("/provision", body)).status).toBe(200);
    await online;
    const message = await nextStatus(lab, ID, (each) => each.attempt_id === "status-test");
    expect(message).toMatchObject({
      device_id: ID,
      state: "MQTT_CONNECTED",
      ip: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
      fw: VERSION,
      rssi: -50,
      reset_reason: "power_on",
      last_error: null,
      wifi_reconnects: 0,
      mqtt_reconnects: 0,
    });
    const { uptime_s, heap_free, heap_min, stack_min, cert_not_after } = message;
    expect(uptime_s).toBeLessThan(60);
    expect(heap_min).toBeGreaterThan(0);
    expect(heap_free).toBeGreaterThanOrEqual(heap_min);
    expect(heap_free).toBeLessThan(276 * 1024);
    for (const task of ["main", "prov", "prov_net", "mqtt_task", "httpd", "sys_evt"])
      expect(stack_min[task], task).toBeGreaterThan(0);
    expect(cert_not_after).toBeGreaterThan(Date.now() / 1000);
  });
});

describe("networks", () => {
  it("that fail twice and then do not are no failure", async () => {
    const { networks } = await lab.client.air();
    const faults = { fail_first: 2 };
    await device.setAir({
      networks: networks.map((each) => (each.ssid === lab.home.ssid ? { ...each, faults } : each)),
    });
    const tries = lab.logLine(/disconnected, reason 2/, { fromNow: true });
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    expect((await device.post("/provision", await device.credentials())).status).toBe(200);
    await tries;
    const status = await device.statusWhere((now) => now.attempts_remaining < 5);
    expect(status).toMatchObject({ state: "WIFI_CONNECTING", error: null });
    await online;
    await device.setAir({ networks });
  });

  it("that refuse for a reason nobody knows are an unknown failure, after as many tries as any", async () => {
    const { networks } = await lab.client.air();
    const faults = { reject_reason: 99 };
    await device.setAir({
      networks: networks.map((each) => (each.ssid === lab.home.ssid ? { ...each, faults } : each)),
    });
    expect((await device.post("/provision", await device.credentials())).status).toBe(200);
    const verdict = await device.statusWhere((now) => now.error !== null);
    expect(verdict).toMatchObject({
      state: "AP_MODE",
      error: { code: "wifi_unknown", message: expect.stringContaining("reason 99") },
    });
    await device.setAir({ networks });
  });

  it("on another channel take the AP with them, whose clients stay", async () => {
    const channel = () => listAnnouncedAps(lab.client.info.airDir)[0]?.channel;
    expect(channel()).toBe(1);
    await lab.client.setFaults([{ server: "broker", kind: "down" }]);
    expect((await device.post("/provision", await device.credentials())).status).toBe(200);
    await device.statusWhere((now) => now.error?.code === "broker_unreachable");
    expect(channel()).toBe(6);
    await lab.client.setFaults([]);
  });

  it("that are hidden or in WPA2/WPA3 transition are joined", async () => {
    const { networks } = await lab.client.air();
    const psk = "hidden-password";
    const hidden = { ssid: "Hidden", psk, rssi: -50, channel: 9, hidden: true };
    await device.setAir({ networks: [...networks, { ...hidden, auth: "wpa2wpa3" }] });
    const connected = lab.enters("MQTT_CONNECTED", { fromNow: true });
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
    const connected = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await device.setAir({ networks });
    await connected;
  });
});

describe("the flash", () => {
  const PART = 24;
  const secret = (what: string) => `s3cret-${what}`;
  const BEARER = secret("bearer-of-the-user");
  const NEXT = { ssid: "Next", psk: secret("next-password"), rssi: -50, channel: 1, auth: "wpa2" };

  /** Which of them can be read out of the chip's NVS, whatever NVS thinks of it. */
  const found = (texts: Record<string, string | readonly Buffer[]>) => {
    const flash = join(lab.client.info.airDir, "..", "board", "flash.bin");
    const nvs = readFileSync(flash).subarray(0x9000, 0xf000);
    return Object.entries(texts)
      .filter(([, needles]) => [needles].flat().some((needle) => nvs.includes(needle)))
      .map(([name]) => name);
  };
  /** The CA's certificate, any part of it: NVS cuts it at the end of a page. */
  const partsOfCa = (): Buffer[] => {
    const { raw } = new X509Certificate(readFileSync(lab.client.info.backend.caPath));
    return Array.from({ length: Math.floor(raw.length / PART) }, (_, index) =>
      raw.subarray(index * PART, (index + 1) * PART),
    );
  };
  const provision = async (body: object) => {
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    const answer = await fetch(`${await lab.baseUrl()}/provision`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-Pairing-Secret": PAIRING_SECRET,
        Authorization: `Bearer ${BEARER}`,
      },
      body: JSON.stringify(body),
    });
    expect(answer.status, await answer.text()).toBe(200);
    await online;
  };
  /** Makes the device that is online open its AP: its network goes away. */
  const openAp = async (air: Partial<Air>) => {
    await device.setAir(air);
    const opened = lab.logLine(/AP_MODE ssid=/, { fromNow: true });
    await lab.client.board("reset");
    await opened;
    await device.statusWhere((now) => now.error !== null);
  };
  const reset = async (scope: "wifi" | "all") => {
    const booted = lab.enters("AP_MODE", { fromNow: true });
    expect((await device.post("/reset", { scope })).status).toBe(200);
    await booted;
  };

  it("keeps no secret that was spent, replaced or reset", async () => {
    const { networks } = await lab.client.air();
    onTestFinished(() => device.setAir({ networks })); // the next lab would begin with this air
    const first = { token: await lab.token(ID), password: lab.home.password, bearer: BEARER };
    await provision(await device.credentials({ provisioning_token: first.token }));
    expect(found(first)).toEqual(["password", "bearer"]); // for the user's calls

    await openAp({ networks: [NEXT] as Air["networks"] });
    const next = { token: await lab.token(ID), next: NEXT.psk };
    const body = { ssid: NEXT.ssid, password: NEXT.psk, provisioning_token: next.token };
    await provision(await device.credentials(body));
    expect(found({ ...first, ...next })).toEqual(["bearer", "next"]);

    await openAp({ networks: [] });
    await reset("wifi");
    const certificate = partsOfCa();
    expect(found({ ...first, ...next, certificate })).toEqual(["certificate"]);

    await device.setAir({ networks });
    const last = { token: await lab.token(ID), password: lab.home.password };
    await provision(await device.credentials({ provisioning_token: last.token }));
    await openAp({ networks: [] });
    await reset("all");
    expect(found({ ...first, ...next, ...last, certificate })).toEqual([]);
  });
});

describe("the API", () => {
  it("takes one provisioning at a time, and asks a client that tries on and on to wait", async () => {
    const body = await device.credentials();
    const codes: string[] = [];
    for (let tries = 0; tries < 11; tries++)
      codes.push((await device.post("/provision", body)).body.code ?? "saved");
    expect(codes).toEqual(["saved", ...Array(9).fill("busy"), "slow_down"]);
    await device.statusWhere((now) => now.status === "connected");
  });

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
      `GET /status HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`.repeat(3),
    );
    const count = (answers: string) => answers.match(/HTTP\/1\.1 200 OK/g)?.length ?? 0;
    let answers = "";
    for await (const chunk of pipelined) {
      answers += String(chunk);
      if (count(answers) === 3) break;
    }
    expect(count(answers), answers).toBe(3);
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
