import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { joinBoard } from "../../cli/flow/join.js";
import { silent } from "../../cli/progress.js";
import { computePmk } from "../../cli/wifi/air-file.js";
import { virtualWifi } from "../../cli/wifi/virtual.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";
import { waitingStatus } from "../helpers/board-status.js";

const AP_PASSWORD = "prov12345678";
const MINE = "greenhouse-7";

let airDir: string;
let servers: Server[];

beforeEach(() => {
  airDir = mkdtempSync(join(tmpdir(), "prov-air-"));
  mkdirSync(join(airDir, "aps"));
  servers = [];
});
afterEach(() => {
  for (const server of servers) server.close();
  rmSync(airDir, { recursive: true });
});

/** A board in the air whose AP ends in `suffix`; returns the paths that were asked of it. */
async function board(suffix: string, deviceId: string, password = AP_PASSWORD): Promise<string[]> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(waitingStatus(deviceId)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  const ssid = `ESP32-Prov-${suffix}`;
  writeFileSync(
    join(airDir, "aps", `7cdfa1${suffix.toLowerCase()}.json`),
    JSON.stringify({
      ssid,
      bssid: `7c:df:a1:${suffix.toLowerCase().match(/../g)?.join(":")}`,
      channel: 1,
      auth: "wpa2",
      pmk: computePmk(password, ssid),
      base_url: `http://127.0.0.1:${port}`,
      pid: process.pid,
    }),
  );
  return asked;
}

function joinMine() {
  return joinBoard({
    wifi: virtualWifi(airDir, { pollIntervalMs: 5 }),
    manifest: { ...DEFAULT_MANIFEST, id: MINE },
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    progress: silent,
  });
}

test("of several boards the one with the manifest's id is joined; the others are asked for their status only", async () => {
  const first = await board("AAAA01", "somebody-elses");
  await board("AAAA02", "locked", "another password");
  await board("AAAA03", MINE);
  const joined = await joinMine();
  expect(joined.apSsid).toBe("ESP32-Prov-AAAA03");
  expect(joined.status.deviceId).toBe(MINE);
  expect(first).toEqual(["GET /status"]);
});

test("none of several is the one: what each answered is listed", async () => {
  await board("AAAA01", "somebody-elses");
  await board("AAAA02", "locked", "another password");
  const failure = await joinMine().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "ap_ambiguous", exitCode: 6 });
  const message = String(failure);
  expect(message).toMatch(/ESP32-Prov-AAAA01: .*"somebody-elses"/);
  expect(message).toMatch(/ESP32-Prov-AAAA02: .*refused the password/);
});

test("the only board's own failure is the error", async () => {
  await board("AAAA01", "somebody-elses");
  await expect(joinMine()).rejects.toMatchObject({ code: "device_mismatch", exitCode: 6 });
});

test("a board that shows up while another one is asked is found", async () => {
  await board("AAAA01", "somebody-elses");
  servers[0]?.once("request", () => void board("AAAA02", MINE));
  expect((await joinMine()).apSsid).toBe("ESP32-Prov-AAAA02");
});
