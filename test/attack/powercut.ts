import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tail } from "./board-log.js";
import {
  buildNvsTools,
  inconsistencies,
  inEffect,
  putRecord,
  type Records,
  readRecords,
  unfinished,
} from "./records.js";
import { type Credentials, openRig, type Rig } from "./rig.js";

/** What the power is cut in. `start` is the NVS at power-on. */
interface Scenario {
  readonly name: string;
  readonly start: Buffer;
  /** POSTed one after the other, each when the one before has come online. */
  readonly attempts: readonly Credentials[];
  /** Set when nothing is POSTed, because the device holds the attempt and renews this certificate. */
  readonly renews?: string;
  /** The first write that belongs to the scenario, counted from power-on. */
  readonly firstWrite: number;
  /** A certificate is in storage by then. */
  readonly isEnrolled: boolean;
}

export interface Tally {
  readonly scenario: string;
  readonly cuts: number;
  /** One text per boot that found, or led to, something that must not be. */
  readonly inconsistent: readonly string[];
}

export interface PowercutOptions {
  /** Cut at every k-th write; 1 = at each. */
  readonly every: number;
  readonly onTally?: (tally: Tally) => void;
}

/**
 * Cuts the power in the middle of the n-th write to the NVS, for every n of a scenario until it
 * ends by itself, and boots again: with the old state or the new one, and able to finish.
 */
export async function cutPowerEverywhere(name: string, options: PowercutOptions): Promise<Tally[]> {
  const countFile = join(tmpdir(), `prov-nvs-writes-${process.pid}-${name}`);
  await buildNvsTools();
  const rig = await openRig(name, { environment: { PROV_HOST_NVS_COUNT_FILE: countFile } });
  try {
    const tallies: Tally[] = [];
    for (const makeScenario of [provisioning, reprovisioning, afterReset, renewal]) {
      const scenario = await makeScenario(rig, () => Number(readFileSync(countFile, "utf8")));
      const tally = await cutEach(rig, scenario, options.every);
      options.onTally?.(tally);
      tallies.push(tally);
    }
    return tallies;
  } finally {
    await rig.stop();
    rmSync(countFile, { force: true });
  }
}

/** From an erased NVS to the first status message. */
async function provisioning(rig: Rig): Promise<Scenario> {
  rig.eraseNvs();
  return {
    name: "provisioning",
    start: rig.readNvs(),
    attempts: [rig.credentials(0)],
    firstWrite: 1,
    isEnrolled: false,
  };
}

/** A second POST while the device is online with the first, its AP still up. */
async function reprovisioning(rig: Rig, writes: () => number): Promise<Scenario> {
  rig.eraseNvs();
  const start = rig.readNvs();
  await goThrough(rig, [rig.credentials(0)]);
  const firstWrite = writes() + 1;
  await rig.board.powerOff();
  const attempts = [rig.credentials(0), rig.credentials(1)];
  return { name: "re-provisioning", start, attempts, firstWrite, isEnrolled: true };
}

/** New WiFi and a new token for a device that forgot its WiFi and kept its certificate. */
async function afterReset(rig: Rig): Promise<Scenario> {
  rig.eraseNvs();
  await goThrough(rig, [rig.credentials(0)]);
  const back = rig.lab.events.waitFor((event) => event.what === "boot", { futureOnly: true });
  await rig.post("/reset", { scope: "wifi" });
  await back;
  await rig.apUp();
  await rig.board.powerOff();
  return {
    name: "provisioning after a WiFi reset",
    start: rig.readNvs(),
    attempts: [rig.credentials(1)],
    firstWrite: 1,
    isEnrolled: true,
  };
}

/** A boot with a certificate that is due for renewal, until the new one has proved itself. */
async function renewal(rig: Rig): Promise<Scenario> {
  rig.eraseNvs();
  const attempt = rig.credentials(0);
  await goThrough(rig, [attempt]);
  await rig.board.powerOff();
  const [certificate, ca] = rig.agedCertificate();
  await putRecord(rig.board.flash.path, "crt", [certificate, ca]);
  return {
    name: "renewal",
    start: rig.readNvs(),
    attempts: [attempt],
    renews: certificate,
    firstWrite: 1,
    isEnrolled: true,
  };
}

