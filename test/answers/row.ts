import { type FailureCode, isFailureCode } from "../../codegen/failures.js";
import type { Chain, Material } from "./material.js";
import type { Wire } from "./wire.js";

/** What the backend says to the first request, the second, …; the last is repeated. A chain goes in a good answer. */
export type Sent = Wire | readonly Wire[] | Chain;
export type Script = (material: Material) => Sent | Promise<Sent>;
export type Scripts = Readonly<Record<string, Script>>;

/** What is sent to the device, and all that is to come of it. */
export interface Row {
  readonly name: string;
  readonly script: Script;
  /** A board that knows nothing yet, or one that is online with a certificate and gets a new token. */
  readonly from: Start;
  readonly expected: Expected;
}

export type Start = "nothing" | "online";

export interface Expected {
  /** `online`, or the failure's code. */
  readonly verdict: "online" | FailureCode;
  /** The words in brackets after the failure's own; "" for none. */
  readonly sentence: string;
  /** How often the backend was asked until then: a failure that may pass gets its name after two useless answers. */
  readonly asked: string;
  /** The provisioning token: `spent` or `kept`. */
  readonly token: string;
  /** Which of `crt`, `crt_new` and `enrol` there are. */
  readonly nvs: string;
  /** What the device's log says besides; "" for nothing that matters. */
  readonly log: string;
}

/** The same as it was seen. */
export interface Seen {
  readonly verdict: string;
  readonly sentence: string;
  readonly asked: string;
  readonly token: string;
  readonly nvs: string;
  readonly lines: readonly string[];
  /** The log has the token in it. */
  readonly leaks: boolean;
}

/**
 * Rows from lines: name | verdict | sentence | asked | token | nvs | log, the last of which may be left out.
 * @param scripts by name; `byName` makes those that are not there
 * @throws when a line is malformed, and when a line or a script is alone
 */
export function table(
  text: string,
  scripts: Scripts,
  { byName, from = "nothing" }: { byName?: (name: string) => Script; from?: Start } = {},
): Row[] {
  const rows = text
    .trim()
    .split("\n")
    .map((line): Row => {
      const [name = "", verdict = "", sentence = "", asked = "", token = "", nvs, log = ""] = line
        .split("|")
        .map((cell) => cell.trim());
      const script = scripts[name] ?? byName?.(name);
      const isVerdict = verdict === "online" || isFailureCode(verdict);
      if (script === undefined || !isVerdict || nvs === undefined)
        throw new Error(`no row: ${line}`);
      return { name, script, from, expected: { verdict, sentence, asked, token, nvs, log } };
    });
  const names = rows.map(({ name }) => name);
  const alone = Object.keys(scripts).filter((name) => !names.includes(name));
  if (alone.length > 0 || new Set(names).size < names.length)
    throw new Error(`scripts without a row, or rows of one name: ${alone.join(", ")}`);
  return rows;
}

/** Every way in which what was seen is not what was expected; empty when all is well. */
export function differences({ expected }: Row, seen: Seen): string[] {
  const faults: string[] = [];
  for (const column of ["verdict", "sentence", "asked", "token", "nvs"] as const)
    if (seen[column] !== expected[column])
      faults.push(`${column}: expected "${expected[column]}", saw "${seen[column]}"`);
  if (!seen.lines.some((line) => line.includes(expected.log)))
    faults.push(`the log lacks "${expected.log}"`);
  if (seen.leaks) faults.push("the log has the token");
  return faults;
}
