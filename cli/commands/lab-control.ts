import { DEVICE_ID_PATTERN } from "../../codegen/device-keys.js";
import type { CommandContext, GlobalOptions } from "../context.js";
import { ProvError } from "../errors.js";
import { loadManifestFor } from "../flow/project.js";
import { findLab, type LabClient } from "../lab/client.js";
import type { BoardAction } from "../lab/control.js";
import { snakeKeys } from "../terminal/json-document.js";
import type { CommandResult } from "../terminal/output.js";

export interface LabOptions extends GlobalOptions {
  name: string;
}

/** The words of the command line for what can be done to the board. */
export const BOARD_ACTIONS: Readonly<Record<string, BoardAction>> = {
  on: "power_on",
  off: "power_off",
  cut: "cut_power",
  reset: "reset",
  press: "press",
  release: "release",
};

type Run = (context: CommandContext) => Promise<CommandResult>;

/** `prov lab token DEVICE`: a single-use provisioning token; stdout holds nothing else. */
export function labTokenCommand(options: LabOptions, deviceId: string): Run {
  return async (context) => {
    if (!DEVICE_ID_PATTERN.test(deviceId))
      throw new ProvError("usage", "a device id is 1 to 64 of A-Z, a-z, 0-9, _ and -");
    const lab = await openLab(options, context);
    const token = await lab.issueToken(deviceId);
    return { json: { device: deviceId, token }, text: token };
  };
}

/** `prov lab info`: addresses and files of a running lab. */
export function labInfoCommand(options: LabOptions): Run {
  return async (context) => {
    const lab = await openLab(options, context);
    const { baseUrl } = await lab.boardStatus();
    return {
      json: { lab: lab.info, baseUrl },
      text: JSON.stringify(snakeKeys({ ...lab.info, baseUrl }), null, 2),
    };
  };
}

/** `prov lab board ACTION`: the hands at the virtual board. */
export function labBoardCommand(options: LabOptions, action: string): Run {
  return async (context) => {
    const known = Object.hasOwn(BOARD_ACTIONS, action) ? BOARD_ACTIONS[action] : undefined;
    if (!known) {
      throw new ProvError(
        "usage",
        `expected one of ${Object.keys(BOARD_ACTIONS).join(", ")}, got "${action}"`,
      );
    }
    const lab = await openLab(options, context);
    const { state, baseUrl } = await lab.board(known);
    return { json: { action, state, baseUrl }, text: `board: ${action}, now ${state}` };
  };
}

async function openLab(options: LabOptions, context: CommandContext): Promise<LabClient> {
  const { root } = await loadManifestFor(options, context);
  return findLab(root, options.name);
}
