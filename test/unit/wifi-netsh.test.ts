import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { CommandRunner } from "../../cli/wifi/command.js";
import { netshWifi } from "../../cli/wifi/netsh.js";
import {
  parseInterfaces,
  parseNetworks,
  parseRefusal,
  profileXml,
} from "../../cli/wifi/netsh-parse.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
import { netshOutput } from "./fixtures/vendor.js";

const SSID = "ESP32-Prov-A1B2C3";
const BOARD = { ssid: SSID, bssid: "02:00:00:a1:b2:c3", secure: true };
const PASSWORD = "prov & <12345>";

describe("netsh wlan show interfaces", () => {
  const connected = { name: "Wi-Fi", ssid: "HomeNet", profile: "HomeNet", radioOn: null };
  const idle = { name: "Wi-Fi", ssid: null, profile: null, radioOn: true };

  test.each([
    ["win10", [{ ...connected, profile: "HomeNet 2" }]],
    ["win11", [connected]],
    ["disconnected", [idle]],
    ["radio-off", [{ ...idle, radioOn: false }]],
    ["two", [idle, { ...connected, name: "Wi-Fi 2" }]],
    ["de", [{ ...connected, name: "WLAN", profile: "HomeNet 2" }]],
    ["fr", [{ ...connected, profile: "HomeNet 2" }]],
    ["none", []],
    ["no-location", []],
  ])("%s", (name, expected) => {
    expect(parseInterfaces(netshOutput(`interfaces-${name}`))).toEqual(expected);
  });
});

describe("netsh wlan show networks mode=bssid", () => {
  test("Windows 11: several BSSIDs, a colon in the name, hidden ones left out, strongest first", () => {
    expect(parseNetworks(netshOutput("networks-win11"))).toEqual([
      { ...BOARD, channel: 1, rssiDbm: -55 },
      { ssid: "HomeNet", bssid: "02:00:00:00:01:02", channel: 44, rssiDbm: -56, secure: true },
      {
        ssid: "Cafe: Free WiFi",
        bssid: "02:00:00:00:02:01",
        channel: 6,
        rssiDbm: -70,
        secure: false,
      },
      { ssid: "HomeNet", bssid: "02:00:00:00:01:01", channel: 1, rssiDbm: -84, secure: true },
      {
        ssid: "ms-settings:privacy-location",
        bssid: "02:00:00:00:03:01",
        channel: 149,
        rssiDbm: -90,
        secure: true,
      },
    ]);
  });

  test.each([
    ["win10", { channel: 7, rssiDbm: -50 }, 2],
    ["de", { channel: 11, rssiDbm: -58 }, 2],
    ["fr", { channel: 1, rssiDbm: -61 }, 2],
    ["es", { channel: 6, rssiDbm: -59 }, 3],
  ])("%s: the board among them", (name, expected, count) => {
    const iface = name === "de" ? "WLAN" : "Wi-Fi";
    const aps = parseNetworks(netshOutput(`networks-${name}`), iface);
    expect(aps[0]).toEqual({ ...BOARD, ...expected });
    expect(aps).toHaveLength(count);
    expect(aps.filter(({ secure }) => !secure)).toHaveLength(name === "win10" ? 0 : count - 1);
  });

  test("what another adapter sees is left out", () => {
    const both = netshOutput("networks-two");
    expect(parseNetworks(both).map(({ ssid }) => ssid)).toEqual([SSID, "HomeNet"]);
    expect(parseNetworks(both, "Wi-Fi").map(({ ssid }) => ssid)).toEqual(["HomeNet"]);
    expect(parseNetworks(both, "Wi-Fi 2").map(({ ssid }) => ssid)).toEqual([SSID]);
  });

  test.each(["none", "without-bssid", "no-location", "powered-down"])("%s: nothing", (name) => {
    expect(parseNetworks(netshOutput(`networks-${name}`))).toEqual([]);
  });
});

