import { createServer } from "node:http";
import { expect, test } from "vitest";
import { provisionBoard } from "../../cli/flow/provision-board.js";
import { createStageClock } from "../../cli/flow/stages.js";
import { silent } from "../../cli/terminal/progress.js";
import { manualWifi } from "../../cli/wifi/manual.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";
import { waitingStatus } from "../helpers/board-status.js";
import { longer } from "../helpers/longer.js";
import { served } from "../helpers/served.js";

/** A board in AP_MODE that answers each call of `slow` only after that many milliseconds. */
async function board(slow: Record<string, number>, networks: readonly unknown[] = []) {
  const asked: string[] = [];
  const answers: Record<string, unknown> = {
    "GET /scan": { networks, count: networks.length },
    "GET /status": waitingStatus(DEFAULT_MANIFEST.id),
    "POST /provision": { status: "ok", message: "Credentials saved" },
  };
  const server = createServer((request, response) => {
    const call = `${request.method} ${request.url}`;
    asked.push(call);
    response.setHeader("content-type", "application/json");
    setTimeout(() => response.end(JSON.stringify(answers[call])), slow[call] ?? 0);
  });
  return { asked, baseUrl: `http://127.0.0.1:${await served(server)}` };
}

function provision(baseUrl: string, timeoutMs: number, password = "home-password") {
  return provisionBoard({
    manifest: DEFAULT_MANIFEST,
    credentials: { ssid: "Home", password, token: "t" },
    wifi: manualWifi({ baseUrl, probeIntervalMs: 20 }),
    joinTimeoutMs: longer(20_000),
    timeoutMs,
    apGoneMs: 20_000,
    pollMs: 20,
    clock: createStageClock(),
    signal: new AbortController().signal,
    progress: silent,
  });
}

test("when time is up before the credentials are sent, they are not sent any more", async () => {
  const { asked, baseUrl } = await board({ "GET /scan": 60_000 });
  await expect(provision(baseUrl, longer(500))).rejects.toMatchObject({
    code: "ap_unreachable",
    message: expect.stringContaining("no credentials were sent"),
  });
  expect(asked).toContain("GET /scan");
  expect(asked).not.toContain("POST /provision");
});

test("when time is up while the board takes them in, it is asked once more what became of them", async () => {
  const { asked, baseUrl } = await board({ "POST /provision": 60_000 });
  await expect(provision(baseUrl, longer(1_000))).rejects.toMatchObject({
    code: "outcome_unknown",
  });
  expect(asked.slice(asked.indexOf("POST /provision") + 1)).toContain("GET /status");
});

test.each([
  ["no password for a network that has one", true, "", "Leave --open out"],
  ["a password for a network without one", false, "home-password", "wifi.allowOpen"],
])("%s: refused before anything is sent", async (_name, secure, password, hint) => {
  const home = { ssid: "Home", rssi: -40, channel: 6, secure };
  const { asked, baseUrl } = await board({}, [home]);
  await expect(provision(baseUrl, longer(5_000), password)).rejects.toMatchObject({
    code: "usage",
    exitCode: 2,
    message: expect.stringContaining("nothing was sent"),
    hint: expect.stringContaining(hint),
  });
  expect(asked).not.toContain("POST /provision");
});

test.each([
  ["as it is", [{ ssid: "Home", rssi: -40, channel: 6, secure: true }]],
  ["unseen, as a hidden one is", [{ ssid: "Other", rssi: -40, channel: 6, secure: false }]],
])("a network %s is tried", async (_name, networks) => {
  const { asked, baseUrl } = await board({}, networks);
  await expect(provision(baseUrl, longer(1_000))).rejects.toMatchObject({
    code: "outcome_unknown",
  });
  expect(asked).toContain("POST /provision");
});
