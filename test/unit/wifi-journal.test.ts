import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { ProvError } from "../../cli/errors.js";
import {
  type NetshEntry,
  type NetworksetupEntry,
  type NmcliEntry,
  readStaleEntry,
  removeJournal,
  writeJournal,
} from "../../cli/wifi/journal.js";
import { repairFromJournal } from "../../cli/wifi/repair.js";
import { failure } from "../helpers/failure.js";
import { temporaryDir } from "../helpers/project.js";
import { fakeNmcli, HOME } from "./fixtures/fake-nmcli.js";
import { deadPid, ENTRY, journalIn, now, setOwner } from "./fixtures/journal.js";

let stateDir: string;
let path: string;
beforeEach(() => {
  stateDir = join(temporaryDir(), ".prov");
  path = journalIn(stateDir);
});

describe("the journal", () => {
  test("is private, and there is one at most", () => {
    writeJournal(stateDir, ENTRY);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
    expect(() => writeJournal(stateDir, ENTRY)).toThrow(
      expect.objectContaining({
        code: "wifi_busy",
        message: expect.stringContaining(`process ${process.pid}`),
      }),
    );
    removeJournal(stateDir);
    writeJournal(stateDir, ENTRY);
  });

  test("of a live process is not stale", () => {
    writeJournal(stateDir, ENTRY);
    expect(readStaleEntry(stateDir)).toBeNull();
  });

  test.runIf(process.platform === "linux")("spells a start so that any prov knows it", () => {
    writeJournal(stateDir, ENTRY);
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const [, fields = ""] = readFileSync("/proc/self/stat", "utf8").split(/^.*\) /);
    const { owner } = JSON.parse(readFileSync(path, "utf8"));
    expect(owner.started).toBe(`${boot}:${fields.split(" ")[19]}`);
  });

  test("of a dead process is", () => {
    writeJournal(stateDir, ENTRY);
    setOwner(stateDir, { pid: deadPid(), started: null, writtenAt: now() });
    expect(readStaleEntry(stateDir)).toEqual(ENTRY);
  });

  test.runIf(process.platform === "linux")("of another process with the same id is", () => {
    writeJournal(stateDir, ENTRY);
    setOwner(stateDir, { pid: process.pid, started: "another boot:1", writtenAt: now() });
    expect(readStaleEntry(stateDir)).toEqual(ENTRY);
  });

  test("without a start time believes a live process for an hour", () => {
    writeJournal(stateDir, ENTRY);
    setOwner(stateDir, { pid: process.pid, started: null, writtenAt: now() - 60 });
    expect(readStaleEntry(stateDir)).toBeNull();
    setOwner(stateDir, { pid: process.pid, started: null, writtenAt: now() - 7200 });
    expect(readStaleEntry(stateDir)).toEqual(ENTRY);
  });

  test.each(["", "{", '{"version":2}'])("that reads %j says which file is in the way", (text) => {
    writeJournal(stateDir, ENTRY);
    writeFileSync(path, text);
    const refusal = expect.objectContaining({
      code: "file_inaccessible",
      message: expect.stringContaining(path),
      hint: expect.stringContaining(`remove ${path}`),
    });
    expect(() => readStaleEntry(stateDir)).toThrow(refusal);
    // Nobody holds it, so there is nobody to wait for.
    expect(() => writeJournal(stateDir, ENTRY)).toThrow(refusal);
  });

  test("that cannot be read says so", () => {
    mkdirSync(path, { recursive: true });
    expect(() => readStaleEntry(stateDir)).toThrow(
      expect.objectContaining({
        code: "file_inaccessible",
        message: expect.stringContaining(`${path}: it is a folder`),
      }),
    );
  });
});

/** Why the journal is not acted on; it and the machine stay as they are. */
async function refusal(): Promise<string> {
  const nm = fakeNmcli();
  const before = nm.active;
  const thrown = await failure(repairFromJournal(stateDir, nm.run));
  expect(thrown.code).toBe("file_inaccessible");
  expect(thrown.hint).toContain(`remove ${path}`);
  expect([nm.calls, nm.active]).toEqual([[], before]);
  // Nothing is put on top of it either.
  expect(() => writeJournal(stateDir, ENTRY)).toThrow(ProvError);
  expect(lstatSync(path, { throwIfNoEntry: false })).toBeDefined();
  const start = "the note on what an earlier prov changed in this machine's WiFi is left alone: ";
  expect(thrown.message.startsWith(start)).toBe(true);
  return thrown.message.slice(start.length);
}