test.each([
  ["service-down", "service_down"],
  ["interfaces-no-location", "no_location"],
  ["networks-no-location", "no_location"],
  ["networks-powered-down", "powered_down"],
  ["interfaces-none", "no_adapter"],
  ["connect-no-adapter", "no_adapter"],
  ["connect", null],
  ["connect-not-connectible", null],
  ["networks-none", null],
  ["networks-win11", null], // one of the networks has the name of the settings page
])("%s: %s", (name, refusal) => {
  expect(parseRefusal(netshOutput(name))).toBe(refusal);
});

describe("the profile for netsh", () => {
  /** Opening tags in their order, with the text of those that hold any. */
  const outline = (xml: string) =>
    [...xml.matchAll(/<(\w+)(?: [^>]*)?>([^<]*)/g)].map(([, tag, text]) =>
      text?.trim() ? `${tag}=${text}` : tag,
    );

  test("has the elements of Microsoft's WPA2-Personal sample, in its order", () => {
    expect(outline(profileXml({ name: "t", ssid: "a<b&’", password: PASSWORD }))).toEqual([
      "WLANProfile",
      "name=t",
      ...["SSIDConfig", "SSID", "hex=613C6226E28099"],
      "connectionType=ESS",
      "connectionMode=manual", // never by itself
      ...["MSM", "security"],
      ...["authEncryption", "authentication=WPA2PSK", "encryption=AES", "useOneX=false"],
      ...["sharedKey", "keyType=passPhrase", "protected=false"],
      "keyMaterial=prov &amp; &lt;12345&gt;",
    ]);
  });

  test("is in the namespace of the schema", () => {
    expect(profileXml({ name: "t", ssid: "x", password: null })).toContain(
      '<WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1">',
    );
  });

  test("an open AP has no key, a raw one is a network key", () => {
    const open = outline(profileXml({ name: "t", ssid: "x", password: null }));
    expect(open).toContain("authentication=open");
    expect(open).toContain("encryption=none");
    expect(open).not.toContain("sharedKey");
    expect(outline(profileXml({ name: "t", ssid: "x", password: "0".repeat(64) }))).toContain(
      "keyType=networkKey",
    );
  });
});

