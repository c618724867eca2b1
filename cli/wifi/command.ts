import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ProvError } from "../errors.js";
import { stopChild } from "../processes/child.js";
import { childEnvironment } from "../processes/child-environment.js";
import { hasCode, naming } from "../system-error.js";
import { DEFAULT_BASE_URL } from "./access-point.js";

export interface Command {
  file: string;
  args: readonly string[];
  /** A secret that the child may read from `SECRET_PATH`; never in argv, never a file with a name. */
  secret?: string;
  /** Written to the child's stdin. */
  stdin?: string;
  /** Called with each line of stdout as it comes. */
  onLine?: (line: string) => void;
  /** Aborting ends the child; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one command; injected into the adapters so that tests can replay recorded output. */
export type CommandRunner = (command: Command) => Promise<CommandResult>;

/** Where a child finds `Command.secret`. */
export const SECRET_PATH = "/dev/fd/3";

const KILL_AFTER_MS = 2000;

/**
 * The real runner. Children speak English (`LC_ALL=C`) and sit in their own process group, so a
 * Ctrl-C in the terminal reaches prov only, which then ends them in order.
 */
export const runCommand: CommandRunner = (command) => {
  command.signal?.throwIfAborted();
  const secretFd = command.secret === undefined ? null : openSecret(command.secret);
  try {
    return start(command, secretFd);
  } finally {
    if (secretFd !== null) closeSync(secretFd);
  }
};

function start(command: Command, secretFd: number | null): Promise<CommandResult> {
  const child = spawn(command.file, command.args, {
    stdio: [
      command.stdin === undefined ? "ignore" : "pipe",
      "pipe",
      "pipe",
      ...(secretFd === null ? [] : [secretFd]),
    ],
    env: { ...childEnvironment(), LC_ALL: "C", LANG: "C" },
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  const { onLine } = command;
  if (onLine !== undefined && child.stdout) createInterface(child.stdout).on("line", onLine);
  child.stdin?.on("error", () => undefined); // a child that exits unread is judged by its status
  child.stdin?.end(command.stdin);
  return new Promise((resolve, reject) => {
    const onAbort = () => void stopChild(child, KILL_AFTER_MS).catch(() => undefined);
    command.signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (finish: () => void) => {
      command.signal?.removeEventListener("abort", onAbort);
      finish();
    };
    child.once("error", (error) => settle(() => reject(startError(command.file, error))));
    child.once("close", (code) =>
      settle(() => {
        if (command.signal?.aborted) return reject(command.signal.reason);
        resolve({
          code: code ?? -1,
          stdout: Buffer.concat(stdout).toString("utf8"),
          stderr: Buffer.concat(stderr).toString("utf8"),
        });
      }),
    );
  });
}

function startError(file: string, error: Error): ProvError {
  if (hasCode(error, "ENOENT")) {
    return new ProvError("tool_missing", `${file} is not installed or not on the PATH`, {
      hint: `Install it, or join the board's AP by hand and add --url ${DEFAULT_BASE_URL}`,
      cause: error,
    });
  }
  return new ProvError("wifi_failed", `${file} could not be started: ${error.message}`, {
    cause: error,
  });
}

/** A descriptor of a 0600 file that has no name any more, so nothing remains even after SIGKILL. */
function openSecret(secret: string): number {
  const dir = mkdtempSync(join(tmpdir(), "prov-secret-"));
  let fd: number;
  try {
    fd = openSync(join(dir, "secret"), "wx+", 0o600);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  naming(dir, () => writeSync(fd, secret));
  return fd;
}
