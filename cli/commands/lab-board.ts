import { ProvError } from "../errors.js";
import type { BoardAction } from "../lab/control.js";
import type { Verb } from "../verb.js";
import { type LabOptions, openLab, whichLab } from "./options/lab.js";

/** The words of the command line for what can be done to the board. */
const ACTIONS: ReadonlyMap<string, BoardAction> = new Map([
  ["on", "power_on"],
  ["off", "power_off"],
  ["cut", "cut_power"],
  ["reset", "reset"],
  ["press", "press"],
  ["release", "release"],
]);

/** `prov lab board ACTION`: the hands at the virtual board. */
export const labBoard: Verb<LabOptions> = {
  name: "board",
  summary: "power, reset or press the button of the virtual board",
  options: (command) =>
    command
      .argument(
        "<action>",
        "on, off, cut (pull the plug), reset, press or release (the BOOT button)",
      )
      .addOption(whichLab()),
  async action(options, context, word = "") {
    const action = ACTIONS.get(word);
    if (!action)
      throw new ProvError(
        "usage",
        `expected one of ${[...ACTIONS.keys()].join(", ")}, got "${word}"`,
      );
    const lab = await openLab(options, context);
    const { state, baseUrl } = await lab.board(action);
    return { json: { action: word, state, baseUrl }, text: `board: ${word}, now ${state}` };
  },
};
