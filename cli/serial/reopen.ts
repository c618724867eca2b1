import { ProvError } from "../errors.js";
import { optional } from "../optional.js";
import { pause } from "../time/wait.js";
import type { SerialLink, UsbIdentity } from "./link.js";
import { openPort } from "./open-port.js";
import { findPortOf } from "./ports.js";

const POLL_MS = 200;

export interface ReopenRequest {
  /** The name that it had. */
  readonly spec: string;
  readonly usb: UsbIdentity;
  readonly baud?: number;
  /** Undefined: for as long as `signal` allows. */
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
  readonly find?: (usb: UsbIdentity, previousPath: string) => Promise<string | undefined>;
}

/**
 * Waits for a port that went away and opens it again: by the device's serial number where it has
 * one, because its name may be another one by now.
 * @throws ProvError port_lost when the time is up; or the abort reason
 */
export async function reopenPort(request: ReopenRequest): Promise<SerialLink> {
  const find = request.find ?? findPortOf;
  const startedAt = performance.now();
  const { usb, spec, signal, baud } = request;
  for (;;) {
    signal?.throwIfAborted();
    const path = usb.serialNumber === undefined ? spec : await find(usb, spec);
    if (path !== undefined) {
      try {
        return await openPort(path, { usb, ...optional({ baud, signal }) });
      } catch (error) {
        // Busy or forbidden right after it appeared: udev is still at work.
        if (!(error instanceof ProvError) || error.code === "usage") throw error;
      }
    }
    if (request.withinMs !== undefined && performance.now() - startedAt > request.withinMs) {
      throw new ProvError("port_lost", `${spec} did not come back`);
    }
    await pause(POLL_MS, signal);
  }
}
