import { monitor } from "../serial/monitor.js";
import type { Milestone, Witness } from "./outcome.js";

const TRANSITION = /state \w+ -> (\w+)/;

const REACHED: Readonly<Record<string, Milestone>> = {
  WIFI_CONNECTED: "wifi",
  MQTT_CONNECTING: "certificate",
  MQTT_CONNECTED: "mqtt",
};

/** The board's serial log, which is there when its AP is not. */
export function logWitness(port: string, secrets: readonly string[]): Witness {
  return {
    name: "log",
    async watch(report, signal) {
      await monitor({
        port,
        signal,
        secrets,
        onLine: (line) => {
          const state = TRANSITION.exec(line.text)?.[1] ?? "";
          const milestone = REACHED[state];
          if (milestone)
            report({ kind: "evidence", evidence: { witness: "log", milestone, detail: state } });
        },
      });
    },
  };
}
