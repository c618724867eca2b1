import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { computePmk } from "../../cli/lab/air/air-file.js";
import { virtualWifi } from "../../cli/lab/air/virtual-wifi.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";

const SSID = "ESP32-Prov-A1B2C3";
const BSSID = "7c:df:a1:a1:b2:c3";

let airDir: string;
beforeEach(() => {
  airDir = temporaryDir();
});

function announce(overrides: Record<string, unknown> = {}): void {
  const ap = {
    ssid: SSID,
    bssid: BSSID,
    channel: 1,
    auth: "wpa2",
    pmk: computePmk("prov12345678", SSID),
    base_url: "http://127.0.0.1:4711/",
    pid: process.pid,
    ...overrides,
  };
  mkdirSync(join(airDir, "aps"), { recursive: true });
  writeFileSync(join(airDir, "aps", `${ap.bssid.replaceAll(":", "")}.json`), JSON.stringify(ap));
}

const wifi = () => virtualWifi(airDir, { pollIntervalMs: 5 });
const signal = () => AbortSignal.timeout(longer(20_000));

describe("the virtual adapter", () => {
  test("scans what boards announce", async () => {
    announce();
    expect(await wifi().scan(signal())).toEqual([
      { ssid: SSID, bssid: BSSID, channel: 1, rssiDbm: null, secure: true },
    ]);
  });

  test("the right password opens the AP and gives the board's address", async () => {
    announce();
    const joined = await wifi().join({ ssid: SSID }, "prov12345678", { signal: signal() });
    expect(joined).toEqual({ ssid: SSID, baseUrl: "http://127.0.0.1:4711" });
  });

  test.each(["prov12345679", "", null])("password %j is refused", async (password) => {
    announce();
    const joining = wifi().join({ ssid: SSID }, password, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "ap_wrong_password", exitCode: 6 });
  });

  test("an open AP needs no password", async () => {
    announce({ pmk: null, auth: "open" });
    const joined = await wifi().join({ ssid: SSID }, null, { signal: signal() });
    expect(joined.baseUrl).toBe("http://127.0.0.1:4711");
  });

  test("waits for an AP that appears later", async () => {
    const joining = wifi().join({ ssid: SSID }, "prov12345678", { signal: signal() });
    setImmediate(() => announce());
    expect((await joining).ssid).toBe(SSID);
  });

  test("an AP that never appears is ap_not_found once the time is up", async () => {
    announce({ ssid: "Another" });
    const joining = wifi().join({ ssid: SSID }, "prov12345678", {
      signal: AbortSignal.timeout(30),
    });
    await expect(joining).rejects.toMatchObject({ code: "ap_not_found", exitCode: 6 });
  });

  test("Ctrl-C while waiting is interrupted, not ap_not_found", async () => {
    const controller = new AbortController();
    const joining = wifi().join({ ssid: SSID }, "x", { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(joining).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
  });

  test("an entry of a scan is joined by its BSSID, not by its name alone", async () => {
    announce();
    announce({ bssid: "7c:df:a1:00:00:01", base_url: "http://127.0.0.1:4712" });
    const joined = await wifi().join(
      { ssid: SSID, bssid: "7c:df:a1:00:00:01", channel: 1, rssiDbm: null, secure: true },
      "prov12345678",
      { signal: signal() },
    );
    expect(joined.baseUrl).toBe("http://127.0.0.1:4712");
  });

  test("leaving twice is harmless and reports the change once", async () => {
    announce();
    const adapter = wifi();
    await adapter.join({ ssid: SSID }, "prov12345678", { signal: signal() });
    expect(await adapter.leave()).toMatchObject({ changed: true, restored: true });
    expect(await adapter.leave()).toMatchObject({ changed: false, restored: true });
  });
});
