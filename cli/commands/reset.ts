import type { CommandContext } from "../context.js";
import type { ResetScope } from "../device/device-api.js";
import type { CommandResult } from "../output.js";
import { asTask } from "../progress.js";
import type { BoardOptions } from "./board-options.js";
import { onBoard } from "./on-board.js";

export interface ResetOptions extends BoardOptions {
  scope: ResetScope;
}

/** `prov reset`: the board forgets its WiFi (or everything but its key) and starts again. */
export function resetCommand(
  options: ResetOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return (context) =>
    onBoard(options, context, async ({ api, status }) => {
      await asTask(context.out, `reset ${options.scope}`, () =>
        api.reset(options.scope, context.signal),
      );
      const forgot =
        options.scope === "wifi"
          ? "its WiFi credentials"
          : "its WiFi credentials, tokens and certificates";
      return {
        json: { device: status.deviceId, scope: options.scope },
        text: `${status.deviceId} forgot ${forgot} and starts again.`,
      };
    });
}
