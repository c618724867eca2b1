import type { CommandContext } from "../context.js";
import type { DeviceStatus } from "../device/device-api.js";
import type { CommandResult } from "../output.js";
import type { BoardOptions } from "./board-options.js";
import { onBoard } from "./on-board.js";
import { renderTable } from "./table.js";

/** `prov status`: what the board says of itself, over its AP. */
export function statusCommand(
  options: BoardOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return (context) =>
    onBoard(options, context, async ({ status, apSsid }) => {
      const rows = [
        ["device", status.deviceId],
        ["access point", apSsid],
        ["status", status.status],
        ["state", status.state],
        ["ip", status.ip || "none"],
        ["certificate", status.certificate ? "yes" : "no"],
        ["error", status.error ? `${status.error.code}: ${status.error.message}` : "none"],
        ["attempts remaining", String(status.attemptsRemaining)],
        ["firmware", status.firmware],
      ];
      return {
        json: { device: status.deviceId, ap: apSsid, status: asInTheApi(status) },
        text: renderTable(["", ""], rows).trim(),
      };
    });
}

/** As `GET /status` has it: there the firmware's version is `fw`. */
function asInTheApi({ firmware, ...status }: DeviceStatus): Record<string, unknown> {
  return { ...status, fw: firmware };
}
