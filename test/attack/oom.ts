import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tail } from "./board-log.js";
import { provision, renew } from "./oom-scenarios.js";
import { describeSite, isOfMbedtls, readSites, type Site } from "./oom-sites.js";
import { buildNvsTools, putRecord } from "./records.js";
import { openRig, type Rig } from "./rig.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** So many sites fail in one run, each in a part of it of its own where that is possible. */
const SITES_PER_RUN = { ours: 4, mbedtls: 24 } as const;
const TRIES = 3;

export interface OomOptions {
  readonly workers: number;
  /** After this, no further run begins. */
  readonly budgetMs: number;
  /** Every k-th site; 1 = all. */
  readonly every: number;
  readonly onProgress?: (tally: Tally) => void;
  /** A run that ended as none may. */
  readonly onFault?: (fault: string) => void;
}

export interface Tally {
  seen: number;
  tried: number;
  runs: number;
  /** Sites whose allocation never came again. */
  readonly missed: Site[];
  faults: number;
  /** How often a run ended so: online at once, or the failure that was named first. */
  readonly endings: Map<string, number>;
}

type ScenarioName = "provisioning" | "renewal";

/** How a run may end. Any other verdict blames somebody who has done nothing. */
const EXPECTED = /^(online|renewal later|does not start|storage_failed)$/;

interface Job {
  readonly scenario: ScenarioName;
  readonly site: Site;
  tries: number;
}

/** A board whose allocations can be made to fail. */
interface Bench {
  readonly rig: Rig;
  readonly folder: string;
  /** Of the build under the sanitizer. */
  readonly elf: string;
  readonly start: Readonly<Record<ScenarioName, Buffer>>;
  /** Of the renewal. */
  readonly aged: string;
}

/** Lets every allocation of provisioning and renewal fail once, and looks at how the board takes it. */
export async function failEachAllocation(name: string, options: OomOptions): Promise<Tally> {
  await buildNvsTools();
  const benches: Bench[] = [];
  try {
    for (let worker = 0; worker < options.workers; worker += 1)
      benches.push(await openBench(`${name}-${worker}`));
    return await work(benches, options);
  } finally {
    for (const { rig } of benches) await rig.stop();
  }
}

async function openBench(name: string): Promise<Bench> {
  const root = join(REPOSITORY, ".cache", "attack", name);
  const folder = join(root, "oom");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "fail"), "");
  const environment = {
    PROV_HOST_OOM: folder,
    ASAN_OPTIONS: "detect_leaks=0:malloc_context_size=12:abort_on_error=1",
  };
  const rig = await openRig(name, { variant: "oom", environment });
  rig.eraseNvs();
  const provisioning = rig.readNvs();
  await provision(rig);
  await rig.board.powerOff();
  const [certificate, ca] = rig.agedCertificate();
  await putRecord(rig.board.flash.path, "crt", [certificate, ca]);
  const elf = join(root, "oom-build", "prov_firmware");
  const start = { provisioning, renewal: rig.readNvs() };
  return { rig, folder, elf, start, aged: certificate };
}

async function work(benches: readonly Bench[], options: OomOptions): Promise<Tally> {
  const [first] = benches;
  if (first === undefined) throw new Error("no worker");
  const tally: Tally = { seen: 0, tried: 0, runs: 0, missed: [], faults: 0, endings: new Map() };
  const queue = await recordAll(first);
  tally.seen = queue.length;
  const chosen = queue.filter((_, index) => index % options.every === 0);
  const all = [...batchesOf(chosen, "ours"), ...batchesOf(chosen, "mbedtls")];
  const end = Date.now() + options.budgetMs;
  await Promise.all(
    benches.map(async (bench) => {
      for (let batch = all.shift(); batch !== undefined && Date.now() < end; batch = all.shift()) {
        const left = await attempt(bench, batch, tally, options);
        const again = left.filter((job) => job.tries < TRIES);
        tally.missed.push(...left.filter((job) => job.tries >= TRIES).map((job) => job.site));
        if (again.length > 0) all.push(again);
        options.onProgress?.(tally);
      }
    }),
  );
  return tally;
}

function batchesOf(jobs: readonly Job[], kind: keyof typeof SITES_PER_RUN): Job[][] {
  const ofKind = jobs.filter((job) => isOfMbedtls(job.site) === (kind === "mbedtls"));
  return (["provisioning", "renewal"] as const).flatMap((scenario) =>
    inBatches(
      ofKind.filter((job) => job.scenario === scenario),
      SITES_PER_RUN[kind],
    ),
  );
}

/** Each takes jobs from all over the scenario, in which they came one after the other. */
function inBatches(jobs: readonly Job[], size: number): Job[][] {
  const count = Math.ceil(jobs.length / size);
  return Array.from({ length: count }, (_, first) =>
    jobs.filter((_, index) => index % count === first),
  );
}

async function recordAll(bench: Bench): Promise<Job[]> {
  const known = new Set<string>();
  const jobs: Job[] = [];
  for (const scenario of ["provisioning", "renewal"] as const) {
    const seen = join(bench.folder, "seen");
    writeFileSync(seen, "");
    await runScenario(bench, scenario, []);
    for (const site of await readSites(seen, bench.elf)) {
      if (!known.has(site.key)) jobs.push({ scenario, site, tries: 0 });
      known.add(site.key);
    }
    rmSync(seen);
  }
  return jobs;
}

/** @returns the jobs whose site was not reached */
async function attempt(
  bench: Bench,
  batch: readonly Job[],
  tally: Tally,
  { onFault }: OomOptions,
): Promise<Job[]> {
  const names = batch.map((job) => job.site.name);
  const { fault, ending } = await runScenario(bench, batch[0]?.scenario ?? "provisioning", names);
  const struck = new Set(readFileSync(join(bench.folder, "struck"), "utf8").split("\n"));
  tally.runs += 1;
  tally.endings.set(ending, (tally.endings.get(ending) ?? 0) + 1);
  const hit = batch.filter((job) => struck.has(job.site.name));
  tally.tried += hit.length;
  // Where one of them ends the scenario, the others have their turn in the next run.
  for (const job of batch) job.tries += hit.length > 0 ? 0 : 1;
  const sites = hit.map((job) => `  ${describeSite(job.site)}`).join("\n");
  const told = fault ?? (EXPECTED.test(ending) ? undefined : `ended with ${ending}`);
  if (told !== undefined) {
    tally.faults += 1;
    onFault?.(`${told}\n${sites}\n${tail(bench.rig.board)}`);
  }
  return batch.filter((job) => !struck.has(job.site.name));
}

interface Outcome {
  readonly fault?: string;
  readonly ending: string;
}

async function runScenario(
  { rig, folder, start, aged }: Bench,
  scenario: ScenarioName,
  names: readonly string[],
): Promise<Outcome> {
  const crashes: string[] = [];
  const forget = rig.lab.events.subscribe((event) => {
    if (event.what === "crash") crashes.push(event.detail ?? "crash");
  });
  writeFileSync(join(folder, "fail"), names.map((name) => `${name}\n`).join(""));
  writeFileSync(join(folder, "struck"), "");
  rig.writeNvs(start[scenario]);
  let ending: string;
  try {
    ending = await (scenario === "renewal" ? renew(rig, aged) : provision(rig));
  } catch (error) {
    ending = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    crashes.push(ending);
  }
  await rig.board.powerOff();
  forget();
  const [fault] = crashes;
  return { ending, ...(fault === undefined ? {} : { fault: `${scenario}: ${fault}` }) };
}
