import { afterAll, beforeAll, expect, it } from "vitest";
import { type Bench, openBench } from "../answers/bench.js";
import { differences, type Row } from "../answers/row.js";
import { TABLES } from "../answers/tables.js";

/** Of the rows of `npm run test:answers`, those for which `npm test` has the time. */
const SHORT: readonly (readonly [table: string, row: string])[] = [
  ["status", "100, 102, 103, 103, 201"],
  ["status", "302 HTML"],
  ["status", "403 HTML, then 200"],
  ["status", "200 HTML, then 403 JSON"],
  ["status, beside a certificate", "401 JSON"],
  ["200 with", "24576 bytes"],
  ["200 with", "the two as texts"],
  ["200 comes", "in chunks of one byte"],
  ["200 comes", "from a server that likes HTTP/2 better"],
  ["chain in order", "leaf; low, high, root"],
  ["chain in order", "an unreadable CA before the root"],
  ["PEM with", "no line ends"],
  ["certificate with", "serverAuth alone"],
];

let bench: Bench;

beforeAll(async () => {
  bench = await openBench("answers");
});

afterAll(() => bench.stop());

function rowOf(table: string, name: string): Row {
  const row = TABLES[table]?.find((each) => each.name === name);
  if (row === undefined) throw new Error(`${table} has no row "${name}"`);
  return row;
}

it.each(SHORT)("%s: %s", async (table, name) => {
  const row = rowOf(table, name);
  expect(differences(row, await bench.look(row))).toEqual([]);
});
