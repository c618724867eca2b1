import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Command, CommandRunner } from "../../cli/wifi/command.js";
import { networksetupWifi } from "../../cli/wifi/networksetup.js";
import {
  parseAirport,
  parseJoinFailure,
  parsePreferred,
  parseWifiDevice,
} from "../../cli/wifi/networksetup-parse.js";

const AIRPORT = readFileSync(
  new URL("./fixtures/networksetup/airport.json", import.meta.url),
  "utf8",
);
const PORTS = `
Hardware Port: Ethernet
Device: en5
Ethernet Address: 00:11:22:33:44:55

Hardware Port: Wi-Fi
Device: en0
Ethernet Address: 66:77:88:99:aa:bb

VLAN Configurations
===================
`;
const PREFERRED = "Preferred networks on en0:\n\tHomeNet\n\tJo’s Café\n";
const PASSWORD = "prov12345678";
const SSID = "ESP32-Prov-A1B2C3";

describe("what macOS prints", () => {
  test("the WiFi device among the hardware ports", () => {
    expect(parseWifiDevice(PORTS)).toBe("en0");
    expect(parseWifiDevice(PORTS.replace("Wi-Fi", "Thunderbolt Bridge"))).toBeNull();
  });

  test("preferred networks, whatever is in their names", () => {
    expect(parsePreferred(PREFERRED)).toEqual(["HomeNet", "Jo’s Café"]);
    expect(parsePreferred("Preferred networks on en0:\n")).toEqual([]);
  });

  test("the adapter's state and the networks in reach", () => {
    expect(parseAirport(AIRPORT, "en0")).toEqual({
      isOff: false,
      isConnected: true,
      ssid: "HomeNet",
      isRedacted: false,
      accessPoints: [
        { ssid: SSID, bssid: null, channel: 1, rssiDbm: -41, secure: true },
        { ssid: "HomeNet", bssid: null, channel: 44, rssiDbm: -55, secure: true },
        { ssid: "Jo’s Café", bssid: "aa:bb:cc:dd:ee:02", channel: 11, rssiDbm: -70, secure: false },
      ],
    });
    expect(parseAirport(AIRPORT, "en7")).toBeNull();
    expect(parseAirport("not json", "en0")).toBeNull();
  });

  test("macOS 15 hides names: connected, but to what is unknown", () => {
    const hidden = AIRPORT.replaceAll(
      /"_name": "(HomeNet|Jo’s Café|ESP32[^"]*)"/g,
      '"_name": "<redacted>"',
    );
    expect(parseAirport(hidden, "en0")).toMatchObject({
      isConnected: true,
      ssid: null,
      isRedacted: true,
      accessPoints: [],
    });
  });

  test.each([
    ["", null],
    ["Could not find network ESP32-Prov-A1B2C3.\n", "not_found"],
    [
      `Failed to join network ${SSID}.\nError: -3925  The operation couldn’t be completed.\n`,
      "refused",
    ],
    ["Failed to join network x.\nError: -3912  The operation couldn’t be completed.\n", "other"],
  ])("joining says %j: %s", (stdout, failure) => {
    expect(parseJoinFailure(stdout)).toBe(failure);
  });
});

describe("the networksetup adapter", () => {
  let stateDir: string;
  let calls: Command[];
  let joinSays: string[];
  let airport: string;
  beforeEach(() => {
    stateDir = join(mkdtempSync(join(tmpdir(), "prov-mac-")), ".prov");
    calls = [];
    joinSays = [];
    airport = AIRPORT;
  });
  afterEach(() => rmSync(join(stateDir, ".."), { recursive: true, force: true }));

  const run: CommandRunner = async (command) => {
    calls.push(command);
    command.signal?.throwIfAborted();
    const answer = (stdout: string) => ({ code: 0, stdout, stderr: "" });
    if (command.file === "system_profiler") return answer(airport);
    switch (command.args[0]) {
      case "-listallhardwareports":
        return answer(PORTS);
      case "-listpreferredwirelessnetworks":
        return answer(PREFERRED);
      case "-setairportnetwork":
        return answer(joinSays.shift() ?? "");
      default:
        return answer("");
    }
  };
  const wifi = () => networksetupWifi({ stateDir, run, pollIntervalMs: 2 });
  const signal = () => AbortSignal.timeout(30_000);
  const ran = () => calls.map(({ file, args }) => `${file} ${args.join(" ")}`);

  test("joins with the password on stdin, then takes the AP off the list and goes back", async () => {
    const adapter = wifi();
    const joined = await adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    expect(joined).toEqual({ ssid: SSID, baseUrl: "http://192.168.4.1" });
    const joining = calls.find(({ args }) => args[0] === "-setairportnetwork");
    expect(joining).toMatchObject({
      args: ["-setairportnetwork", "en0", SSID, "-"],
      stdin: `${PASSWORD}\n`,
    });
    expect(ran().join("\n")).not.toContain(PASSWORD);

    expect(await adapter.leave()).toMatchObject({ restored: true, network: "HomeNet" });
    expect(ran()).toContain(`networksetup -removepreferredwirelessnetwork en0 ${SSID}`);
    expect(existsSync(join(stateDir, "host-wifi.json"))).toBe(false);
  });

  test("a hidden previous network: WiFi is switched off and on, and the report says so", async () => {
    airport = AIRPORT.replaceAll('"HomeNet"', '"<redacted>"');
    const adapter = wifi();
    await adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    const report = await adapter.leave();
    expect(report).toMatchObject({ restored: true, network: null });
    expect(report.message).toContain("switched off and on");
    expect(ran().filter((line) => line.includes("-setairportpower"))).toEqual([
      "networksetup -setairportpower en0 off",
      "networksetup -setairportpower en0 on",
    ]);
  });

  test("an AP that shows up later is tried again", async () => {
    joinSays = [`Could not find network ${SSID}.\n`, `Could not find network ${SSID}.\n`, ""];
    const adapter = wifi();
    await adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    expect(ran().filter((line) => line.includes("-setairportnetwork"))).toHaveLength(3);
    await adapter.leave();
  });

  test("a refused password", async () => {
    joinSays = [`Failed to join network ${SSID}.\nError: -3925  x\n`];
    const adapter = wifi();
    const joining = adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "ap_wrong_password", exitCode: 6 });
    expect(await adapter.leave()).toMatchObject({ restored: true });
  });

  test("WiFi switched off", async () => {
    airport = AIRPORT.replace("spairport_status_connected", "spairport_status_off");
    await expect(wifi().scan(signal())).rejects.toMatchObject({ code: "wifi_radio_off" });
  });
});
