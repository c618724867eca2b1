import { ProvError } from "../errors.js";
import { DEFAULT_BAUD, type NetworkSpec, type SerialLink, type UsbIdentity } from "./link.js";

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
    return openNetworkLink(spec, parseNetworkSpec(spec), { baud, ...pick(options.signal) });
  }
  const { openTtyLink } = await import("./link-tty.js");
  return openTtyLink(spec, { baud, usb: options.usb ?? {} });
}

/** @throws ProvError usage */
export function parseNetworkSpec(spec: string): NetworkSpec {
  const match = /^(socket|rfc2217):\/\/(\[[0-9a-fA-F:]+\]|[^:/?#]+):(\d{1,5})\/?(?:[?#].*)?$/.exec(
    spec,
  );
  const [, protocol, host, portText] = match ?? [];
  const port = Number(portText);
  if (!host || !protocol || !(port >= 1 && port <= 65_535)) {
    throw new ProvError("usage", `${spec}: expected ${protocol ?? "socket"}://HOST:PORT`);
  }
  const isRfc2217 = protocol === "rfc2217";
  return { protocol: isRfc2217 ? "rfc2217" : "socket", host: host.replace(/^\[|\]$/g, ""), port };
}

function pick(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
