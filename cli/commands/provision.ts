import { Option } from "commander";
import type { Milestone } from "../../codegen/states.js";
import { bestEvidence, boardReport } from "../flow/evidence.js";
import { boundsOf } from "../flow/timeouts.js";
import type { Verb } from "../verb.js";
import { withBoardOptions, withProvisioningOptions, withTimeout } from "./options/groups.js";
import type { ProvisioningOptions } from "./options/provisioning.js";
import { port } from "./options/values.js";

interface ProvisionOptions extends ProvisioningOptions {
  wait?: Milestone;
}

/** `prov provision`: credentials in, evidence out. */
export const provision: Verb<ProvisionOptions> = {
  name: "provision",
  summary: "give the board its WiFi and tokens; prove that it came online",
  options: (command) =>
    withTimeout(
      withProvisioningOptions(withBoardOptions(command)).addOption(
        new Option("--wait <what>", "how far to wait").choices([
          "wifi",
          "certificate",
          "mqtt",
        ] satisfies Milestone[]),
      ),
    ).option("--port <port>", "serial port of the board: its log is one more witness", port),
  async action(options, context) {
    const { provisionBoard } = await import("../flow/provision-board.js");
    const { withStageReport } = await import("../flow/stage-report.js");
    const { checkProvisioning, readProvisioning } = await import("./options/provisioning.js");
    return withStageReport("prov provision", options, context, {
      check: () => checkProvisioning(options, context.env),
      work: async (project, clock) => {
        const { manifest } = project;
        const { credentials, reach } = await readProvisioning(options, project, context);
        const board = await provisionBoard({
          ...reach,
          ...boundsOf(options.timeout),
          goal: options.wait,
          manifest,
          credentials,
          clock,
          signal: context.signal,
          progress: context.out,
        });
        const state = board.alreadyOnline ? "was online already, nothing was changed" : "is online";
        return {
          json: {
            device: manifest.id,
            ...(board.attemptId === undefined ? {} : { attempt_id: board.attemptId }),
            ...boardReport(board),
            stages: clock.records,
          },
          text: `${manifest.id} ${state}: ${bestEvidence(board.outcome)}`,
        };
      },
    });
  },
};
