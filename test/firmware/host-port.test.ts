import { existsSync, statSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Air, AirNetwork } from "../../cli/lab/air/air-file.js";
import { computePmk } from "../../cli/lab/air/air-file.js";
import { createLineSplitter } from "../../cli/lines.js";
import { AP_CHANNELS } from "../../codegen/ap-channels.js";
import { edgesOf, linkedEdges, readCGraph } from "../helpers/c-graph.js";
import {
  buildPrograms,
  OPEN_AIR,
  type Program,
  portObjects,
  readAnnouncement,
  startProgram,
  VARIANTS,
} from "../helpers/host-port.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";

beforeAll(buildPrograms, longer(300_000));

/** Ends well: status 0, checks made, none failed, nothing from a sanitizer. */
async function expectSuccess(program: Program): Promise<string[]> {
  const { status, lines, stderr } = await program.finished();
  expect(stderr).toBe("");
  expect(lines.at(-1)).toMatch(/: [1-9]\d* checks, 0 failures$/);
  expect(status).toBe(0);
  return lines;
}

test("who uses whom, as the sources tell it, is what the linker sees", async () => {
  const linked = await linkedEdges(portObjects());
  expect(linked.length).toBeGreaterThan(100);
  expect(edgesOf(readCGraph("firmware/host/src", "firmware/host/include"))).toEqual(linked);
});

