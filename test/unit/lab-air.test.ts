import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_AIR, HOME_NETWORK, prepareAir, readAir, writeAir } from "../../cli/lab/air/air.js";
import {
  type Air,
  computePmk,
  listAnnouncedAps,
  passwordOpensAp,
} from "../../cli/lab/air/air-file.js";
import { temporaryDir } from "../helpers/project.js";

/** Above the largest id that Linux gives out. */
const DEAD_PID = 2 ** 22 + 1;

let dir: string;
beforeEach(() => {
  dir = temporaryDir();
});

describe("the air file", () => {
  it("starts with a home in range and keeps what was changed", () => {
    prepareAir(dir);
    expect(readAir(dir)).toEqual(DEFAULT_AIR);
    const changed: Air = { networks: [{ ...HOME_NETWORK, psk: "another-password" }] };
    writeAir(dir, changed);
    prepareAir(dir);
    expect(readAir(dir)).toEqual(changed);
  });

  it("is for the owner alone, and replaced without leftovers", () => {
    prepareAir(dir);
    writeAir(dir, DEFAULT_AIR);
    expect(statSync(join(dir, "air.json")).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, "aps")).mode & 0o777).toBe(0o700);
    expect(readdirSync(dir).sort()).toEqual(["air.json", "aps"]);
  });

  it.each([
    ["an SSID of 33 bytes", { ...HOME_NETWORK, ssid: `${"ü".repeat(16)}x` }, "networks.0.ssid"],
    ["an empty SSID", { ...HOME_NETWORK, ssid: "" }, "networks.0.ssid"],
    ["a password of 7 bytes", { ...HOME_NETWORK, psk: "1234567" }, "networks.0.psk"],
    ["a channel that does not exist", { ...HOME_NETWORK, channel: 15 }, "networks.0.channel"],
  ])("refuses %s and keeps the old air", (_what, network, path) => {
    prepareAir(dir);
    expect(() => writeAir(dir, { networks: [network] })).toThrow(path);
    expect(readAir(dir)).toEqual(DEFAULT_AIR);
  });

  it("takes faults of networks and of the air", () => {
    const air: Air = {
      networks: [{ ...HOME_NETWORK, hidden: true, faults: { fail_first: 2, drop_after_ms: 500 } }],
      faults: { sntp_blocked: true, lose_replies: ["POST /provision"] },
    };
    prepareAir(dir, air);
    expect(readAir(dir)).toEqual(air);
  });
});

describe("announced access points", () => {
  const ap = {
    ssid: "ESP32-Prov-00A1B2",
    bssid: "7c:df:a1:00:a1:b2",
    channel: 1,
    auth: "wpa2",
    pmk: computePmk("prov12345678", "ESP32-Prov-00A1B2"),
    base_url: "http://127.0.0.1:4711",
    pid: process.pid,
  };

  function announce(name: string, value: unknown): void {
    prepareAir(dir);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    writeFileSync(join(dir, "aps", name), text);
  }

  it("are listed while their process lives", () => {
    announce("7cdfa100a1b2.json", { ...ap, added_by_a_newer_firmware: true });
    announce("7cdfa100a1b3.json", { ...ap, pid: DEAD_PID });
    const { base_url: baseUrl, ...rest } = ap;
    expect(listAnnouncedAps(dir)).toEqual([{ ...rest, baseUrl }]);
  });

  it("are ignored when they are damaged or not announcements", () => {
    announce("7cdfa100a1b2.json", "{");
    announce("7cdfa100a1b3.json", { ...ap, pmk: "short" });
    announce("notes.txt", JSON.stringify(ap));
    expect(listAnnouncedAps(dir)).toEqual([]);
    expect(listAnnouncedAps(join(dir, "nowhere"))).toEqual([]);
  });

  it("open to the right password only", () => {
    announce("7cdfa100a1b2.json", ap);
    const [found] = listAnnouncedAps(dir);
    if (found === undefined) throw new Error("not announced");
    expect(passwordOpensAp(found, "prov12345678")).toBe(true);
    expect(passwordOpensAp(found, "prov12345679")).toBe(false);
    expect(passwordOpensAp(found, null)).toBe(false);
    const open = { ...found, pmk: null };
    expect(passwordOpensAp(open, null)).toBe(true);
    expect(passwordOpensAp(open, "prov12345678")).toBe(false);
  });
});

describe("computePmk", () => {
  // The test vectors of IEEE 802.11, annex J.4.2.
  it.each([
    ["password", "IEEE", "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"],
    [
      "ThisIsAPassword",
      "ThisIsASSID",
      "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af",
    ],
  ])("turns %s on %s into the standard's key", (passphrase, ssid, pmk) => {
    expect(computePmk(passphrase, ssid)).toBe(pmk);
  });
});
