import { deviceError } from "../errors.js";
import { monitor } from "../serial/monitor.js";
import type { Milestone, Witness, WitnessReport } from "./outcome.js";

const TRANSITION = /state \w+ -> (\w+)/;
/** `W (1234) prov: error broker_unreachable CONNACK code 3`; prov_do_note_error() in prov_actions.c. */
const ERROR = /\bprov: error ([a-z_]+) ?(.*)$/;

const REACHED: Readonly<Record<string, Milestone>> = {
  WIFI_CONNECTED: "wifi",
  MQTT_CONNECTING: "certificate",
  MQTT_CONNECTED: "mqtt",
};

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
  const state = TRANSITION.exec(text)?.[1];
  if (state !== undefined) {
    const milestone = REACHED[state];
    if (milestone === undefined) return { kind: "progress", text: state };
    return { kind: "evidence", evidence: { witness: "log", milestone, detail: state } };
  }
  const [, code, detail = ""] = ERROR.exec(text) ?? [];
  if (code === undefined) return undefined;
  const error = deviceError(code, "");
  const message = detail === "" ? error.message : `${error.message} (${detail})`;
  return { kind: "failure", error: deviceError(code, message), final: false };
}
