import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { SerialPort } from "serialport";
import { expect, it, onTestFinished } from "vitest";
import { noticeHangUp } from "../../cli/serial/tty-read.js";
import { temporaryDir } from "../helpers/project.js";
import { run } from "../helpers/prov.js";

/** A port of serialport's whose descriptor is this one; `readable` is called when it waits for bytes. */
function portOn(fd: number, readable: () => void = () => {}) {
  const binding = {
    isOpen: true,
    fd,
    poller: {
      once(_event: "readable", callback: (error: Error | null) => void) {
        readable();
        setImmediate(callback, null);
      },
    },
    read: (_buffer: Buffer, _offset: number, _length: number): Promise<{ bytesRead: number }> => {
      throw new Error("serialport's own");
    },
  };
  noticeHangUp({ port: binding } as unknown as SerialPort);
  return { binding, read: () => binding.read(Buffer.alloc(8), 0, 8) };
}

/** A descriptor without bytes to read, until the test writes some. */
async function openPipe(): Promise<number> {
  const path = join(temporaryDir(), "fifo");
  expect((await run("mkfifo", [path])).code).toBe(0);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(fd));
  return fd;
}

it("a port that has hung up, and is read without bytes and without an error for ever, is lost", async () => {
  const fd = openSync("/dev/null", constants.O_RDONLY);
  onTestFinished(() => closeSync(fd));
  const { read } = portOn(fd);
  await expect(read()).rejects.toThrow("has hung up");
  await expect(read()).rejects.not.toHaveProperty("canceled");
});

it("a port without bytes is waited for, and one that is closed meanwhile is no loss", async () => {
  const fd = await openPipe();
  let waits = 0;
  const { binding, read } = portOn(fd, () => {
    waits += 1;
    if (waits === 2) writeSync(fd, "board");
    if (waits === 4) binding.isOpen = false;
  });
  expect(await read()).toMatchObject({ bytesRead: 5 });
  expect(waits).toBe(2);
  await expect(read()).rejects.toMatchObject({ canceled: true });
});

it("a port that is closed while it is read is not waited for: its poller is gone", async () => {
  const fd = await openPipe();
  let waits = 0;
  const { binding, read } = portOn(fd, () => {
    waits += 1;
  });
  const reading = read();
  binding.isOpen = false;
  await expect(reading).rejects.toMatchObject({ canceled: true });
  expect(waits).toBe(0);
});
