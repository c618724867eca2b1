import type { ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { spawnBound, stopChild } from "../../cli/processes/child.js";
import { longer } from "../helpers/longer.js";
import { REPOSITORY } from "../helpers/prov.js";

const STOP_MS = 20_000;
const LINES_KEPT = 20;

/**
 * Whom a broker lets do what: `open` is as it should be; `mute` forbids the device to publish; `closed` refuses
 * its CONNECT; `revoked` has a list that takes its certificate back.
 */
export type Policy = "open" | "mute" | "closed" | "revoked";

/** What a peer is given to be the broker that the device and the operator are sent to. */
export interface Place {
  /** Of 127.0.0.1; `localhost` in the certificate. */
  readonly port: number;
  /** The peer's own folder, which is empty at first. */
  readonly dir: string;
  readonly deviceId: string;
  /** The CN of the operator, who reads everything. */
  readonly operator: string;
  readonly ca: { readonly certPem: string; readonly keyPem: string };
  readonly server: { readonly certPem: string; readonly keyPem: string };
}

export interface StartOptions {
  readonly policy: Policy;
  /** PEM of the list, with `revoked`. */
  readonly crlPem?: string;
  /** It is the same broker again: what it keeps on disk is left to it. */
  readonly again?: boolean;
}

/** An MQTT broker, whoever wrote it. */
export interface Peer {
  readonly name: string;
  /** What it does when the device publishes what it may not: the code that prov ends with. */
  readonly mutedCode: string;
  /** Where it leaves MQTT 3.1.1: `late` messages that it kept come without RETAIN, the last `will` is not kept. */
  readonly breaks?: { readonly late?: true; readonly will?: true };
  /** What it cannot be made to do, and why. */
  readonly cannot: Partial<Record<Policy, string>>;
  /** Resolves when it takes connections at its place. */
  start(options: StartOptions): Promise<void>;
  /** Goes away, to be started again. */
  stop(): Promise<void>;
  /** Is not needed any more; default `stop`. */
  close?(): Promise<void>;
}

/** A peer that can be had on this machine, or why not. */
export type FindPeer = () =>
  | { readonly name: string; open(place: Place): Promise<Peer> }
  | { readonly name: string; missing: string };

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** What it says when it takes connections. */
  readonly ready: RegExp;
  readonly timeoutMs: number;
}

/** Writes a file that is its owner's alone. @returns its path */
export function writePrivate(dir: string, name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** What a program said, this time and before. */
function logOf(command: string): string {
  const dir = join(REPOSITORY, ".cache", "peers");
  mkdirSync(dir, { recursive: true });
  return join(dir, `${basename(command)}.log`);
}

/** Starts a program that ends with this one. @returns how to stop it, which resolves when it is gone */
export async function startProgram(program: Program): Promise<() => Promise<void>> {
  const { command, args, cwd, env, ready, timeoutMs } = program;
  const child: ChildProcess = spawnBound(command, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    ...(env ? { env } : {}),
  });
  const log = createWriteStream(logOf(command), { flags: "a" });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${command} ${why}:\n${said.join("")}`));
    const waitMs = longer(timeoutMs);
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`was not ready within ${waitMs} ms`);
    }, waitMs);
    const hear = (chunk: Buffer): void => {
      log.write(chunk);
      said.push(String(chunk));
      if (said.length > LINES_KEPT) said.shift();
      if (!ready.test(said.join(""))) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("error", (error) => fail(error.message));
    child.once("close", (code) => {
      log.end();
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
  return () => stopChild(child, STOP_MS);
}
