import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const POLL_MS = 100;

/**
 * Runs `work` while holding a lock file, so that two prov processes do not build in one folder at once.
 * A lock whose process has died is taken over.
 */
export async function withLock<T>(
  path: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  while (!tryLock(path)) await pause(POLL_MS, undefined, { signal });
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  if (!ownerIsAlive(path)) rmSync(path, { force: true });
  return false;
}

function ownerIsAlive(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    // An empty file is a lock that is being written this very moment.
    if (!Number.isInteger(pid) || pid <= 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
