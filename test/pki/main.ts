/** `npm run test:pki -- [PKI…]`: the virtual board becomes a device of PKIs that other people wrote, and comes online. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderTable } from "../../cli/terminal/table.js";
import { KEY_ALGORITHMS } from "../../codegen/manifest-fields.js";
import { findCerttool } from "./certtool.js";
import { findCfssl } from "./cfssl.js";
import { findOpensslCa, findOpensslRsa4096 } from "./openssl-ca.js";
import { derBytes, type FindPki, type Pki } from "./pki.js";
import { findStepCa } from "./step-ca.js";
import { openWorld, type World } from "./world.js";

const PKIS: readonly (readonly [name: string, find: FindPki])[] = [
  ["openssl", findOpensslCa],
  ["rsa4096", findOpensslRsa4096],
  ["certtool", findCerttool],
  ["cfssl", findCfssl],
  ["step-ca", findStepCa],
];

/** As those of prov. */
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

const HEAD = ["PKI", "version", "key", "sent", "DER sent", "DER given", "online"];

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** @returns the last cells of a row, and whether it is online */
async function judge(world: World, pki: Pki): Promise<{ cells: string[]; isOnline: boolean }> {
  try {
    const { sent, givenBytes, onlineMs } = await world.enrol(pki);
    const [, ...issuers] = sent;
    const bytes = [derBytes(sent), givenBytes].map(String);
    const cells = [`leaf + ${issuers.length}`, ...bytes, `${onlineMs} ms`];
    return { cells, isOnline: true };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(why);
    return { cells: ["", "", "", `FAIL: ${why.split("\n", 1)[0]}`], isOnline: false };
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !PKIS.some(([known]) => known === name));
if (unknown.length > 0) {
  say(`no such PKI: ${unknown.join(", ")}; there are ${PKIS.map(([name]) => name).join(", ")}`);
  process.exit(EXIT_USAGE);
}
// What is left to be tidied up is tidied up on the way out.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => process.exit(EXIT_INTERRUPTED));
const dir = mkdtempSync(join(tmpdir(), "prov-pkis-"));
process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
const rows: string[][] = [];
let failed = 0;
const worlds: (readonly [algorithm: string, world: World])[] = [];
try {
  for (const algorithm of KEY_ALGORITHMS)
    worlds.push([algorithm, await openWorld(`pki-${algorithm}`, algorithm)]);
  for (const [, find] of PKIS.filter(([name]) => wanted.length === 0 || wanted.includes(name))) {
    const found = find();
    const { name, version } = found;
    if ("missing" in found) {
      say(`skipped: ${name} cannot be had (${found.missing})`);
      rows.push([name, version, "", "", "", "", "skipped"]);
      continue;
    }
    const pki = await found.open(mkdtempSync(join(dir, "pki-")));
    try {
      for (const [algorithm, world] of worlds) {
        const { cells, isOnline } = await judge(world, pki);
        if (!isOnline) failed += 1;
        const row = [name, version, algorithm, ...cells];
        say(row.join(", "));
        rows.push(row);
      }
    } finally {
      await pki.stop?.();
    }
  }
} finally {
  for (const [, world] of worlds) await world.stop();
}
process.stdout.write(`\n${renderTable(HEAD, rows, process.stdout.columns)}\n`);
process.exitCode = failed > 0 ? 1 : 0;
