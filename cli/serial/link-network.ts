import { connect, type Socket } from "node:net";
import { ProvError } from "../errors.js";
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

function dial(spec: string, { host, port }: NetworkSpec, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const finish = (error?: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(error);
    };
    const refuse = (why: string, cause?: unknown): void =>
      finish(
        new ProvError("port_not_found", `${spec}: ${why}`, {
          cause,
          hint: "Check the address, and that something serves the port there.",
        }),
      );
    const onAbort = (): void => finish(signal?.reason ?? new Error("aborted"));
    const timer = setTimeout(() => refuse("nobody answers"), CONNECT_MS);
    signal?.addEventListener("abort", onAbort);
    socket.once("connect", () => finish());
    socket.on("error", (error: NodeJS.ErrnoException) => {
      refuse(error.code === "ECONNREFUSED" ? "the connection was refused" : error.message, error);
    });
  });
}
