import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { nmcliWifi } from "../../cli/wifi/nmcli.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
import { BOARD_SSID, bare, type FakeNmcli, fakeNmcli, HOME } from "./fixtures/fake-nmcli.js";

const PASSWORD = "prov12345678";

let stateDir: string;
let nm: FakeNmcli;
beforeEach(() => {
  stateDir = join(temporaryDir(), ".prov");
  nm = fakeNmcli();
});

const wifi = (iface?: string) =>
  nmcliWifi({
    stateDir,
    run: (command) => nm.run(command),
    pollIntervalMs: 2,
    rescanIntervalMs: 5,
    ...(iface === undefined ? {} : { iface }),
  });
const signal = () => AbortSignal.timeout(longer(30_000));
const target = { ssid: BOARD_SSID };
const journal = () => join(stateDir, "host-wifi.json");
const isUp = (args: readonly string[]) => bare(args).startsWith("connection up id");

function expectAsBefore(): void {
  expect(nm.active).toBe(HOME.id);
  expect([...nm.profiles]).toEqual([HOME.id]);
  expect(existsSync(journal())).toBe(false);
}

describe("joining", () => {
  test("uses a temporary profile, then puts everything back", async () => {
    const adapter = wifi();
    const joined = await adapter.join(target, PASSWORD, { signal: signal() });
    expect(joined).toEqual({ ssid: BOARD_SSID, baseUrl: "http://192.168.4.1" });
    expect(nm.active).toMatch(/^prov-temporary-[0-9a-f]{8}$/);

    expect(await adapter.leave()).toMatchObject({
      changed: true,
      restored: true,
      network: "HomeNet",
    });
    expectAsBefore();
    expect(await adapter.leave()).toMatchObject({ changed: false, restored: true });
  });

  test("the profile takes no default route, no DNS, does not autoconnect and is not saved", async () => {
    const adapter = wifi();
    await adapter.join(target, PASSWORD, { signal: signal() });
    const add = nm.calls.map(({ args }) => args.join(" ")).find((args) => args.includes(" add "));
    for (const setting of [
      "save no",
      "autoconnect no",
      "ipv4.never-default yes",
      "ipv4.ignore-auto-dns yes",
      "ipv6.method disabled",
      "wifi-sec.psk-flags 2",
    ]) {
      expect(add).toContain(setting);
    }
    await adapter.leave();
  });

  test("the password is in no argument and not in the journal", async () => {
    const adapter = wifi();
    await adapter.join(target, PASSWORD, { signal: signal() });
    const text = readFileSync(journal(), "utf8");
    expect(text).not.toContain(PASSWORD);
    expect(statSync(journal()).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(nm.calls.map(({ args }) => args))).not.toContain(PASSWORD);
    expect(nm.calls.find(({ args }) => isUp(args))?.secret).toContain(PASSWORD);
    await adapter.leave();
  });

  test("a name of odd bytes reaches nmcli as it is", async () => {
    const ssid = " a:b\\c'd’e\"f é🎉%20$HOM `x ";
    nm.aps.push({ ssid, security: "WPA2" });
    const adapter = wifi();
    await adapter.join({ ssid }, PASSWORD, { signal: signal() });
    const add = nm.calls.find(({ args }) => args.includes("add"))?.args ?? [];
    expect(add[add.indexOf("ssid") + 1]).toBe(ssid);
    await adapter.leave();
  });

  test("an open AP gets no key settings and no password", async () => {
    nm.aps = [{ ssid: BOARD_SSID, security: "" }];
    const adapter = wifi();
    await adapter.join(target, PASSWORD, { signal: signal() });
    expect(nm.calls.find(({ args }) => args.includes("add"))?.args).not.toContain(
      "wifi-sec.key-mgmt",
    );
    expect(nm.calls.find(({ args }) => isUp(args))?.secret).toBeUndefined();
    await adapter.leave();
  });

  test("WPA3 alone is joined with SAE", async () => {
    nm.aps = [{ ssid: BOARD_SSID, security: "WPA3" }];
    const adapter = wifi();
    await adapter.join(target, PASSWORD, { signal: signal() });
    expect(nm.calls.find(({ args }) => args.includes("add"))?.args.join(" ")).toContain(
      "key-mgmt sae",
    );
    await adapter.leave();
  });

  test("an AP that shows up later is waited for, with rescans", async () => {
    nm.aps = [];
    nm.before = (args) => {
      const looks = nm.calls.filter((call) => call.args.includes("list")).length;
      if (args.includes("list") && looks === 4) nm.aps = [{ ssid: BOARD_SSID, security: "WPA2" }];
    };
    const adapter = wifi();
    expect((await adapter.join(target, PASSWORD, { signal: signal() })).ssid).toBe(BOARD_SSID);
    expect(nm.calls.some(({ args }) => args.includes("rescan"))).toBe(true);
    await adapter.leave();
  });

  test("an AP that vanishes between scan and join is waited for", async () => {
    let ups = 0;
    nm.answer = (args) => (isUp(args) && ++ups === 1 ? "up-gone" : null);
    const adapter = wifi();
    await adapter.join(target, PASSWORD, { signal: signal() });
    expect(ups).toBe(2);
    await adapter.leave();
  });

  test("an AP that the person has joined already is left as it is", async () => {
    nm.active = BOARD_SSID;
    const adapter = wifi();
    await adapter.join(target, PASSWORD, { signal: signal() });
    expect(await adapter.leave()).toMatchObject({ changed: false });
    expect(nm.active).toBe(BOARD_SSID);
  });

  test("an adapter that was idle and not to connect by itself is so again", async () => {
    nm.active = null;
    nm.autoconnect = false;
    const adapter = wifi();
    await adapter.join(target, PASSWORD, { signal: signal() });
    nm.autoconnect = true; // what NetworkManager does on a manual activation
    expect(await adapter.leave()).toMatchObject({ restored: true, network: null });
    expect(nm.active).toBeNull();
    expect(nm.autoconnect).toBe(false);
  });

  test("joining a second board starts from the original network again", async () => {
    nm.aps.push({ ssid: "ESP32-Prov-000002", security: "WPA2" });
    const adapter = wifi();
    await adapter.join(target, PASSWORD, { signal: signal() });
    await adapter.join({ ssid: "ESP32-Prov-000002" }, PASSWORD, { signal: signal() });
    expect(nm.profiles.size).toBe(2);
    await adapter.leave();
    expectAsBefore();
  });
});

