import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Command, CommandRunner } from "../../cli/wifi/command.js";
import { networksetupWifi } from "../../cli/wifi/networksetup.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
import { macOutput } from "./fixtures/vendor.js";

const AIRPORT = macOutput("airport-15.json");
const PASSWORD = "prov12345678";
const SSID = "ESP32-Prov-A1B2C3";
const BOARD = { ssid: SSID, bssid: null, channel: 1, rssiDbm: -41, secure: true };

/** The same, connected to `ssid`. */
function airportOn(ssid: string): string {
  return AIRPORT.replace('"HomeNet"', JSON.stringify(ssid));
}

describe("the networksetup adapter", () => {
  let stateDir: string;
  let calls: Command[];
  let joinSays: string[];
  let joinCode: number;
  let airport: string;
  /** What `-removepreferredwirelessnetwork` and `-setairportpower` say. */
  let removeSays: string;
  let powerSays: string;
  beforeEach(() => {
    stateDir = join(temporaryDir(), ".prov");
    calls = [];
    joinSays = [];
    joinCode = 0;
    airport = AIRPORT;
    removeSays = macOutput("remove.txt");
    powerSays = "";
  });

  const run: CommandRunner = async (command) => {
    calls.push(command);
    command.signal?.throwIfAborted();
    const answer = (stdout: string, code = 0) => ({ code, stdout, stderr: "" });
    if (command.file === "system_profiler") return answer(airport);
    switch (command.args[0]) {
      case "-listallhardwareports":
        return answer(macOutput("hardware-ports.txt"));
      case "-listpreferredwirelessnetworks":
        return answer(macOutput("preferred.txt"));
      case "-setairportnetwork":
        return answer(joinSays.shift() ?? "", joinCode);
      case "-removepreferredwirelessnetwork":
        return answer(removeSays);
      case "-setairportpower":
        return answer(powerSays);
      default:
        return answer("");
    }
  };
  const wifi = () => networksetupWifi({ stateDir, run, pollIntervalMs: 2 });
  const signal = () => AbortSignal.timeout(longer(30_000));
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
    airport = macOutput("airport-15-redacted.json");
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
    const notFound = macOutput("join-not-found.txt");
    joinSays = [notFound, notFound, ""];
    const adapter = wifi();
    await adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    expect(ran().filter((line) => line.includes("-setairportnetwork"))).toHaveLength(3);
    await adapter.leave();
  });

  test("a refused password", async () => {
    joinSays = [macOutput("join-unclear.txt").replace("-3900", "-3925")];
    const adapter = wifi();
    const joining = adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "ap_wrong_password", exitCode: 6 });
    expect(await adapter.leave()).toMatchObject({ restored: true });
  });

  test("an unexplained failure is none when the Mac is on the AP", async () => {
    airport = airportOn(SSID);
    joinSays = [macOutput("join-unclear.txt")];
    const adapter = wifi();
    await adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    expect(ran().filter((line) => line.includes("-setairportnetwork"))).toHaveLength(1);
  });

  test("an unexplained failure is none as far as hidden names tell", async () => {
    airport = macOutput("airport-15-redacted.json");
    joinSays = [macOutput("join-unclear.txt")];
    await wifi().join({ ssid: SSID }, PASSWORD, { signal: signal() });
    expect(ran().filter((line) => line.includes("-setairportnetwork"))).toHaveLength(1);
  });

  test("an unexplained failure is tried again, three times in all", async () => {
    const unclear = macOutput("join-unclear.txt");
    joinSays = [unclear, unclear, unclear, ""];
    const adapter = wifi();
    const joining = adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({
      code: "ap_unreachable",
      message: expect.stringContaining("-3900"),
    });
    expect(ran().filter((line) => line.includes("-setairportnetwork"))).toHaveLength(3);
    expect(await adapter.leave()).toMatchObject({ restored: true });
  });

  test.each([
    ["join-wrong-device.txt", "wifi_no_adapter"],
    ["no-privileges.txt", "wifi_not_permitted"],
  ])("joining says %s: %s", async (file, code) => {
    joinSays = [macOutput(file)];
    joinCode = 10;
    const joining = wifi().join({ ssid: SSID }, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code, exitCode: 10 });
  });

  test("a failure without a word is one all the same", async () => {
    joinCode = 10;
    const joining = wifi().join({ ssid: SSID }, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "wifi_failed" });
  });

  test("an AP that cannot be taken off the list: the report says so", async () => {
    removeSays = macOutput("no-privileges.txt");
    const adapter = wifi();
    await adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    const report = await adapter.leave();
    expect(report).toMatchObject({ restored: true, network: "HomeNet" });
    expect(report.message).toMatch(/still among the known networks.*admin privileges/);
  });

  test("WiFi that cannot be switched: not restored, whatever is connected", async () => {
    airport = macOutput("airport-15-redacted.json");
    powerSays = macOutput("no-privileges.txt");
    const adapter = wifi();
    await adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    expect(await adapter.leave()).toMatchObject({ restored: false });
    expect(existsSync(join(stateDir, "host-wifi.json"))).toBe(true);
  });

  test("WiFi switched off", async () => {
    airport = macOutput("airport-15-off.json");
    await expect(wifi().scan(signal())).rejects.toMatchObject({ code: "wifi_radio_off" });
    const joining = wifi().join({ ssid: SSID }, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "wifi_radio_off" });
    expect(existsSync(join(stateDir, "host-wifi.json"))).toBe(false);
  });

  test("hidden names: no scan, and what to do", async () => {
    airport = macOutput("airport-15-redacted.json");
    await expect(wifi().scan(signal())).rejects.toMatchObject({
      code: "wifi_not_permitted",
      hint: expect.stringMatching(/Location Services.*--ap SSID/),
    });
  });

  test("a Mac that is not connected sees the board", async () => {
    airport = macOutput("airport-15-not-associated.json");
    expect((await wifi().scan(signal()))[0]).toEqual(BOARD);
  });
});
