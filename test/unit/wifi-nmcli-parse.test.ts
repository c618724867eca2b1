import { describe, expect, test } from "vitest";
import {
  boardAddress,
  parseApList,
  parseDevices,
  parseProperties,
  passwdFileLine,
  splitTerse,
  stripControls,
} from "../../cli/wifi/nmcli-parse.js";
import { nmcliFixture } from "./fixtures/nmcli.js";

describe("terse output", () => {
  test("escaped colons and backslashes belong to the value", () => {
    expect(splitTerse("Caf\\:e\\\\5G:wifi::x")).toEqual(["Caf:e\\5G", "wifi", "", "x"]);
  });

  test("the progress line that nmcli erases even in a pipe is removed", () => {
    const text = "\u001b[2K\rDevice 'wlan0' successfully activated with 'f00'.\n";
    expect(stripControls(text)).toBe("Device 'wlan0' successfully activated with 'f00'.\n");
  });

  test("a backslash at the very end stays", () => {
    expect(splitTerse("a:b\\")).toEqual(["a", "b\\"]);
  });
});

describe("the list of adapters", () => {
  test("on the home network", () => {
    const wifi = parseDevices(nmcliFixture("devices-home").stdout).filter(
      (device) => device.type === "wifi",
    );
    expect(wifi).toEqual([
      {
        name: "wlan0",
        type: "wifi",
        state: "connected",
        connection: { uuid: "11111111-2222-3333-4444-555555555555", name: "HomeNet" },
      },
    ]);
  });

  test.each([
    ["devices-radio-off", "unavailable"],
    ["devices-unmanaged", "unmanaged"],
  ])("%s", (fixture, state) => {
    const device = parseDevices(nmcliFixture(fixture).stdout).find(({ name }) => name === "wlan0");
    expect(device).toEqual({ name: "wlan0", type: "wifi", state, connection: null });
  });

  test("a WiFi Direct device is not a WiFi adapter", () => {
    const types = parseDevices(nmcliFixture("devices-home").stdout).map(({ type }) => type);
    expect(types).toContain("wifi-p2p");
  });
});

describe("the list of access points", () => {
  test("strongest first, in-use marked, addresses in lower case", () => {
    expect(parseApList(nmcliFixture("list").stdout)).toEqual([
      {
        inUse: false,
        ssid: "ESP32-Prov-A1B2C3",
        bssid: "02:00:00:00:01:00",
        channel: 1,
        rssiDbm: -40,
        secure: true,
        security: "WPA2",
      },
      expect.objectContaining({ inUse: true, ssid: "HomeNet", channel: 6, rssiDbm: -46 }),
    ]);
  });

  test("an SSID of 32 odd bytes comes back as it is in the air", () => {
    const ssids = parseApList(nmcliFixture("list-odd-ssid").stdout).map(({ ssid }) => ssid);
    expect(ssids).toContain(" a:b\\c'd’e\"f é🎉%20$HOM `x ");
  });

  test("two adapters give two lists, parted by an empty line; hidden networks are left out", () => {
    const out =
      " :41:02\\:00\\:00\\:00\\:01\\:00:1:50:WPA2\n\n :42:02\\:00\\:00\\:00\\:01\\:01:6:70:\n :--:02\\:00\\:00\\:00\\:01\\:02:6:70:WPA2\n";
    expect(parseApList(out).map(({ ssid, secure }) => [ssid, secure])).toEqual([
      ["B", false],
      ["A", true],
    ]);
  });
});

describe("the joined network", () => {
  test("the board is its DHCP server", () => {
    const properties = parseProperties(nmcliFixture("show-joined").stdout);
    expect(properties.get("IP4.ADDRESS")).toEqual(["192.168.4.8/24"]);
    expect(boardAddress(properties)).toBe("192.168.4.1");
  });

  test("else the router it names, else the gateway, else unknown", () => {
    const parse = (text: string) => boardAddress(parseProperties(text));
    expect(parse("DHCP4.OPTION[1]:routers = 10.0.0.1 10.0.0.2\n")).toBe("10.0.0.1");
    expect(parse("IP4.GATEWAY:10.0.0.3\n")).toBe("10.0.0.3");
    expect(parse("IP4.GATEWAY:\n")).toBeNull();
  });
});

describe("the passwd-file", () => {
  test.each([
    ["prov12345678", "p:prov12345678\n"],
    ["with: colon and = sign", "p:with: colon and = sign\n"],
    [" both ends ", "p:\\040both ends\\040\n"],
    ["back\\slash", "p:back\\134slash\n"],
  ])("%j", (secret, line) => {
    expect(passwdFileLine("p", secret)).toBe(line);
  });
});
