import { read } from "node:fs";
import { promisify } from "node:util";
import type { SerialPort } from "serialport";
import { hasCode } from "../system-error.js";

const EMPTY = ["EAGAIN", "EWOULDBLOCK", "EINTR"] as const;

const readAsync = promisify(read);

/** What serialport's bindings of POSIX systems have beside their common interface. */
interface PosixBinding {
  readonly isOpen: boolean;
  readonly fd: number;
  /** Calls back once: with an error when the port is closed meanwhile. */
  readonly poller: {
    once(event: "readable", callback: (error: Error | null) => void): unknown;
  };
  read(
    buffer: Buffer,
    offset: number,
    length: number,
  ): Promise<{ buffer: Buffer; bytesRead: number }>;
}

/**
 * Makes an open port tell when it has hung up: its device was unplugged, the other end of a pty closed. From then on
 * Linux answers each read with no bytes and no error (`hung_up_tty_read`, drivers/tty/tty_io.c); serialport reads again
 * at once, for ever, and never says that the port is gone.
 */
export function noticeHangUp(port: SerialPort): void {
  const binding: unknown = port.port;
  if (!isPosix(binding)) return;
  binding.read = (buffer, offset, length) => readOrHangUp(binding, buffer, offset, length);
}

async function readOrHangUp(binding: PosixBinding, buffer: Buffer, offset: number, length: number) {
  for (;;) {
    throwIfClosed(binding);
    const bytesRead = await readAsync(binding.fd, buffer, offset, length, null).then(
      (result) => result.bytesRead,
      passEmpty,
    );
    if (bytesRead === 0) throw new Error("the port has hung up");
    if (bytesRead !== undefined) return { buffer, bytesRead };
    // A poller that is asked for more once its port is closed takes the process down.
    throwIfClosed(binding);
    await readable(binding);
  }
}

/** serialport takes an error for a loss of the port unless it is `canceled`. */
function throwIfClosed({ isOpen }: PosixBinding): void {
  if (!isOpen) throw Object.assign(new Error("the port is closed"), { canceled: true });
}

/** Undefined when there is nothing to read yet. */
function passEmpty(error: unknown): undefined {
  if (!EMPTY.some((code) => hasCode(error, code))) throw error;
}

function readable({ poller }: PosixBinding): Promise<void> {
  return new Promise((resolve, reject) => {
    poller.once("readable", (error) => (error ? reject(error) : resolve()));
  });
}

function isPosix(binding: unknown): binding is PosixBinding {
  return (
    process.platform !== "win32" &&
    typeof binding === "object" &&
    binding !== null &&
    "poller" in binding &&
    "fd" in binding &&
    typeof binding.fd === "number"
  );
}