describe.each(VARIANTS)("the host port under %s", (variant) => {
  test.each(["events", "freertos", "clock"])("%s", async (name) => {
    await expectSuccess(startProgram(name, variant));
  });

  test("SNTP that the air blocks leaves the clock alone", async () => {
    const air: Air = { ...OPEN_AIR, faults: { sntp_blocked: true } };
    await expectSuccess(startProgram("clock", variant, { air, env: { TEST_SNTP_BLOCKED: "1" } }));
  });

  test("SNTP needs names to resolve", async () => {
    const networks = OPEN_AIR.networks.map((each) => ({ ...each, faults: { dns_fail: true } }));
    await expectSuccess(
      startProgram("clock", variant, { air: { networks }, env: { TEST_SNTP_BLOCKED: "1" } }),
    );
  });

  test("WiFi: scan results, states and the reason of every refusal", async () => {
    const env = { TEST_AP_CLIENTS: "15" };
    const program = startProgram("wifi", variant, { air: { networks: NETWORKS }, env });
    for (const [, line] of CONNECTIONS) program.write(line);
    program.end();
    const lines = await expectSuccess(program);
    const start = lines.indexOf("scan");
    const middle = lines.indexOf("scan with hidden");
    expect(lines.slice(start + 1, middle).filter(isRecord)).toEqual(VISIBLE);
    expect(lines.slice(middle + 1).filter(isRecord)).toEqual(['record "" -20 9 3', ...VISIBLE]);
    expect(lines.filter((line) => /^(connected|reason)/.test(line))).toEqual(
      CONNECTIONS.map(([outcome]) => outcome),
    );
  });

  test.each([
    ["follows the country of what it hears", undefined, "reason 201", "connected"],
    ["is in Germany", "DE", "connected", "connected"],
    ["is in the US", "US", "reason 201", "reason 201"],
  ])("WiFi: on channel 13 a station that %s", async (_where, country, hidden, shown) => {
    const networks = [
      ...NETWORKS,
      network("Hidden13", { channel: 13, hidden: true, rssi: -70 }),
      network("Shown13", { channel: 13, rssi: -71 }),
    ];
    const fixed = country === undefined ? {} : { TEST_FIXED_COUNTRY: country };
    const env = { TEST_AP_CLIENTS: "15", ...fixed };
    const program = startProgram("wifi", variant, { air: { networks }, env });
    for (const ssid of ["Hidden13", "Shown13"]) program.write(`${ssid}\tsecret-pass\t0\t0\t1`);
    program.end();
    const lines = await expectSuccess(program);
    expect(lines.filter((line) => /^(connected|reason) ?\d* \w+13$/.test(line))).toEqual([
      `${hidden} Hidden13`,
      `${shown} Shown13`,
    ]);
  });

  test("WiFi: a radio of its own takes the place of the air", async () => {
    const radio = join(temporaryDir(), "radio");
    const server = createServer((board) => playRadio(board)).listen(radio);
    onTestFinished(() => void server.close());
    const env = { TEST_AP_CLIENTS: "15", PROV_HOST_RADIO: radio };
    const program = startProgram("wifi", variant, { air: { networks: NETWORKS }, env });
    program.write("Afar\t\t0\t0\t0");
    program.write("Nowhere\t\t0\t0\t0");
    program.end();
    const lines = await expectSuccess(program);
    expect(lines.filter((line) => /^(record|connected|reason)/.test(line))).toEqual([
      'record "Afar" -70 11 3',
      'record "Afar" -70 11 3',
      "connected Afar",
      "reason 201 Nowhere",
    ]);
  });

  test.each([
    ["esp32s3", 15],
    ["esp32c3", 10],
    ["esp32c2", 4],
  ])(
    "WiFi: the AP of an %s takes %i clients, and the channels of its country",
    async (chip, max) => {
      const env = { PROV_HOST_CHIP: chip, TEST_AP_CLIENTS: String(max), TEST_AP_ONLY: "1" };
      const program = startProgram("wifi", variant, { env });
      const lines = await expectSuccess(program);
      const channels = lines.flatMap(
        (line) => /^channels (\w\w) (\d+)$/.exec(line)?.slice(1) ?? [],
      );
      const expected = [...AP_CHANNELS].filter(([country]) => country !== "01").sort();
      expect(channels).toEqual(expected.flat().map(String));
      expect(lines.join("\n")).toContain(
        "Channel number 12 is out of range from 1 to 11 in country code cc=01",
      );
    },
  );

  test("an announcement lives as long as its board", async () => {
    const program = startProgram("http_server", variant);
    await program.baseUrl();
    const file = join(program.airDir, "aps", "246f28aabb01.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readAnnouncement(program.airDir)).toMatchObject({
      ssid: "test-ap",
      bssid: "24:6f:28:aa:bb:01",
      channel: 3,
      auth: "wpa2",
      pmk: computePmk("12345678", "test-ap"),
    });
    program.kill("SIGTERM");
    const { status, stderr } = await program.finished();
    expect([status, stderr]).toEqual([0, ""]);
    expect(existsSync(file)).toBe(false);
  });

  test("the button is pressed and released; a restart has its status", async () => {
    const program = startProgram("board", variant, { env: { PROV_HOST_RESET_REASON: "brownout" } });
    expect(await program.next(/^reset/)).toBe("reset reason 9");
    program.setGpio(9, 0);
    expect(await program.next(/^level/)).toBe("level 0");
    program.setGpio(9, 1);
    expect(await program.next(/^level/)).toBe("level 1");
    const { status, lines, stderr } = await program.finished();
    expect([status, lines.at(-1), stderr]).toEqual([88, "shutdown handler, 0 failures", ""]);
  });

  test("without a hand on the control line there is no power", async () => {
    const program = startProgram("board", variant);
    expect(await program.next(/^reset/)).toBe("reset reason 1");
    program.letGo();
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });

  test.each([
    [{ PROV_HOST_MAC: "zz" }, "PROV_HOST_MAC: expected 12 hex digits\n"],
    [{ PROV_HOST_CHIP: "esp8266" }, "PROV_HOST_CHIP: expected a chip as ESP-IDF spells it\n"],
  ])("a bad environment is refused at once: %o", async (env, complaint) => {
    const program = startProgram("events", variant, { env });
    const { status, stderr } = await program.finished();
    expect([status, stderr]).toEqual([2, complaint]);
  });
});

/** Answers as wifi_radio.h has it, at a radio's pace: two scans, a third one never, and all connections. */
function playRadio(board: Socket): void {
  const seen = { bssid: "02:00:00:00:00:01", rssi: -70, channel: 11, auth: "wpa2" };
  let scans = 0;
  const report = (event: string, rest: object) =>
    setTimeout(() => board.write(`${JSON.stringify({ event, ...rest })}\n`), 200);
  const lines = createLineSplitter((line) => {
    const { op, id, ssid } = JSON.parse(line) as { op: string; id: number; ssid: string };
    if (op === "scan" && ++scans < 3) report("scanned", { networks: [{ ssid: "Afar", ...seen }] });
    if (op !== "connect") return;
    report("disconnected", { id: id - 1, reason: 8 }); // of a connection that was given up
    if (ssid === "Nowhere") report("disconnected", { id, reason: 201 });
    else report("associated", { id, ssid, ...seen });
  });
  board.on("data", lines.feed).on("error", () => {});
}

