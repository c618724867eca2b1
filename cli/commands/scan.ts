import { visible } from "../terminal/foreign-text.js";
import type { Verb } from "../verb.js";
import type { OnBoardOptions } from "./options/board.js";
import { askedPort, withAskingOptions } from "./options/groups.js";

/** `prov scan`: the networks that the board sees, strongest first. */
export const scan: Verb<OnBoardOptions> = {
  name: "scan",
  summary: "list the WiFi networks that the board sees",
  options: (command) => withAskingOptions(command).addOption(askedPort()),
  async action(options, context) {
    const { onBoardOf } = await import("./options/board.js");
    const { asTask } = await import("../terminal/progress.js");
    const { renderTable } = await import("../terminal/table.js");
    return onBoardOf(options, context, {
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
  },
};
