/** `npm run test:peers -- [BROKER…]`: the device and prov at brokers that other people wrote. */
import { setTimeout as delay } from "node:timers/promises";
import { renderTable } from "../../cli/terminal/table.js";
import { longer } from "../helpers/longer.js";
import { CHECKS, type Check } from "./checks.js";
import { findEmbedded } from "./embedded.js";
import { findMochi } from "./mochi.js";
import { findMoquette } from "./moquette.js";
import { findMosquitto } from "./mosquitto.js";
import type { FindPeer, Peer } from "./peer.js";
import { findRabbitmq } from "./rabbitmq.js";
import { openWorld, type World } from "./world.js";

const PEERS: readonly (readonly [name: string, find: FindPeer])[] = [
  ["embedded", findEmbedded],
  ["mosquitto", findMosquitto],
  ["rabbitmq", findRabbitmq],
  ["moquette", findMoquette],
  ["mochi", findMochi],
];

/** A bound for what hangs; each wait within a check has a shorter one. */
const CHECK_MS = 240_000;

/** As those of prov. */
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

interface Verdict {
  readonly check: string;
  readonly result: "pass" | "FAIL" | "n.a.";
  readonly remark: string;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function judge(world: World, peer: Peer, check: Check): Promise<Verdict> {
  const cannot = peer.cannot[check.policy];
  if (cannot !== undefined) return { check: check.name, result: "n.a.", remark: cannot };
  try {
    if (check.policy === "mute" || check.policy === "closed")
      await peer.start({ policy: check.policy });
    const tooLate = delay(longer(CHECK_MS), undefined, { ref: false }).then((): never => {
      throw new Error("it hangs");
    });
    const remark = await Promise.race([check.run(world, peer), tooLate]);
    return { check: check.name, result: "pass", remark };
  } catch (error) {
    const remark = error instanceof Error ? error.message : String(error);
    return { check: check.name, result: "FAIL", remark };
  }
}

async function judgeAll(world: World, open: () => Promise<Peer>): Promise<Verdict[]> {
  const peer = await open();
  const verdicts: Verdict[] = [];
  try {
    await peer.start({ policy: "open" });
    for (const check of CHECKS) {
      const verdict = await judge(world, peer, check);
      say(`${peer.name}: ${check.name}: ${verdict.result}: ${verdict.remark}`);
      verdicts.push(verdict);
    }
    return verdicts;
  } finally {
    await (peer.close ?? peer.stop)();
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !PEERS.some(([known]) => known === name));
if (unknown.length > 0) {
  const known = PEERS.map(([name]) => name).join(", ");
  say(`no such broker: ${unknown.join(", ")}; there are ${known}`);
  process.exit(EXIT_USAGE);
}
// What is left to be tidied up is tidied up on the way out.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => process.exit(EXIT_INTERRUPTED));
const rows: string[][] = [];
let failed = 0;
const world = await openWorld();
try {
  for (const [, find] of PEERS.filter(([name]) => wanted.length === 0 || wanted.includes(name))) {
    const found = find();
    if ("missing" in found) {
      say(`skipped: ${found.name} cannot be had (${found.missing})`);
      rows.push([found.name, ...CHECKS.map(() => "skipped")]);
      continue;
    }
    const verdicts = await judgeAll(world, () => found.open(world.place()));
    failed += verdicts.filter(({ result }) => result === "FAIL").length;
    rows.push([found.name, ...verdicts.map(({ result }) => result)]);
  }
} finally {
  await world.stop();
}
const head = ["broker", ...CHECKS.map(({ name }) => name)];
process.stdout.write(`\n${renderTable(head, rows, process.stdout.columns)}\n`);
process.exitCode = failed > 0 ? 1 : 0;
