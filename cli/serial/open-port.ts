import { optional } from "../optional.js";
import { DEFAULT_BAUD, parseNetworkSpec, type SerialLink, type UsbIdentity } from "./link.js";

/**
 * Opens a port: a path (`/dev/ttyUSB0`, `COM3`), `socket://host:port` or `rfc2217://host:port`.
 * @throws ProvError port_not_found, port_busy, port_forbidden, usage (malformed URL)
 */
export async function openPort(
  spec: string,
  options: { baud?: number; usb?: UsbIdentity; signal?: AbortSignal } = {},
): Promise<SerialLink> {
  options.signal?.throwIfAborted();
  const baud = options.baud ?? DEFAULT_BAUD;
  const url = /^(socket|rfc2217):\/\//.exec(spec);
  if (url) {
    const { openNetworkLink } = await import("./link-network.js");
    return openNetworkLink(spec, parseNetworkSpec(spec), {
      baud,
      ...optional({ signal: options.signal }),
    });
  }
  const { openTtyLink } = await import("./link-tty.js");
  return openTtyLink(spec, { baud, usb: options.usb ?? {} });
}
