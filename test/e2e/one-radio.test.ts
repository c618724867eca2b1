import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { ProvisionBoardRequest } from "../../cli/flow/attempt.js";
import { provisionBoard } from "../../cli/flow/provision-board.js";
import { createStageClock } from "../../cli/flow/stages.js";
import { virtualWifi } from "../../cli/lab/air/virtual-wifi.js";
import { silent } from "../../cli/terminal/progress.js";
import type { HostWifi } from "../../cli/wifi/host-wifi.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";
import { type Forward, forwardTo } from "../helpers/forward.js";
import { freshBoard, labUp, type RunningLab } from "../helpers/lab.js";
import { longer } from "../helpers/longer.js";
import { DEVICE_ID } from "../helpers/prov.js";

// A laptop with one radio and no cable: on the board's AP it cannot reach the broker.

let lab: RunningLab;
let road: Forward;
let isRoadOpen = true;

beforeAll(async () => {
  lab = await labUp("one-radio");
  const brokerPort = Number(new URL(lab.client.info.broker.uri).port);
  road = await forwardTo(async () => (isRoadOpen ? `127.0.0.1:${brokerPort}` : null));
});
beforeEach(async () => {
  await freshBoard(lab);
});
afterAll(async () => {
  road.close();
  await lab.stop();
});

/** The lab's air, joined by the only radio. */
function onlyRadio(): HostWifi {
  const wifi = virtualWifi(lab.client.info.airDir);
  return {
    ...wifi,
    join: (ap, password, options) => {
      isRoadOpen = false;
      return wifi.join(ap, password, options);
    },
    leave: () => {
      isRoadOpen = true;
      return wifi.leave();
    },
  };
}

async function request(): Promise<ProvisionBoardRequest> {
  const { operator } = lab.client.info;
  const read = (file: string): string => readFileSync(file, "utf8");
  return {
    manifest: {
      ...DEFAULT_MANIFEST,
      id: DEVICE_ID,
      mqtt: { ...DEFAULT_MANIFEST.mqtt, statusIntervalSeconds: 1 },
    },
    credentials: { ...lab.home, token: await lab.token() },
    wifi: onlyRadio(),
    broker: {
      uri: `mqtts://127.0.0.1:${road.port}`,
      caPem: read(operator.caPath),
      certPem: read(operator.certPath),
      keyPem: read(operator.keyPath),
    },
    joinTimeoutMs: longer(20_000),
    timeoutMs: longer(40_000),
    apGoneMs: 500,
    pollMs: 50,
    clock: createStageClock(),
    signal: new AbortController().signal,
    progress: silent,
  };
}

it("the broker confirms what the device said, once the laptop is back on its own network", async () => {
  const { outcome, attemptId } = await provisionBoard(await request());
  expect(outcome.reached).toBe("mqtt");
  expect(outcome.mqtt?.payload).toMatchObject({ status: "connected", attempt_id: attemptId });
  expect(outcome.evidence.map(({ witness }) => witness)).toEqual(
    expect.arrayContaining(["status", "broker"]),
  );
  expect(outcome.unheard).toEqual([]);
});

it("an AP that vanishes for good sends the laptop home, and the broker decides", async () => {
  const air = await lab.client.air();
  await lab.client.setAir({ ...air, faults: { ap_vanish_on_connect: true } });
  const { outcome, attemptId } = await provisionBoard(await request());
  expect(outcome.mqtt?.payload).toMatchObject({ status: "connected", attempt_id: attemptId });
  expect(outcome.evidence.map(({ witness }) => witness)).toEqual(["broker"]);
});
