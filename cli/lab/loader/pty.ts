import { once } from "node:events";
import { existsSync, lstatSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { z } from "zod";
import { ProvError } from "../../errors.js";
import { hasExited, spawnBound, stopChild } from "../../processes/child.js";
import { requireProgram } from "../../processes/on-path.js";
import { pause } from "../../time/wait.js";
import { followConnections } from "../server/listen.js";
import type { Line } from "./line.js";

/** socat takes milliseconds, but on a busy machine it may have to wait for its turn. */
const READY_MS = 60_000;
const POLL_MS = 10;
const STOP_MS = 2_000;
/** A UART without a listener loses bytes; so does this one instead of filling memory. */
const MAX_UNREAD = 0x1_0000;
/** A unix socket's path has room for 107 bytes; the longest suffix is `.ctl`. */
const MAX_PATH = 103;

const linesSchema = z.object({
  dtr: z.boolean().exactOptional(),
  rts: z.boolean().exactOptional(),
});

/** A port that stands for the line; closing it is like pulling the cable. */
export interface OpenEnd {
  /** Resolves when nothing of it is left, also when it is closing already. */
  close(): Promise<void>;
}

/**
 * A pseudo-terminal at `link`, with `<link>.ctl` for the modem lines that a pty does not have: one
 * JSON object `{"dtr":bool,"rts":bool}` per line, each answered with one when it has taken effect.
 * @throws ProvError tool_missing without socat, lab_failed when no pty appears
 */
export async function openPty(
  link: string,
  line: Line,
  setLines: (lines: { dtr?: boolean; rts?: boolean }) => void,
): Promise<OpenEnd> {
  if (Buffer.byteLength(link) > MAX_PATH) {
    throw new ProvError("lab_failed", `the path of the virtual board's port is too long: ${link}`);
  }
  requireProgram("socat", process.env);
  const control = await openControl(`${link}.ctl`, setLines);
  const child = spawnBound("socat", [`PTY,link=${link},rawer`, "STDIO"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  // What it is that cannot be started, the wait below tells soon enough.
  child.once("error", () => {});
  // Writes to a child that is gone end here; `exit` tells of it.
  child.stdin?.on("error", () => {});
  child.stdout?.on("data", (bytes: Buffer) => line.fromHost(bytes));
  const detach = line.attach({
    send(bytes) {
      if ((child.stdin?.writableLength ?? 0) < MAX_UNREAD) child.stdin?.write(bytes);
    },
    vanish() {
      void close();
    },
  });
  const closeAll = async (): Promise<void> => {
    detach();
    await stopChild(child, STOP_MS);
    await control.close();
    rmSync(link, { force: true });
  };
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closeAll();
    return closed;
  };
  for (let waitedMs = 0; !isLink(link); waitedMs += POLL_MS) {
    if (waitedMs > READY_MS || hasExited(child)) {
      await close();
      throw new ProvError("lab_failed", `socat made no pseudo-terminal at ${link}`);
    }
    await pause(POLL_MS);
  }
  return { close };
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink() && existsSync(path);
  } catch {
    return false;
  }
}

async function openControl(
  path: string,
  setLines: (lines: { dtr?: boolean; rts?: boolean }) => void,
): Promise<OpenEnd> {
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    createInterface({ input: socket }).on("line", (text) => {
      const isValid = applyLines(text, setLines);
      socket.write(`${JSON.stringify({ ok: isValid })}\n`);
    });
  });
  const { close } = followConnections(server);
  server.listen(path);
  await once(server, "listening");
  return { close };
}

function applyLines(text: string, setLines: (lines: { dtr?: boolean; rts?: boolean }) => void) {
  try {
    setLines(linesSchema.parse(JSON.parse(text)));
    return true;
  } catch {
    return false;
  }
}
