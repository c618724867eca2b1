import type { CommandContext } from "../context.js";
import { visible } from "../terminal/foreign-text.js";
import type { CommandResult } from "../terminal/output.js";
import { asTask } from "../terminal/progress.js";
import { renderTable } from "../terminal/table.js";
import { type OnBoardOptions, onBoard } from "./on-board.js";

/** `prov scan`: the networks that the board sees, strongest first. */
export function scanCommand(
  options: OnBoardOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return (context) =>
    onBoard(options, context, {
      joined: async ({ api, status }, inTime) => {
        const networks = await asTask(context.out, "scan", () => api.scan(inTime));
        const rows = networks.map(({ ssid, rssi, channel, secure }) => [
          visible(ssid),
          `${rssi} dBm`,
          String(channel),
          secure ? "secured" : "open",
        ]);
        return {
          json: { device: status.deviceId, networks, count: networks.length },
          text:
            networks.length === 0
              ? "The board sees no network."
              : renderTable(["SSID", "SIGNAL", "CHANNEL", "SECURITY"], rows, context.out.columns),
        };
      },
    });
}