describe("failures, each with its own code, the host as before", () => {
  test.each([
    ["up-no-password", "ap_wrong_password", 6],
    ["up-no-dhcp", "ap_no_dhcp", 6],
    ["up-not-permitted", "wifi_not_permitted", 10],
  ])("%s is %s", async (fixture, code, exitCode) => {
    nm.answer = (args) => (isUp(args) ? fixture : null);
    const adapter = wifi();
    const joining = adapter.join(target, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code, exitCode });
    await adapter.leave();
    expectAsBefore();
  });

  test.each([
    ["devices-radio-off", "radio-off", "wifi_radio_off"],
    ["devices-radio-off", "radio-on", "wifi_service_down"],
    ["devices-unmanaged", "radio-on", "wifi_unmanaged"],
    ["devices-no-service", "radio-on", "wifi_service_down"],
    ["devices-no-dbus", "radio-on", "wifi_service_down"],
  ])("%s, %s: %s", async (devices, radio, code) => {
    nm.answer = (args) => {
      if (bare(args) === "device status") return devices;
      return bare(args) === "radio" ? radio : null;
    };
    const adapter = wifi();
    const joining = adapter.join(target, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code, exitCode: 10 });
    expect(await adapter.leave()).toMatchObject({ changed: false });
  });

  test("an adapter that does not exist: the others are named", async () => {
    const joining = wifi("wlan9").join(target, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({
      code: "wifi_no_adapter",
      message: expect.stringContaining("wlan0"),
    });
  });

  test("a profile that may not be added", async () => {
    nm.answer = (args) => (args.includes("add") ? "add-not-permitted" : null);
    const adapter = wifi();
    const joining = adapter.join(target, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "wifi_not_permitted", exitCode: 10 });
    await adapter.leave();
    expectAsBefore();
  });

  test("a wrong password is told from the failing handshakes, not after nmcli's own timeout", async () => {
    const { run } = nm;
    nm.run = async (command) => {
      if (!isUp(command.args)) return run(command);
      const monitor = nm.calls.find(({ args }) => args[1] === "monitor");
      for (let i = 0; i < 3; i += 1) monitor?.onLine?.("wlan0: connecting (need authentication)");
      command.signal?.throwIfAborted();
      throw new Error("the activation was not ended");
    };
    const adapter = wifi();
    const joining = adapter.join(target, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "ap_wrong_password", exitCode: 6 });
    await adapter.leave();
    expectAsBefore();
  });

  test.each(["short", "x".repeat(64)])("password %j cannot be right", async (password) => {
    const joining = wifi().join(target, password, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "ap_wrong_password" });
    expect(nm.calls).toEqual([]);
  });

  test("a secured AP without a password", async () => {
    const joining = wifi().join(target, null, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "ap_wrong_password" });
  });

  test("an AP that never shows up", async () => {
    nm.aps = [];
    const joining = wifi().join(target, PASSWORD, { signal: AbortSignal.timeout(30) });
    await expect(joining).rejects.toMatchObject({ code: "ap_not_found" });
  });
});

describe("Ctrl-C", () => {
  const MOMENTS = [
    "device status",
    "device wifi list",
    "device show",
    "connection add",
    "connection up id",
  ];

  test.each(MOMENTS)("during `%s` leaves the host as it was", async (moment) => {
    const interrupt = new AbortController();
    nm.before = (args) => {
      if (bare(args).startsWith(moment)) interrupt.abort();
    };
    const adapter = wifi();
    const joining = adapter.join(target, PASSWORD, { signal: interrupt.signal });
    await expect(joining).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
    nm.before = () => undefined;
    await adapter.leave();
    expectAsBefore();
  });

  test("leave during a join ends the join first", async () => {
    const adapter = wifi();
    let leaving: Promise<unknown> | undefined;
    nm.before = (args) => {
      if (isUp(args)) leaving ??= adapter.leave();
    };
    const joining = adapter.join(target, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "interrupted" });
    expect(await leaving).toMatchObject({ restored: true });
    expectAsBefore();
  });
});