describe.skipIf(process.platform === "win32")("a journal that others could have written", () => {
  beforeEach(() => {
    writeJournal(stateDir, ENTRY);
    setOwner(stateDir, { pid: deadPid(), started: "boot:1", writtenAt: now() });
  });

  test.each([0o620, 0o602, 0o666])("by its mode %o is left alone", async (mode) => {
    chmodSync(path, mode);
    expect(await refusal()).toBe(`${path}: others may write to it (mode ${mode.toString(8)})`);
  });

  test.each([0o770, 0o777, 0o1777])("in a folder of mode %o is left alone", async (mode) => {
    chmodSync(stateDir, mode);
    expect(await refusal()).toBe(`${stateDir}: others may write to it (mode ${mode.toString(8)})`);
  });

  test("that is a link to a good one is left alone", async () => {
    renameSync(path, `${path}.real`);
    symlinkSync(`${path}.real`, path);
    expect(await refusal()).toBe(`${path}: it is a symbolic link`);
  });

  test("that is a pipe is not waited for", async () => {
    rmSync(path);
    execFileSync("mkfifo", [path]);
    expect(await refusal()).toBe(`${path}: it is no ordinary file`);
  });

  test("that has no end is not read", async () => {
    writeFileSync(path, `${readFileSync(path, "utf8")}${" ".repeat(70_000)}`);
    expect(await refusal()).toBe(`${path}: it is no note of prov's`);
  });

  test.skipIf(process.getuid?.() !== 0)("of another user is left alone", async () => {
    chownSync(path, 12345, 12345);
    expect(await refusal()).toBe(`${path}: it belongs to another user (uid 12345)`);
  });

  test.skipIf(process.getuid?.() !== 0)("in another user's folder is left alone", async () => {
    chownSync(stateDir, 12345, 12345);
    expect(await refusal()).toBe(`${stateDir}: it belongs to another user (uid 12345)`);
  });

  test.skipIf(process.getuid?.() !== 0)("behind another user's link is left alone", async () => {
    const real = `${stateDir}-real`;
    renameSync(stateDir, real);
    symlinkSync(real, stateDir);
    expect(readStaleEntry(stateDir)).toEqual(ENTRY);
    lchownSync(stateDir, 12345, 12345);
    expect(await refusal()).toBe(`${stateDir}: it belongs to another user (uid 12345)`);
  });

  test("cannot be written to a folder where it would not be believed", () => {
    removeJournal(stateDir);
    chmodSync(stateDir, 0o777);
    expect(() => writeJournal(stateDir, ENTRY)).toThrow(
      expect.objectContaining({
        code: "file_inaccessible",
        message: expect.stringContaining(`${stateDir}: others may write to it (mode 777)`),
        hint: expect.stringContaining("PROV_STATE_DIR"),
      }),
    );
    expect(existsSync(path)).toBe(false);
  });
});

describe("a journal of profiles that are not prov's is left alone", () => {
  const nmcli = { kind: "nmcli", iface: "wlan0", previous: null, autoconnect: true };
  const netsh = { kind: "netsh", iface: "Wi-Fi 2", previousProfile: null };
  const mac = { kind: "networksetup", iface: "en0", wasPreferred: false, previousSsid: null };
  const uuid = (text: string) => ({ uuid: text, name: "x" });
  test.each<[string, unknown]>([
    ["the home network's", { ...nmcli, profile: HOME.id }],
    ["one that only begins like prov's", { ...nmcli, profile: "prov-temporary-0badcafe-2" }],
    ["one in capitals", { ...nmcli, profile: "prov-temporary-0BADCAFE" }],
    ["an option", { ...nmcli, profile: "--help" }],
    ["an interface that is an option", { ...nmcli, profile: ENTRY.profile, iface: "-x" }],
    ["a UUID that is an option", { ...nmcli, profile: ENTRY.profile, previous: uuid("--help") }],
    ["no UUID", { ...nmcli, profile: ENTRY.profile, previous: uuid("HomeNet") }],
    ["Windows' home network", { ...netsh, profile: "HomeNet" }],
    ["macOS's home network", { ...mac, ssid: "HomeNet" }],
  ])("%s", async (_name, entry) => {
    writeJournal(stateDir, entry as NmcliEntry);
    setOwner(stateDir, { pid: deadPid(), started: "boot:1", writtenAt: now() });
    expect(await refusal()).toBe(
      `${path}: it is damaged, of another version of prov, or not of prov's making`,
    );
  });

  test.each([
    [{ ...netsh, profile: "prov-temporary-0badcafe" }],
    [{ ...mac, ssid: "ESP32-Prov-A1B2C3" }],
  ])("but not of %j", (entry) => {
    writeJournal(stateDir, entry as NetshEntry | NetworksetupEntry);
    setOwner(stateDir, { pid: deadPid(), started: "boot:1", writtenAt: now() });
    expect(readStaleEntry(stateDir)).toEqual(entry);
  });
});
