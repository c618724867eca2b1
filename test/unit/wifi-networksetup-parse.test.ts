import { describe, expect, test } from "vitest";
import {
  isForgotten,
  parseAirport,
  parseJoinFailure,
  parsePreferred,
  parseWifiDevice,
} from "../../cli/wifi/networksetup-parse.js";
import { macOutput } from "./fixtures/vendor.js";

const AIRPORT = macOutput("airport-15.json");
const SSID = "ESP32-Prov-A1B2C3";
const BOARD = { ssid: SSID, bssid: null, channel: 1, rssiDbm: -41, secure: true };
const CAFE = { ssid: "Jo’s Café", bssid: null, channel: 11, rssiDbm: null, secure: false };
const HOME = { ssid: "HomeNet", bssid: null, channel: 44, rssiDbm: -55, secure: true };

describe("what networksetup prints", () => {
  test("the WiFi device among the hardware ports", () => {
    const ports = macOutput("hardware-ports.txt");
    expect(parseWifiDevice(ports)).toBe("en0");
    expect(parseWifiDevice(ports.replace("Wi-Fi", "Bluetooth PAN"))).toBeNull();
  });

  test("preferred networks, whatever is in their names", () => {
    expect(parsePreferred(macOutput("preferred.txt"))).toEqual([
      "HomeNet",
      "@cafe/Guests",
      "Jo’s Café",
    ]);
    expect(parsePreferred(macOutput("preferred-none.txt"))).toEqual([]);
  });

  test.each([
    ["join-not-found.txt", "not_found"],
    ["join-unclear.txt", "unclear"],
    ["join-wrong-device.txt", "no_adapter"],
    ["no-privileges.txt", "not_permitted"],
  ])("joining says %s: %s", (file, failure) => {
    expect(parseJoinFailure(macOutput(file))).toBe(failure);
  });

  // CWErr: the PMK was rejected, the handshake timed out, the AP is full, and so on.
  test.each([
    [-3912, "refused"],
    [-3924, "refused"],
    [-3925, "refused"],
    [-3905, "unclear"],
    [-3906, "unclear"],
    [-3913, "other"],
    [-3926, "other"],
    [-3930, "not_permitted"],
  ])("joining says error %i: %s", (code, failure) => {
    expect(parseJoinFailure(macOutput("join-unclear.txt").replace("-3900", `${code}`))).toBe(
      failure,
    );
  });

  test.each([
    ["", null],
    ["Failed to join network my password.\n", "unclear"],
    ["Failed to join network x.\nReason: Invalid password.\n", "refused"],
    ["Something new\n", "other"],
  ])("joining says %j: %s", (output, failure) => {
    expect(parseJoinFailure(output)).toBe(failure);
  });

  test("a network taken off the list, not on it, and still there", () => {
    expect(isForgotten(macOutput("remove.txt"))).toBe(true);
    expect(isForgotten(macOutput("remove-unknown.txt"))).toBe(true);
    expect(isForgotten(macOutput("no-privileges.txt"))).toBe(false);
  });
});

describe("what system_profiler prints", () => {
  test("macOS 15, connected", () => {
    expect(parseAirport(AIRPORT, "en0")).toEqual({
      isOff: false,
      isConnected: true,
      ssid: "HomeNet",
      isRedacted: false,
      accessPoints: [BOARD, HOME, CAFE],
    });
    expect(parseAirport(AIRPORT, "awdl0")).toMatchObject({ isConnected: false, accessPoints: [] });
    expect(parseAirport(AIRPORT, "en7")).toBeNull();
    expect(parseAirport("not json", "en0")).toBeNull();
  });

  test("macOS 15, not connected: the networks are under another key", () => {
    expect(parseAirport(macOutput("airport-15-not-associated.json"), "en0")).toEqual({
      isOff: false,
      isConnected: false,
      ssid: null,
      isRedacted: false,
      accessPoints: [BOARD, CAFE],
    });
  });

  test("macOS 15, switched off", () => {
    expect(parseAirport(macOutput("airport-15-off.json"), "en0")).toMatchObject({
      isOff: true,
      isConnected: false,
    });
  });

  test("macOS 15 hides names: connected, but to what is unknown", () => {
    const hidden = {
      isConnected: true,
      ssid: null,
      isRedacted: true,
      accessPoints: [],
    };
    const json = macOutput("airport-15-redacted.json");
    expect(parseAirport(json, "en0")).toMatchObject(hidden);
    // Nothing else in reach: still hidden, not empty.
    const alone = json.replace("_other_local_wireless_networks", "_other");
    expect(parseAirport(alone, "en0")).toMatchObject(hidden);
    const partly = AIRPORT.replace(SSID, "<redacted>");
    expect(parseAirport(partly, "en0")).toMatchObject({ ssid: "HomeNet", isRedacted: true });
  });

  test("macOS 10.15: addresses, and channels as numbers", () => {
    expect(parseAirport(macOutput("airport-10.15.json"), "en1")?.accessPoints).toEqual([
      { ssid: "HomeNet", bssid: "02:00:00:00:01:01", channel: 6, rssiDbm: -55, secure: false },
      { ssid: SSID, bssid: "02:00:00:a1:b2:c3", channel: 6, rssiDbm: -57, secure: true },
      { ssid: "Neighbour", bssid: "02:00:00:00:02:01", channel: 1, rssiDbm: -73, secure: false },
    ]);
  });
});
