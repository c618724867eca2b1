import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { startProgram, type Variant } from "./host-port.js";
import { temporaryDir } from "./project.js";

/** One outgoing connection of the board; see test/firmware/host-port/connection.c. */
export interface Attempt {
  /** Default: localhost. "!" before it: without a network; "?": without DNS. */
  readonly host?: string;
  readonly port: number;
  /** Default: "t". */
  readonly options?: string;
  readonly steps?: string;
  /** PEM. */
  readonly ca?: string;
  readonly certPem?: string;
  readonly keyPem?: string;
}

export type Case = readonly [what: string, attempt: Attempt, expected: string];

/** Lets a board make the connections, one after the other, and judges what it says of each. */
export async function expectAll(variant: Variant, cases: readonly Case[]): Promise<void> {
  const results = await attemptAll(
    variant,
    cases.map(([, attempt]) => attempt),
  );
  expect(results.map((result, i) => `${cases[i]?.[0]}: ${result}`)).toEqual(
    cases.map(([what, , expected]) => `${what}: ${expected}`),
  );
}

async function attemptAll(variant: Variant, attempts: readonly Attempt[]): Promise<string[]> {
  const dir = temporaryDir();
  let files = 0;
  const file = (text: string | undefined): string => {
    if (text === undefined) return "-";
    const path = join(dir, String(files++));
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const program = startProgram("connection", variant, { env: { PROV_HOST_CLOCK: "real" } });
  const results: string[] = [];
  for (const {
    host = "localhost",
    port,
    options = "t",
    steps = "",
    ca,
    certPem,
    keyPem,
  } of attempts) {
    const files = [file(ca), file(certPem), file(keyPem)];
    program.write([host, port, options, steps, ...files].join("\t"));
    results.push(await program.next(/^(open|closed)/));
  }
  program.end();
  const { status, stderr } = await program.finished();
  if (status !== 0 || stderr !== "") throw new Error(`${status}: ${stderr}`);
  return results;
}

/** What it says of a connection that does not come about. */
export function refusal(
  tls: number,
  stack = 0,
  more: { flags?: number; errno?: number; alert?: number; shown?: number } = {},
) {
  const { flags = 0, errno = 0, alert = -1, shown = 0 } = more;
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return `closed tls=${hex(tls)} stack=${hex(stack)} flags=${hex(flags)} errno=${errno} alert=${alert} shown=${shown}`;
}
