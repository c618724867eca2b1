import type { CommandContext } from "../context.js";
import type { CommandResult } from "../output.js";
import { asTask } from "../progress.js";
import type { BoardOptions } from "./board-options.js";
import { onBoard } from "./on-board.js";
import { renderTable } from "./table.js";

/** `prov scan`: the networks that the board sees, strongest first. */
export function scanCommand(
  options: BoardOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return (context) =>
    onBoard(options, context, async ({ api, status }) => {
      const networks = await asTask(context.out, "scan", () => api.scan(context.signal));
      const rows = networks.map(({ ssid, rssi, channel, secure }) => [
        ssid,
        `${rssi} dBm`,
        String(channel),
        secure ? "secured" : "open",
      ]);
      return {
        json: { device: status.deviceId, networks, count: networks.length },
        text:
          networks.length === 0
            ? "The board sees no network."
            : renderTable(["SSID", "SIGNAL", "CHANNEL", "SECURITY"], rows),
      };
    });
}
