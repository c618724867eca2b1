import type { CommandContext } from "../context.js";
import { listPorts, usbIds } from "../serial/ports.js";
import { visible } from "../terminal/foreign-text.js";
import type { CommandResult } from "../terminal/output.js";
import { renderTable } from "../terminal/table.js";

/** `prov ports`: the serial ports of this machine and what is on them. */
export function portsCommand(): (context: CommandContext) => Promise<CommandResult> {
  return async ({ out }) => {
    const ports = await listPorts();
    const rows = ports.map((port) => [
      port.path,
      port.name,
      usbIds(port),
      visible(port.serialNumber ?? ""),
    ]);
    return {
      json: { ports },
      text:
        ports.length === 0
          ? "No serial ports. Is the board connected, and does the cable carry data?"
          : renderTable(["PORT", "WHAT", "VID:PID", "SERIAL"], rows, out.columns),
    };
  };
}
