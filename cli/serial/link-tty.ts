import { existsSync, write } from "node:fs";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { SerialPort } from "serialport";
import { ProvError } from "../errors.js";
import { hasCode } from "../system-error.js";
import { pause } from "../time/wait.js";
import {
  createLinkEvents,
  type ModemLines,
  portLost,
  type SerialLink,
  type UsbIdentity,
} from "./link.js";
import { noticeHangUp } from "./tty-read.js";

/** What serialport says of a terminal without modem lines, such as a pseudo-terminal. */
const NO_MODEM_LINES = /Inappropriate ioctl|ENOTTY|Invalid argument|cannot (get|set)/i;
/** How soon a full port is tried again: at 921600 baud it takes 90 bytes more by then. */
const FULL_MS = 1;
/** A port that takes nothing for so long is gone. */
const STALL_MS = 10_000;
const CONTROL_ANSWER_MS = 2_000;

const writeAsync = promisify(write);

/** Opens a local serial port. @throws ProvError port_not_found, port_busy, port_forbidden */
export async function openTtyLink(
  path: string,
  options: { baud: number; usb: UsbIdentity },
): Promise<SerialLink> {
  const { SerialPort } = await import("serialport");
  const port = new SerialPort({
    path,
    baudRate: options.baud,
    autoOpen: false,
    hupcl: false, // or closing the port would reset the board
    highWaterMark: 0x1_0000,
  });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(openError(path, error)) : resolve()));
  });
  noticeHangUp(port);
  const events = createLinkEvents(path);
  port.on("data", (bytes: Buffer) => events.emit(bytes));
  port.on("error", (error) => events.lose(error));
  const control = await openControl(`${path}.ctl`);
  let hasLines = true;
  let isClosing = false;
  port.on("close", (cause: unknown) => {
    if (!isClosing) events.lose(cause);
  });

  const setLines = async (lines: ModemLines): Promise<void> => {
    const lost = events.lost();
    if (lost) throw lost;
    if (control) return control.send(lines);
    if (hasLines) hasLines = await setPortLines(port, path, lines);
  };
  const close = async (): Promise<void> => {
    isClosing = true;
    control?.close();
    if (!port.isOpen) return;
    await new Promise<void>((resolve) => port.close(() => resolve()));
  };
  try {
    // The kernel has raised both lines; lowered at once, they neither reset nor select anything.
    await setLines({ dtr: false, rts: false });
  } catch (error) {
    await close();
    throw error;
  }

  return {
    spec: path,
    usb: options.usb,
    canReset: () => control !== undefined || hasLines,
    lost: events.lost,
    onData: events.onData,
    onLost: events.onLost,
    setLines,
    write: (bytes) => writePort(port, path, bytes, events),
    setBaud: (baudRate) =>
      new Promise((resolve, reject) => {
        port.update({ baudRate }, (error) => (error ? reject(portLost(path, error)) : resolve()));
      }),
    close,
  };
}

/** @returns false where the port has no modem lines */
function setPortLines(port: SerialPort, path: string, lines: ModemLines): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // All three, always: serialport takes an omitted line for a raised one.
    port.set({ dtr: lines.dtr, rts: lines.rts, brk: false }, (error) => {
      if (!error) resolve(true);
      else if (NO_MODEM_LINES.test(error.message)) resolve(false);
      else reject(portLost(path, error));
    });
  });
}

/**
 * Writes past serialport's own loop, on POSIX systems: there, waiting until the port takes more bytes
 * and waiting until it has some cancel each other out (its poller arms only the last one), so that a
 * write can hang for ever while an answer comes in.
 */
async function writePort(
  port: SerialPort,
  path: string,
  bytes: Uint8Array,
  events: { lost(): ProvError | undefined },
): Promise<void> {
  const fd = descriptorOf(port);
  let movedAt = performance.now();
  for (let done = 0; done < bytes.length; ) {
    const lost = events.lost();
    if (lost || !port.isOpen) throw lost ?? portLost(path);
    try {
      if (fd === undefined) return await writeWithSerialport(port, bytes);
      done += (await writeAsync(fd, bytes, done)).bytesWritten;
      movedAt = performance.now();
    } catch (error) {
      const isStalled = performance.now() - movedAt > STALL_MS;
      if (!isFull(error) || isStalled) throw portLost(path, error);
      await pause(FULL_MS);
    }
  }
}

function writeWithSerialport(port: SerialPort, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    port.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

function descriptorOf(port: SerialPort): number | undefined {
  const binding = port.port;
  const isPosix = process.platform !== "win32" && binding !== undefined && "fd" in binding;
  return isPosix && typeof binding.fd === "number" ? binding.fd : undefined;
}

function isFull(error: unknown): boolean {
  return hasCode(error, "EAGAIN") || hasCode(error, "EINTR");
}

function openError(path: string, error: Error): ProvError {
  const options = { cause: error };
  if (/cannot lock port|resource busy|EBUSY|temporarily unavailable/i.test(error.message)) {
    return new ProvError("port_busy", `${path} is in use by another program`, options);
  }
  if (/access denied/i.test(error.message) && process.platform === "win32") {
    return new ProvError("port_busy", `${path} is in use by another program`, options);
  }
  if (/permission denied|access denied|EACCES/i.test(error.message)) {
    return new ProvError("port_forbidden", `no permission to open ${path}`, options);
  }
  if (/no such file|file not found|ENOENT|no such device/i.test(error.message)) {
    return new ProvError("port_not_found", `there is no port ${path}`, options);
  }
  if (/inappropriate ioctl|is a directory|ENOTTY|EISDIR/i.test(error.message))
    return new ProvError("port_not_found", `${path} is no serial port`, {
      ...options,
      hint: "`prov ports` lists what is connected.",
    });
  const reason = error.message.replace(/^Error: /, "");
  return new ProvError("port_not_found", `${path} cannot be opened: ${reason}`, options);
}

interface Control {
  send(lines: ModemLines): Promise<void>;
  close(): void;
}

/** The modem lines of a virtual board's pseudo-terminal, which has a socket for them beside it. */
async function openControl(path: string): Promise<Control | undefined> {
  if (!existsSync(path)) return undefined;
  const socket = await new Promise<Socket | undefined>((resolve) => {
    const candidate = connect(path, () => resolve(candidate));
    candidate.on("error", () => resolve(undefined));
  });
  if (!socket) return undefined;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  socket.on("close", release);
  createInterface({ input: socket }).on("line", () => waiting.shift()?.());
  return {
    send: (lines) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, CONTROL_ANSWER_MS);
        waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
        socket.write(`${JSON.stringify({ dtr: lines.dtr, rts: lines.rts })}\n`);
        if (socket.destroyed) release();
      }),
    close: () => socket.destroy(),
  };
}