describe("the netsh adapter", () => {
  let stateDir: string;
  let profiles: Map<string, string>;
  let active: string | null;
  let refuses: boolean;
  let argv: string[];
  /** Names of the outputs that are given instead, with exit status 1. */
  let answers: { interfaces?: string; networks?: string; connect?: string };
  beforeEach(() => {
    stateDir = join(temporaryDir(), ".prov");
    profiles = new Map([["HomeNet", "HomeNet"]]);
    active = "HomeNet";
    refuses = false;
    argv = [];
    answers = {};
  });

  const value = (args: readonly string[], key: string) =>
    args.find((arg) => arg.startsWith(`${key}=`))?.slice(key.length + 1) ?? "";
  const interfaces = () =>
    active === null
      ? netshOutput("interfaces-disconnected")
      : netshOutput("interfaces-win11")
          .replace(
            "SSID                   : HomeNet",
            `SSID                   : ${profiles.get(active)}`,
          )
          .replace("Profile                : HomeNet", `Profile                : ${active}`);
  const run: CommandRunner = async ({ file, args, signal }) => {
    signal?.throwIfAborted();
    const line = args.join(" ");
    argv.push(`${file} ${line}`);
    const says = (stdout: string, refusal?: string) =>
      refusal === undefined
        ? { code: 0, stdout, stderr: "" }
        : { code: 1, stdout: netshOutput(refusal), stderr: "" };
    if (line.includes("show interfaces")) return says(interfaces(), answers.interfaces);
    if (line.includes("show networks"))
      return says(netshOutput("networks-win11"), answers.networks);
    if (line.startsWith("wlan add profile")) {
      const xml = readFileSync(value(args, "filename"), "utf8");
      profiles.set(/<name>(.*?)<\/name>/.exec(xml)?.[1] ?? "", SSID);
      return says(netshOutput("add"));
    }
    if (line.startsWith("wlan delete profile")) {
      return says(netshOutput(profiles.delete(value(args, "name")) ? "delete" : "delete-unknown"));
    }
    const isBoard = value(args, "name") !== "HomeNet";
    if (isBoard && answers.connect !== undefined) return says("", answers.connect);
    active = refuses && isBoard ? null : value(args, "name");
    return says(netshOutput("connect"));
  };
  const wifi = () => netshWifi({ stateDir, run, pollIntervalMs: 2, connectLimitMs: 40 });
  const signal = () => AbortSignal.timeout(longer(30_000));

  test("joins through a temporary profile and goes back to the previous one", async () => {
    const adapter = wifi();
    const joined = await adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    expect(joined).toEqual({ ssid: SSID, baseUrl: "http://192.168.4.1" });
    expect(active).toMatch(/^prov-temporary-/);
    expect(argv.join("\n")).not.toContain(PASSWORD);
    const file = /filename=(\S+)/.exec(argv.join("\n"))?.[1] ?? "";
    expect(file).not.toBe("");
    expect(existsSync(file)).toBe(false);

    expect(await adapter.leave()).toMatchObject({ restored: true, network: "HomeNet" });
    expect(active).toBe("HomeNet");
    expect([...profiles.keys()]).toEqual(["HomeNet"]);
    expect(existsSync(join(stateDir, "host-wifi.json"))).toBe(false);
  });

  test("an AP that does not let Windows in: no guess at why, home again", async () => {
    refuses = true;
    const adapter = wifi();
    const joining = adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code: "ap_unreachable", exitCode: 6 });
    expect(await adapter.leave()).toMatchObject({ restored: true, network: "HomeNet" });
    expect([...profiles.keys()]).toEqual(["HomeNet"]);
  });

  test("an unknown adapter: those there are named", async () => {
    const adapter = netshWifi({ stateDir, run, iface: "WLAN 2" });
    await expect(adapter.scan(signal())).rejects.toMatchObject({
      code: "wifi_no_adapter",
      message: expect.stringContaining("Wi-Fi"),
    });
  });

  test.each([
    [{ interfaces: "service-down" }, "wifi_service_down"],
    [{ interfaces: "interfaces-none" }, "wifi_no_adapter"],
    [{ interfaces: "interfaces-radio-off" }, "wifi_radio_off"],
    [{ interfaces: "interfaces-no-location" }, "wifi_not_permitted"],
    [{ networks: "networks-no-location" }, "wifi_not_permitted"],
    [{ networks: "networks-powered-down" }, "wifi_radio_off"],
  ])("scanning while netsh says %j: %s", async (instead, code) => {
    answers = instead;
    await expect(wifi().scan(signal())).rejects.toMatchObject({ code, exitCode: 10 });
  });

  test("without location permission: the way to it, and the way round it", async () => {
    answers = { interfaces: "interfaces-no-location" };
    const joining = wifi().join({ ssid: SSID }, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({
      hint: expect.stringMatching(/ms-settings:privacy-location.*--url http:\/\/192\.168\.4\.1/),
    });
  });

  test("another adapter that is off does not matter", async () => {
    answers = { networks: "networks-win11" }; // with exit status 1
    expect((await wifi().scan(signal()))[0]?.ssid).toBe(SSID);
  });

  test.each([
    ["connect-not-connectible", "wifi_failed", /auth not found/],
    ["connect-not-available", "wifi_failed", /not available to connect/],
    ["connect-no-adapter", "wifi_no_adapter", /no such WiFi adapter/],
    ["networks-no-location", "wifi_not_permitted", /location is off/],
  ])("connecting fails with %s: %s, home again", async (connect, code, message) => {
    answers = { connect };
    const adapter = wifi();
    const joining = adapter.join({ ssid: SSID }, PASSWORD, { signal: signal() });
    await expect(joining).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await adapter.leave()).toMatchObject({ restored: true, network: "HomeNet" });
    expect([...profiles.keys()]).toEqual(["HomeNet"]);
  });
});
