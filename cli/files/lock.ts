import { randomBytes } from "node:crypto";
import { linkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { birthOf, isProcessAlive } from "../processes/alive.js";
import { hasCode, naming } from "../system-error.js";
import { pause } from "../time/wait.js";
import { readIfPresent } from "./files.js";
import { parseJson } from "./json.js";
import { ensurePrivateDir } from "./private-dir.js";

/** Who holds a lock: a process id alone may belong to somebody else after a reboot. */
const holderSchema = z.object({ pid: z.number(), birth: z.string().nullable() });
type Holder = z.infer<typeof holderSchema>;

const POLL_MS = 100;

/**
 * Takes `file` as a lock for this process. A lock that a dead process left is taken over.
 * @returns how to release it, or the id of the living process that holds it
 */
export function takeLock(file: string): { release: () => void } | { heldBy: number } {
  ensurePrivateDir(dirname(file));
  const unique = `${process.pid}-${randomBytes(4).toString("hex")}`;
  const own = `${file}.${unique}`;
  const mark = JSON.stringify({ pid: process.pid, birth: birthOf(process.pid), unique });
  try {
    naming(file, () => writeFileSync(own, mark, { mode: 0o600 }));
    // link() creates the lock with its content, at once, and only if there is none.
    while (!tryLink(own, file)) {
      const text = readIfPresent(file);
      if (text === undefined) continue; // released in between
      const holder = parseHolder(text);
      if (holder !== undefined && isAlive(holder)) return { heldBy: holder.pid };
      discardStale(file, text);
    }
  } finally {
    rmSync(own, { force: true });
  }
  return {
    release: () => {
      if (readIfPresent(file) === mark) rmSync(file, { force: true });
    },
  };
}

/**
 * Runs `work` while holding a lock file, so that two prov processes do not build in one folder at once.
 * @param onWait told once, with the holder's process id, when there is a wait
 */
export async function withLock<T>(
  path: string,
  signal: AbortSignal,
  work: () => Promise<T>,
  onWait: (pid: number) => void = () => {},
): Promise<T> {
  let lock = takeLock(path);
  if ("heldBy" in lock) onWait(lock.heldBy);
  while ("heldBy" in lock) {
    await pause(POLL_MS, signal);
    signal.throwIfAborted();
    lock = takeLock(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** Two may find the same stale lock; the one that moved away a fresh lock instead puts it back. */
function discardStale(file: string, staleText: string): void {
  const moved = `${file}.stale-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    renameSync(file, moved);
  } catch {
    return; // the other one was first
  }
  if (readIfPresent(moved) !== staleText) tryLink(moved, file);
  rmSync(moved, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  return holderSchema.safeParse(parseJson(text)).data;
}

function isAlive({ pid, birth }: Holder): boolean {
  return isProcessAlive(pid) && birthOf(pid) === birth;
}
