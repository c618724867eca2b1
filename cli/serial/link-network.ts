import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { ProvError } from "../errors.js";
import { hasCode, reasonOf } from "../system-error.js";
import { deadline } from "../time/deadline.js";
import {
  createLinkEvents,
  type ModemLines,
  type NetworkSpec,
  portLost,
  type SerialLink,
} from "./link.js";
import { createComPortClient } from "./rfc2217-client.js";

const CONNECT_MS = 5_000;

/** Opens a port on another machine. @throws ProvError port_not_found when nobody answers there */
export async function openNetworkLink(
  spec: string,
  where: NetworkSpec,
  options: { baud: number; signal?: AbortSignal },
): Promise<SerialLink> {
  const socket = await dial(spec, where, options.signal);
  socket.setNoDelay(true);
  const events = createLinkEvents(spec);
  let isClosing = false;
  socket.on("error", (error) => events.lose(error));
  socket.on("close", () => {
    if (!isClosing) events.lose();
  });
  const send = (bytes: Uint8Array): Promise<void> => {
    const lost = events.lost();
    if (lost) return Promise.reject(lost);
    return new Promise((resolve, reject) => {
      socket.write(bytes, (error) => (error ? reject(portLost(spec, error)) : resolve()));
    });
  };
  const close = async (): Promise<void> => {
    isClosing = true;
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.end(() => socket.destroy());
    });
  };
  const common = {
    spec,
    usb: {},
    lost: events.lost,
    onData: events.onData,
    onLost: events.onLost,
    close,
  };

  if (where.protocol === "socket") {
    socket.on("data", events.emit);
    return {
      ...common,
      write: send,
      canReset: () => false,
      setLines: async () => {},
      setBaud: async () => {},
    };
  }
  const remote = createComPortClient({ send, onData: events.emit });
  socket.on("data", remote.feed);
  const stopWaiting = events.onLost(() => remote.stop());
  try {
    await remote.start(options.baud);
  } catch (error) {
    await close();
    throw events.lost() ?? error;
  } finally {
    stopWaiting();
  }
  events.onLost(() => remote.stop());
  let now: ModemLines = { dtr: false, rts: false };
  return {
    ...common,
    canReset: () => true,
    write: (bytes) => send(remote.escape(bytes)),
    setBaud: remote.setBaud,
    async setLines(lines) {
      // One at a time, in the order that passes through a harmless state: on the way into the
      // loader DTR rises before RTS falls, in every other case RTS goes first.
      const isDtrFirst = lines.dtr && !now.dtr;
      if (isDtrFirst) await remote.setDtr(lines.dtr);
      if (lines.rts !== now.rts) await remote.setRts(lines.rts);
      if (!isDtrFirst && lines.dtr !== now.dtr) await remote.setDtr(lines.dtr);
      now = lines;
    },
  };
}

async function dial(
  spec: string,
  { host, port }: NetworkSpec,
  signal?: AbortSignal,
): Promise<Socket> {
  const inTime = deadline(CONNECT_MS, ...(signal === undefined ? [] : [signal]));
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal: inTime });
    return socket;
  } catch (error) {
    socket.destroy();
    signal?.throwIfAborted();
    const hint = "Check the address, and that something serves the port there.";
    if (inTime.aborted) throw new ProvError("port_not_found", `${spec}: nobody answers`, { hint });
    const isRefused = hasCode(error, "ECONNREFUSED");
    const why = isRefused ? "the connection was refused" : reasonOf(error);
    throw new ProvError("port_not_found", `${spec}: ${why}`, { cause: error, hint });
  }
}
