import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "vitest";
import { ProvError } from "../../cli/errors.js";
import { takeLock, withLock } from "../../cli/files/lock.js";
import { temporaryDir } from "../helpers/project.js";
import { REPOSITORY } from "../helpers/prov.js";

const LOCK = JSON.stringify(join(REPOSITORY, "dist", "cli", "files", "lock.js"));
const never = new AbortController().signal;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Another process that runs `script` with `withLock`; its lines of output. */
function other(script: string): { child: ChildProcess; lines: AsyncIterator<string> } {
  const code = `import { withLock } from ${LOCK}; const signal = new AbortController().signal; ${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  if (!child.stdout) throw new Error("no stdout");
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

/** Holds the lock until its stdin ends. */
const HOLD = (path: string) =>
  `await withLock(${JSON.stringify(path)}, signal, async () => { console.log("held"); for await (const _ of process.stdin); });`;

describe("withLock", () => {
  test("hands on the result and leaves nothing behind", async () => {
    const dir = temporaryDir();
    const path = join(dir, "deep", "build.lock");
    const result = await withLock(path, never, async () => {
      expect(statSync(path).mode & 0o777).toBe(0o600);
      return 42;
    });
    expect(result).toBe(42);
    expect(readdirSync(join(dir, "deep"))).toEqual([]);
  });

  test("is released when the work fails", async () => {
    const path = join(temporaryDir(), "build.lock");
    const failing = withLock(path, never, () => Promise.reject(new Error("of the work")));
    await expect(failing).rejects.toThrow("of the work");
    expect(await withLock(path, never, async () => "again")).toBe("again");
  });

  test("another process waits, is told for whom, and goes on when the holder is done", async () => {
    const path = join(temporaryDir(), "build.lock");
    const holder = other(HOLD(path));
    expect((await holder.lines.next()).value).toBe("held");
    const events: string[] = [];
    const waiting = withLock(
      path,
      never,
      async () => void events.push("worked"),
      (pid) => {
        events.push(`waits for ${pid}`);
        holder.child.stdin?.end();
      },
    );
    await waiting;
    expect(events).toEqual([`waits for ${holder.child.pid}`, "worked"]);
  });

  test("a wait can be interrupted, and the lock stays the holder's", async () => {
    const path = join(temporaryDir(), "build.lock");
    const holder = other(HOLD(path));
    await holder.lines.next();
    const stop = new AbortController();
    const reason = new ProvError("interrupted", "interrupted");
    let worked = false;
    const waiting = withLock(
      path,
      stop.signal,
      async () => {
        worked = true;
      },
      () => stop.abort(reason),
    );
    await expect(waiting).rejects.toBe(reason);
    expect(worked).toBe(false);
    expect(JSON.parse(readFileSync(path, "utf8")).pid).toBe(holder.child.pid);
  });

  test("the lock of a process that was killed is taken over", async () => {
    const dir = temporaryDir();
    const path = join(dir, "build.lock");
    const holder = other(HOLD(path));
    await holder.lines.next();
    holder.child.kill("SIGKILL");
    await once(holder.child, "close");
    expect(readdirSync(dir)).toEqual(["build.lock"]);
    let waited = false;
    const work = async () => "taken over";
    expect(await withLock(path, never, work, () => (waited = true))).toBe("taken over");
    expect(waited).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("two works of one process take turns", async () => {
    const path = join(temporaryDir(), "build.lock");
    let inside = 0;
    const work = async (): Promise<number> => {
      inside += 1;
      await new Promise((resolve) => setImmediate(resolve));
      const most = inside;
      inside -= 1;
      return most;
    };
    expect(await Promise.all([1, 2, 3].map(() => withLock(path, never, work)))).toEqual([1, 1, 1]);
  });

  test("never two at once, with a dead process's lock to fight over", async () => {
    const dir = temporaryDir();
    const path = join(dir, "build.lock");
    writeFileSync(path, JSON.stringify({ pid: 2 ** 22 + 1, birth: "" }));
    // Whoever finds the witness file there was not alone.
    const witness = JSON.stringify(join(dir, "witness"));
    const script = `import { rmSync, writeFileSync } from "node:fs";
      for (let round = 0; round < 20; round += 1)
        await withLock(${JSON.stringify(path)}, signal, async () => { writeFileSync(${witness}, "", { flag: "wx" }); rmSync(${witness}); });
      console.log("alone");`;
    const processes = [other(script), other(script), other(script)];
    const ends = await Promise.all(processes.map(({ lines }) => lines.next()));
    expect(ends.map(({ value }) => value)).toEqual(["alone", "alone", "alone"]);
  });
});

test("a lock tells who holds it, and only its holder can release it", () => {
  const path = join(temporaryDir(), "build.lock");
  const lock = takeLock(path);
  expect(takeLock(path)).toEqual({ heldBy: process.pid });
  if (!("release" in lock)) throw new Error("not taken");
  writeFileSync(path, JSON.stringify({ pid: process.ppid, birth: "somebody else's" }));
  lock.release();
  expect(readFileSync(path, "utf8")).toContain("somebody else's");
});