async function cutEach(rig: Rig, scenario: Scenario, every: number): Promise<Tally> {
  const inconsistent: string[] = [];
  let cuts = 0;
  for (let write = scenario.firstWrite; ; write += every) {
    rig.writeNvs(scenario.start);
    // A token is spent once; each run pays with its own.
    const { renews } = scenario;
    const isPosted = renews === undefined;
    const attempts = isPosted
      ? scenario.attempts.map((each) => ({ ...each, token: freshToken(rig) }))
      : scenario.attempts;
    rig.board.cutAtNvsWrite(write);
    const { answered, isCut } = await (isPosted
      ? goThrough(rig, attempts)
      : renewOnce(rig, renews));
    if (!isCut) break;
    cuts += 1;
    const faults = await recover(rig, attempts, answered, scenario);
    if (faults.length > 0)
      inconsistent.push(
        `${scenario.name}, write ${write}: ${faults.join("; ")}\n${tail(rig.board)}`,
      );
    await rig.board.powerOff();
  }
  await rig.board.powerOff();
  return { scenario: scenario.name, cuts, inconsistent };
}

function freshToken(rig: Rig): string {
  return rig.credentials(0).token;
}

/** Powers on and provisions until all attempts have come online, or the power is gone. */
async function goThrough(rig: Rig, attempts: readonly Credentials[]) {
  let answered = 0;
  let end = rig.outcome();
  await rig.powerOn();
  for (const credentials of attempts) {
    if ((await rig.provision(credentials))?.status === 200) answered += 1;
    if ((await end) === "power_cut") return { answered, isCut: true };
    end = rig.outcome();
  }
  end.catch(() => {}); // nobody waits for a further one
  return { answered, isCut: false };
}

/**
 * Powers on and waits until the certificate `renews` has given way to a new one, and for a sign of life after that,
 * by when nothing is left to be written.
 */
async function renewOnce(rig: Rig, renews: string) {
  let end = rig.outcome();
  await rig.powerOn();
  for (let isRenewed = false; (await end) !== "power_cut"; end = rig.signOfLife()) {
    if (isRenewed) return { answered: 1, isCut: false };
    isRenewed = (await readRecords(rig.board.flash.path)).get("crt")?.[0] !== renews;
  }
  return { answered: 1, isCut: true };
}

/** Status messages within which a device that is online has tidied up, or never does. */
const SIGNS_MAX = 5;

/**
 * The records of a device that is online, once a certificate that is to be renewed has been and no new one is left to be
 * promoted: the broker has the status message before the device has its acknowledgement, which is when it does that.
 */
async function settled(rig: Rig, renews: string | undefined): Promise<Records> {
  for (let signs = 0; ; ) {
    const records = await readRecords(rig.board.flash.path);
    if (records.get("crt")?.[0] !== renews) {
      if (!records.has("crt_new") || signs === SIGNS_MAX) return records;
      signs += 1;
    }
    await rig.signOfLife();
  }
}

/** The boot after the cut. Returns everything that is wrong with it. */
async function recover(
  rig: Rig,
  attempts: readonly Credentials[],
  answered: number,
  { isEnrolled, renews }: Scenario,
): Promise<string[]> {
  const { deviceKey } = rig;
  const expected = { attempts, answered, deviceKey, isEnrolled };
  let records: Records;
  try {
    records = await readRecords(rig.board.flash.path);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  const faults = inconsistencies(records, expected);
  let wanted = inEffect(records, attempts);
  const end = rig.outcome();
  await rig.powerOn();
  if (wanted === undefined) {
    wanted = attempts[0];
    if (wanted === undefined || (await rig.provision(wanted))?.status !== 200)
      return [...faults, "it takes no new provisioning"];
  }
  if ((await end) !== "online") faults.push("it did not come online again");
  const after = await settled(rig, renews);
  faults.push(...inconsistencies(after, { ...expected, isEnrolled: true }));
  if (wanted !== undefined) faults.push(...unfinished(after, wanted));
  return faults;
}
