import type { Verb } from "../verb.js";
import { type LabOptions, openLab, whichLab } from "./options/lab.js";

/** `prov lab info`: addresses and files of a running lab. */
export const labInfo: Verb<LabOptions> = {
  name: "info",
  summary: "show the addresses and files of a running lab",
  options: (command) => command.addOption(whichLab()),
  async action(options, context) {
    const { snakeKeys } = await import("../terminal/json-document.js");
    const lab = await openLab(options, context);
    const { baseUrl } = await lab.boardStatus();
    return {
      json: { lab: lab.info, baseUrl },
      text: JSON.stringify(snakeKeys({ ...lab.info, baseUrl }), null, 2),
    };
  },
};