function isRecord(line: string): boolean {
  return line.startsWith("record");
}

function network(ssid: string, rest: Partial<AirNetwork> = {}): AirNetwork {
  return { ssid, psk: "secret-pass", rssi: -50, channel: 6, auth: "wpa2", ...rest };
}

const RAW_KEY = computePmk("secret-pass", "Raw");

const NETWORKS: AirNetwork[] = [
  network("Open", { psk: null, auth: "open", rssi: -30 }),
  network("Home", { rssi: -40 }),
  network("Hidden", { rssi: -20, channel: 9, hidden: true }),
  network("Raw", { psk: RAW_KEY, rssi: -51 }),
  network("Three", { auth: "wpa3", rssi: -52 }),
  network("Mixed", { auth: "wpa2wpa3", rssi: -53 }),
  network("Old", { auth: "wpa", rssi: -54 }),
  network("Shared", { auth: "wep", psk: "abcdefghijklm", rssi: -55 }),
  network("Full", { rssi: -56, faults: { reject_reason: 5 } }),
  network("Shy", { rssi: -57, faults: { fail_first: 2 } }),
  network("Größe", { rssi: -58 }),
];

/** Strongest first; the numbers are RSSI, channel and wifi_auth_mode_t. */
const VISIBLE = [
  'record "Open" -30 6 0',
  'record "Home" -40 6 3',
  'record "Raw" -51 6 3',
  'record "Three" -52 6 6',
  'record "Mixed" -53 6 7',
  'record "Old" -54 6 2',
  'record "Shared" -55 6 1',
  'record "Full" -56 6 3',
  'record "Shy" -57 6 3',
  'record "Größe" -58 6 3',
];

/** Outcome, and ssid, password, minimum auth mode, minimum RSSI, scan method. */
const CONNECTIONS: [string, string][] = [
  ["connected Home", "Home\tsecret-pass\t0\t0\t0"],
  ["connected Home", `Home\t${computePmk("secret-pass", "Home")}\t0\t0\t0`],
  ["connected Raw", "Raw\tsecret-pass\t0\t0\t0"],
  ["connected Größe", "Größe\tsecret-pass\t0\t0\t0"],
  ["connected Three", "Three\tsecret-pass\t3\t0\t0"],
  ["connected Old", "Old\tsecret-pass\t2\t0\t0"],
  ["reason 15 Home", "Home\tsecret-Pass\t0\t0\t0"],
  ["reason 202 Three", "Three\twrong-pass\t0\t0\t0"],
  ["reason 202 Mixed", "Mixed\twrong-pass\t0\t0\t0"],
  ["reason 201 Nowhere", "Nowhere\tsecret-pass\t0\t0\t0"],
  ["reason 201 Hidden", "Hidden\tsecret-pass\t0\t0\t0"],
  ["connected Hidden", "Hidden\tsecret-pass\t0\t0\t1"],
  ["reason 210 Home", "Home\t\t0\t0\t0"],
  ["reason 211 Open", "Open\tsecret-pass\t0\t0\t0"],
  ["reason 211 Old", "Old\tsecret-pass\t0\t0\t0"],
  ["reason 211 Shared", "Shared\tabcdefghijklm\t0\t0\t0"],
  ["connected Shared", "Shared\tabcdefghijklm\t1\t0\t0"],
  ["reason 211 Home", "Home\tsecret-pass\t6\t0\t0"],
  ["reason 212 Home", "Home\tsecret-pass\t0\t-35\t0"],
  ["reason 5 Full", "Full\tsecret-pass\t0\t0\t0"],
  ["reason 2 Shy", "Shy\tsecret-pass\t0\t0\t0"],
  ["reason 2 Shy", "Shy\tsecret-pass\t0\t0\t0"],
  ["connected Shy", "Shy\tsecret-pass\t0\t0\t0"],
];
