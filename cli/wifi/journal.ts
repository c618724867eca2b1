import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ProvError } from "../errors.js";
import { SECRET_FILE, writeNew } from "../files/files.js";
import { parseJson } from "../files/json.js";
import { foreignFolder, readOwnFile } from "../files/own-file.js";
import { keepFromGit, makeFolder } from "../files/private-dir.js";
import { birthOf, isProcessAlive } from "../processes/alive.js";
import { TEMPORARY_PROFILE } from "./temporary-profile.js";

/**
 * What prov is about to change in the host's WiFi, on disk before it changes it, so that the next
 * run can put it back after a crash, SIGKILL or reboot. It holds names only, never a password.
 */
const ownerSchema = z.object({
  pid: z.int().positive(),
  /** Tells the process apart from a later one with the same id; null where the system cannot. */
  started: z.string().nullable(),
  /** Unix seconds. */
  writtenAt: z.int(),
});

/** None that a program could take for an option; netsh shows Windows' names, which have spaces. */
const ifaceSchema = z.string().regex(/^[^-]/);
/** Of a profile that prov made: no other is ever deleted. */
const temporaryProfile = z.string().regex(TEMPORARY_PROFILE);

const nmcliSchema = z.object({
  kind: z.literal("nmcli"),
  iface: ifaceSchema,
  profile: temporaryProfile,
  previous: z
    .object({ uuid: z.string().regex(/^[0-9a-f][0-9a-f-]{31,39}$/i), name: z.string() })
    .nullable(),
  /** Whether the adapter connected by itself before; false after a `nmcli device disconnect`. */
  autoconnect: z.boolean(),
});

const networksetupSchema = z.object({
  kind: z.literal("networksetup"),
  iface: ifaceSchema,
  /** macOS has no profiles of prov's own: what it forgets is a network with a board's name. */
  ssid: z.string().regex(/-[0-9A-F]{6}$/i),
  /** Whether the AP was a preferred network before, and so stays one. */
  wasPreferred: z.boolean(),
  /** Null when the system hides it or there was none. */
  previousSsid: z.string().nullable(),
});

const netshSchema = z.object({
  kind: z.literal("netsh"),
  iface: ifaceSchema,
  profile: temporaryProfile,
  previousProfile: z.string().nullable(),
});

const entrySchema = z.discriminatedUnion("kind", [nmcliSchema, networksetupSchema, netshSchema]);
const journalSchema = z.object({ version: z.literal(1), owner: ownerSchema, entry: entrySchema });

export type NmcliEntry = z.infer<typeof nmcliSchema>;
export type NetworksetupEntry = z.infer<typeof networksetupSchema>;
export type NetshEntry = z.infer<typeof netshSchema>;
export type JournalEntry = z.infer<typeof entrySchema>;
type Journal = z.infer<typeof journalSchema>;

/** Without a start time a live pid is believed for this long. */
const TRUST_PID_S = 3600;

const journalPath = (stateDir: string) => join(stateDir, "host-wifi.json");

/**
 * Writes the journal, whole and flushed to the disk, unless there is one.
 * @throws ProvError wifi_busy when there is; `readStaleEntry` tells those of dead runs. file_inaccessible when its
 *   folder is one in which no journal would be believed
 */
export function writeJournal(stateDir: string, entry: JournalEntry): void {
  const path = journalPath(stateDir);
  const owner = {
    pid: process.pid,
    started: startOf(process.pid),
    writtenAt: Math.floor(Date.now() / 1000),
  };
  makeFolder(stateDir, 0o700);
  const distrust = foreignFolder(stateDir);
  if (distrust !== undefined)
    throw new ProvError(
      "file_inaccessible",
      `prov keeps no note of this machine's WiFi where others could write one: ${distrust}`,
      {
        hint: "Take that right away (chmod go-w), or name another folder in PROV_STATE_DIR.",
      },
    );
  const text = JSON.stringify({ version: 1, owner, entry } satisfies Journal);
  // The folder may be one that somebody named: its rights are their own.
  if (writeNew(path, text, SECRET_FILE, keepFromGit)) return;
  const holder = readJournal(stateDir)?.owner.pid;
  const who = holder === undefined ? "another prov" : `another prov (process ${holder})`;
  throw new ProvError("wifi_busy", `${who} is using this machine's WiFi`);
}

/** Whether there is one at all; costs one look at the folder. */
export function hasJournal(stateDir: string): boolean {
  return existsSync(journalPath(stateDir));
}

/**
 * The entry that a dead run left behind; null when there is none or its run is still alive.
 * @throws ProvError file_inaccessible when there is one that says nothing to this prov
 */
export function readStaleEntry(stateDir: string): JournalEntry | null {
  const journal = readJournal(stateDir);
  return journal === null || isOwnerAlive(journal) ? null : journal.entry;
}

/** Removes the journal; call it once the host is as it was. */
export function removeJournal(stateDir: string): void {
  rmSync(journalPath(stateDir), { force: true });
}

function readJournal(stateDir: string): Journal | null {
  const path = journalPath(stateDir);
  const file = readOwnFile(path);
  if (file === null) return null;
  if ("distrust" in file) throw illegible(path, file.distrust, file.cause);
  const parsed = journalSchema.safeParse(parseJson(file.text));
  if (parsed.success) return parsed.data;
  throw illegible(
    path,
    `${path}: it is damaged, of another version of prov, or not of prov's making`,
    parsed.error,
  );
}

/** It is neither acted on nor removed, so the way out has to be said. */
function illegible(path: string, reason: string, cause: unknown): ProvError {
  return new ProvError(
    "file_inaccessible",
    `the note on what an earlier prov changed in this machine's WiFi is left alone: ${reason}`,
    {
      hint: `Run prov once as whoever ran that one, or see that this machine is on its usual WiFi and remove ${path}.`,
      cause,
    },
  );
}

/** As every prov spells it that writes version 1: another one, that runs just then, is not to be taken for dead. */
function startOf(pid: number): string | null {
  return birthOf(pid)?.replace("/", ":") ?? null;
}

function isOwnerAlive({ owner }: Journal): boolean {
  if (!isProcessAlive(owner.pid)) return false;
  if (owner.started !== null) return startOf(owner.pid) === owner.started;
  return Date.now() / 1000 - owner.writtenAt < TRUST_PID_S;
}
