import { visible } from "../terminal/foreign-text.js";
import type { Verb } from "../verb.js";

/** `prov ports`: the serial ports of this machine and what is on them. */
export const ports: Verb<unknown> = {
  name: "ports",
  summary: "list serial ports and the boards on them",
  async action(_options, { out }) {
    const { listPorts, usbIds } = await import("../serial/ports.js");
    const { renderTable } = await import("../terminal/table.js");
    const found = await listPorts();
    const rows = found.map((port) => [
      port.path,
      port.name,
      usbIds(port),
      visible(port.serialNumber ?? ""),
    ]);
    return {
      json: { ports: found },
      text:
        found.length === 0
          ? "No serial ports. Is the board connected, and does the cable carry data?"
          : renderTable(["PORT", "WHAT", "VID:PID", "SERIAL"], rows, out.columns),
    };
  },
};
