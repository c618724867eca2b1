import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isProcessAlive } from "../processes/alive.js";
import { hasCode, naming } from "../system-error.js";
import { readIfPresent } from "./files.js";
import { ensurePrivateDir } from "./private-dir.js";

/** Who holds a lock: a process id alone may belong to somebody else after a reboot. */
interface Holder {
  readonly pid: number;
  readonly birth: string;
}

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
    await pause(POLL_MS, undefined, { signal });
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
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    if (!("pid" in value) || typeof value.pid !== "number") return undefined;
    if (!("birth" in value) || typeof value.birth !== "string") return undefined;
    return { pid: value.pid, birth: value.birth };
  } catch {
    return undefined;
  }
}

function isAlive({ pid, birth }: Holder): boolean {
  return isProcessAlive(pid) && birthOf(pid) === birth;
}

/** Boot id and start time of a process where /proc tells them; otherwise "", and the id must do. */
function birthOf(pid: number): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22 of proc(5)'s stat; the second field may hold spaces and parentheses.
    const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    return `${boot}/${startTime}`;
  } catch {
    return "";
  }
}
