/** `npm run test:answers -- [WORDS]`: answers of backends and chains of certificates, all or those whose name has the words. */
import { renderTable } from "../../cli/terminal/table.js";
import { openBench } from "./bench.js";
import { differences, type Row } from "./row.js";
import { TABLES } from "./tables.js";

/** As those of prov. */
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

// What is left to be tidied up is tidied up on the way out.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => process.exit(EXIT_INTERRUPTED));

const words = process.argv.slice(2).join(" ");
const rows = Object.entries(TABLES)
  .flatMap(([table, rows]) => rows.map((row) => ({ table, row })))
  .filter(({ table, row }) => `${table}: ${row.name}`.includes(words));
if (rows.length === 0) {
  say(`no row has "${words}"`);
  process.exit(EXIT_USAGE);
}

const bench = await openBench("answers");
const begin = performance.now();
const seconds = (): number => Math.round((performance.now() - begin) / 1000);
const printed: string[][] = [];
let failed = 0;
try {
  for (const { table, row } of rows) {
    const faults = await judge(row);
    failed += faults.length > 0 ? 1 : 0;
    const result = faults.length > 0 ? "DIFFERS" : "ok";
    const { verdict, sentence, asked, token, nvs } = row.expected;
    printed.push([table, row.name, verdict, sentence, asked, token, nvs, result]);
    say([`${seconds()} s: ${table}: ${row.name}: ${result}`, ...faults].join("\n  "));
  }
} finally {
  await bench.stop();
}
const head = ["table", "answer", "verdict", "sentence", "asked", "token", "nvs", ""];
process.stdout.write(`\n${renderTable(head, printed, process.stdout.columns)}\n`);
process.stdout.write(`\n${rows.length} rows in ${seconds()} s, ${failed} of them differ\n`);
process.exitCode = failed > 0 ? 1 : 0;

async function judge(row: Row): Promise<string[]> {
  try {
    return differences(row, await bench.look(row));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
