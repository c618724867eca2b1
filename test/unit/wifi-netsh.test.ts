import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CommandRunner } from "../../cli/wifi/command.js";
import { netshWifi } from "../../cli/wifi/netsh.js";
import { parseInterfaces, parseNetworks, profileXml } from "../../cli/wifi/netsh-parse.js";

const SSID = "ESP32-Prov-A1B2C3";
const PASSWORD = "prov & <12345>";

const interfaces = (ssid: string | null, profile = ssid) => `
There is 1 interface on the system:

    Name                   : Wi-Fi
    Description            : Intel(R) Wi-Fi 6 AX201 160MHz
    GUID                   : 8f2c1a44-1c0e-4a1b-9e3e-2f0b6d5a7c11
    Physical address       : 3c:58:c2:11:22:33
    State                  : ${ssid === null ? "disconnected" : "connected"}
${
  ssid === null
    ? "    Radio status           : Hardware On\n                             Software On\n"
    : `    SSID                   : ${ssid}
    BSSID                  : a4:2b:b0:44:55:66
    Network type           : Infrastructure
    Authentication         : WPA2-Personal
    Channel                : 44
    Signal                 : 92%
    Profile                : ${profile}
`
}
    Hosted network status  : Not available
`;

const NETWORKS = `
Interface name : Wi-Fi
There are 3 networks currently visible.

SSID 1 : HomeNet
    Network type            : Infrastructure
    Authentication          : WPA2-Personal
    Encryption              : CCMP
    BSSID 1                 : a4:2b:b0:44:55:66
         Signal             : 60%
         Radio type         : 802.11ac
         Channel            : 44
         Basic rates (Mbps) : 6 12 24

SSID 2 :
    Network type            : Infrastructure
    Authentication          : Open
    Encryption              : None
    BSSID 1                 : a4:2b:b0:44:55:99
         Signal             : 10%
         Channel            : 3

SSID 3 : ${SSID}
    Network type            : Infrastructure
    Authentication          : WPA2-Personal
    Encryption              : CCMP
    BSSID 1                 : 7C:DF:A1:A1:B2:C3
         Signal             : 90%
         Radio type         : 802.11n
         Channel            : 1
`;

describe("what netsh prints", () => {
  test("a connected interface", () => {
    expect(parseInterfaces(interfaces("HomeNet", "HomeNet 2"))).toEqual([
      { name: "Wi-Fi", ssid: "HomeNet", profile: "HomeNet 2", radioOn: null },
    ]);
  });

  test("a disconnected one, and one that is switched off", () => {
    expect(parseInterfaces(interfaces(null))).toEqual([
      { name: "Wi-Fi", ssid: null, profile: null, radioOn: true },
    ]);
    const off = interfaces(null).replace("Software On", "Software Off");
    expect(parseInterfaces(off)[0]?.radioOn).toBe(false);
  });

  test("a translated Windows", () => {
    const german = interfaces("HomeNet")
      .replace("State     ", "Status    ")
      .replace("Physical address", "Physische Adresse")
      .replace("Profile", "Profil ");
    expect(parseInterfaces(german)).toEqual([
      { name: "Wi-Fi", ssid: "HomeNet", profile: "HomeNet", radioOn: null },
    ]);
  });

  test("no adapter", () => {
    expect(parseInterfaces("There is no wireless interface on the system.\n")).toEqual([]);
  });

  test("networks in reach, strongest first, hidden ones left out", () => {
    expect(parseNetworks(NETWORKS)).toEqual([
      { ssid: SSID, bssid: "7c:df:a1:a1:b2:c3", channel: 1, rssiDbm: -55, secure: true },
      { ssid: "HomeNet", bssid: "a4:2b:b0:44:55:66", channel: 44, rssiDbm: -70, secure: true },
    ]);
  });

  test("a profile carries any name and password, and never connects by itself", () => {
    const xml = profileXml({ name: "t", ssid: "a<b&’", password: PASSWORD });
    expect(xml).toContain("<hex>613C6226E28099</hex>");
    expect(xml).toContain("<keyMaterial>prov &amp; &lt;12345&gt;</keyMaterial>");
    expect(xml).toContain("<connectionMode>manual</connectionMode>");
    expect(profileXml({ name: "t", ssid: "x", password: null })).toContain(">open<");
    expect(profileXml({ name: "t", ssid: "x", password: "0".repeat(64) })).toContain(
      ">networkKey<",
    );
  });
});

describe("the netsh adapter", () => {
  let stateDir: string;
  let profiles: Map<string, string>;
  let active: string | null;
  let refuses: boolean;
  let argv: string[];
  beforeEach(() => {
    stateDir = join(mkdtempSync(join(tmpdir(), "prov-win-")), ".prov");
    profiles = new Map([["HomeNet", "HomeNet"]]);
    active = "HomeNet";
    refuses = false;
    argv = [];
  });
  afterEach(() => rmSync(join(stateDir, ".."), { recursive: true, force: true }));

  const value = (args: readonly string[], key: string) =>
    args.find((arg) => arg.startsWith(`${key}=`))?.slice(key.length + 1) ?? "";
  const run: CommandRunner = async ({ file, args, signal }) => {
    signal?.throwIfAborted();
    argv.push(`${file} ${args.join(" ")}`);
    let stdout = "";
    const line = args.join(" ");
    if (line.includes("show interfaces")) {
      stdout = interfaces(active === null ? null : (profiles.get(active) ?? null), active ?? "");
    } else if (line.includes("show networks")) stdout = NETWORKS;
    else if (line.startsWith("wlan add profile")) {
      const xml = readFileSync(value(args, "filename"), "utf8");
      profiles.set(/<name>(.*?)<\/name>/.exec(xml)?.[1] ?? "", SSID);
    } else if (line.startsWith("wlan connect")) {
      active = refuses && value(args, "name") !== "HomeNet" ? null : value(args, "name");
    } else if (line.startsWith("wlan delete profile")) profiles.delete(value(args, "name"));
    return { code: 0, stdout, stderr: "" };
  };
  const wifi = () => netshWifi({ stateDir, run, pollIntervalMs: 2, connectLimitMs: 40 });
  const signal = () => AbortSignal.timeout(30_000);

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
});
