import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { longer } from "../helpers/longer.js";
import { tail } from "./board-log.js";
import { openRig, type Rig } from "./rig.js";

export interface SoakOptions {
  /** Provisionings without a restart in between. */
  readonly cycles: number;
  /** After them: resets of everything, each followed by a provisioning from nothing. */
  readonly resets: number;
  readonly onProgress?: (done: number, footprint: Footprint) => void;
}

/** What the firmware's process takes of its machine. */
export interface Footprint {
  readonly rssKiB: number;
  readonly descriptors: number;
  readonly threads: number;
}

export interface SoakResult {
  /** After the first tenth, when every cache and every thread's stack has been touched. */
  readonly before: Footprint;
  readonly after: Footprint;
  readonly crashes: number;
}

const SETTLE_MS = 10_000;
const WRONG_EVERY = 5;
const BROKER_EVERY = 7;
const AP_EVERY = 4;
/** Of a network that is about to go away: after this the station falls off it. */
const DROP_AFTER_MS = 2000;

/** Provisions a device again and again, with everything that goes wrong on the way. */
export async function soak(name: string, options: SoakOptions): Promise<SoakResult> {
  const { cycles, resets, onProgress } = options;
  const environment = { MALLOC_ARENA_MAX: "1" }; // or memory depends on which thread was free first
  const rig = await openRig(name, { variant: "soak", environment, wifi: { fallbackApSeconds: 2 } });
  try {
    rig.eraseNvs();
    await rig.powerOn();
    await rig.apUp();
    const pid = rig.board.announcedAp()?.pid ?? 0;
    await provision(rig, 0);
    const calm = footprint(pid);
    let before = calm;
    for (let cycle = 1; cycle <= cycles; cycle += 1) {
      await runCycle(rig, cycle);
      if (cycle === Math.ceil(cycles / 10)) before = await settle(pid, calm);
      if (cycle % 50 === 0) onProgress?.(cycle, footprint(pid));
    }
    const after = await settle(pid, calm);
    for (let reset = 1; reset <= resets; reset += 1) {
      await resetAndProvision(rig, reset);
      if (reset % 50 === 0) onProgress?.(cycles + reset, footprint(pidOf(rig)));
    }
    return { before, after, crashes: countCrashes(rig) };
  } finally {
    await rig.stop();
  }
}

function pidOf(rig: Rig): number {
  return rig.board.announcedAp()?.pid ?? 0;
}

async function runCycle(rig: Rig, cycle: number): Promise<void> {
  if (cycle % WRONG_EVERY === 0) await provisionWrongly(rig);
  if (cycle % AP_EVERY === 0) await closeAndOpenAp(rig, cycle);
  else await provision(rig, cycle);
  if (cycle % BROKER_EVERY === 0) await restartBroker(rig);
}

async function provision(rig: Rig, cycle: number): Promise<void> {
  const online = rig.outcome();
  const answer = await rig.provision(rig.credentials(cycle % 2));
  if (answer?.status !== 200) {
    online.catch(() => {});
    throw new Error(`cycle ${cycle}: ${JSON.stringify(answer)}\n${tail(rig.board)}`);
  }
  await online;
}

/** Waits until the board is back in AP_MODE with its verdict. */
async function provisionWrongly(rig: Rig): Promise<void> {
  await rig.provision({ ...rig.credentials(0), password: "not-the-password" });
  await until(async () => {
    const status = (await rig.get("/status"))?.body;
    return status?.state === "AP_MODE" && JSON.stringify(status.error).includes("wrong_password");
  }, "no verdict on a wrong password");
}

async function restartBroker(rig: Rig): Promise<void> {
  await rig.lab.setFaults([{ server: "broker", kind: "down" }]);
  const online = rig.outcome();
  await rig.lab.setFaults([]);
  await online;
}

/** Reading "connected" closes the AP; a home network that goes away opens it again. */
async function closeAndOpenAp(rig: Rig, cycle: number): Promise<void> {
  const air = rig.lab.air();
  const faults = { drop_after_ms: DROP_AFTER_MS };
  rig.lab.setAir({ ...air, networks: air.networks.map((network) => ({ ...network, faults })) });
  await provision(rig, cycle);
  // The broker hears that the device is online a moment before the device hears that it was heard.
  await until(async () => {
    const base = rig.board.baseUrl();
    if (base !== null) await fetch(`${base}/status`).catch(() => {});
    return base === null;
  }, "the AP stays");
  rig.lab.setAir({ ...air, networks: [] });
  await rig.apUp();
  const online = rig.outcome();
  rig.lab.setAir(air);
  await online;
}

async function resetAndProvision(rig: Rig, cycle: number): Promise<void> {
  const isRestarted = rig.lab.events.waitFor((event) => event.what === "boot", {
    futureOnly: true,
  });
  await rig.post("/reset", { scope: cycle % 2 === 0 ? "all" : "wifi" });
  await isRestarted;
  await provision(rig, cycle);
}

async function until(isTrue: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (const end = Date.now() + longer(SETTLE_MS); !(await isTrue()); await delay(5))
    if (Date.now() > end) throw new Error(otherwise);
}

function countCrashes(rig: Rig): number {
  return rig.lab.events.recent().filter((event) => event.what === "crash").length;
}

function footprint(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return {
    rssKiB: field("VmRSS"),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: field("Threads"),
  };
}

/** Threads and connections that are on their way out may take a moment; one that stays is a leak. */
async function settle(pid: number, calm: Footprint): Promise<Footprint> {
  const end = Date.now() + longer(SETTLE_MS);
  for (;;) {
    const now = footprint(pid);
    const isCalm = now.threads <= calm.threads && now.descriptors <= calm.descriptors;
    if (isCalm || Date.now() > end) return now;
    await delay(20);
  }
}
