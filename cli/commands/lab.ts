import type { VerbGroup } from "../verb.js";
import { labBoard } from "./lab-board.js";
import { labInfo } from "./lab-info.js";
import { labToken } from "./lab-token.js";
import { labUp } from "./lab-up.js";

/** `prov lab …`: the virtual board and what surrounds it. */
export const lab: VerbGroup = {
  name: "lab",
  summary: "the virtual board with its own backend, broker and air",
  verbs: [labUp, labToken, labInfo, labBoard],
};
