import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type ProvisionBoardRequest, provisionBoard } from "../../cli/flow/provision-board.js";
import { createStageClock } from "../../cli/flow/stages.js";
import { silent } from "../../cli/progress.js";
import type { HostWifi } from "../../cli/wifi/host-wifi.js";
import { virtualWifi } from "../../cli/wifi/virtual.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";
import { freshBoard, labUp, type RunningLab } from "../helpers/lab.js";
import { DEVICE_ID } from "../helpers/prov.js";

// A laptop with one radio and no cable: on the board's AP it cannot reach the broker.

let lab: RunningLab;
let road: Road;

beforeAll(async () => {
  lab = await labUp("one-radio");
  road = await roadToBroker(Number(new URL(lab.client.info.broker.uri).port));
});
beforeEach(async () => {
  await freshBoard(lab);
});
afterAll(async () => {
  road.close();
  await lab.stop();
});

interface Road {
  port: number;
  isOpen: boolean;
  close(): void;
}

async function roadToBroker(port: number): Promise<Road> {
  const travellers = new Set<Socket>();
  const server = createServer((near) => {
    near.on("error", () => {});
    if (!road.isOpen) return near.destroy();
    const far = connect(port, "127.0.0.1");
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    travellers.add(near);
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    isOpen: true,
    close: () => {
      for (const each of travellers) each.destroy();
      server.close();
    },
  };
}

/** The lab's air, joined by the only radio. */
function onlyRadio(): HostWifi {
  const wifi = virtualWifi(lab.client.info.airDir);
  return {
    ...wifi,
    join: (ap, password, options) => {
      road.isOpen = false;
      return wifi.join(ap, password, options);
    },
    leave: () => {
      road.isOpen = true;
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
    joinTimeoutMs: 20_000,
    timeoutMs: 40_000,
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
