import { DEVICE_FAILURES, isFailureCode } from "../../codegen/failures.js";
import { findState, parseTransition } from "../../codegen/states.js";
import { deviceError } from "../errors.js";
import { monitor } from "../serial/monitor.js";
import type { Witness, WitnessReport } from "./outcome.js";

/** `W (1234) prov: error broker_unreachable CONNACK code 3`; prov_do_note_error() in prov_actions.c. */
const ERROR = /\bprov: error ([a-z_]+) ?(.*)$/;

/** The board's serial log, which is there when its AP is not. */
export function logWitness(port: string, secrets: readonly string[]): Witness {
  return {
    name: "log",
    speaksFor: "device",
    async watch(report, signal) {
      await monitor({
        port,
        signal,
        secrets,
        onLine: (line) => {
          const said = judgeLogLine(line.text);
          if (said) report(said);
        },
      });
    },
  };
}

/** What a line of the log tells of the device. An error in it is never final: it may be that of one try of many. */
export function judgeLogLine(text: string): WitnessReport | undefined {
  const state = parseTransition(text)?.to;
  if (state !== undefined) {
    const milestone = findState(state)?.milestone;
    if (!milestone) return { kind: "progress", text: state };
    return { kind: "evidence", evidence: { witness: "log", milestone, detail: state } };
  }
  const [, code, detail = ""] = ERROR.exec(text) ?? [];
  if (code === undefined) return undefined;
  const isExplained = detail !== "" && isFailureCode(code);
  const message = isExplained ? `${DEVICE_FAILURES[code].message} (${detail})` : detail;
  return { kind: "failure", error: deviceError(code, message), final: false };
}
