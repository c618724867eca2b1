import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type NmcliEntry,
  readStaleEntry,
  removeJournal,
  writeJournal,
} from "../../cli/wifi/journal.js";
import { nmcliWifi } from "../../cli/wifi/nmcli.js";
import { repairFromJournal } from "../../cli/wifi/repair.js";
import { longer } from "../helpers/longer.js";
import { BOARD_SSID, type FakeNmcli, fakeNmcli, HOME } from "./fixtures/fake-nmcli.js";

const ENTRY: NmcliEntry = {
  kind: "nmcli",
  iface: "wlan0",
  profile: "prov-temporary-0badcafe",
  previous: { uuid: HOME.uuid, name: HOME.id },
  autoconnect: true,
};

let stateDir: string;
let path: string;
beforeEach(() => {
  stateDir = join(mkdtempSync(join(tmpdir(), "prov-journal-")), ".prov");
  path = join(stateDir, "host-wifi.json");
});
afterEach(() => rmSync(join(stateDir, ".."), { recursive: true, force: true }));

/** Rewrites the journal as if another process had written it. */
function setOwner(owner: { pid: number; started: string | null; writtenAt: number }): void {
  const journal = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...journal, owner }));
}

function deadPid(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

const now = () => Math.floor(Date.now() / 1000);

/** What a run that was killed in the middle leaves behind. */
function killedInTheMiddle(): FakeNmcli {
  const nm = fakeNmcli();
  nm.profiles.add(ENTRY.profile);
  nm.active = ENTRY.profile;
  writeJournal(stateDir, ENTRY);
  setOwner({ pid: deadPid(), started: "boot:1", writtenAt: now() });
  return nm;
}

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

  test("of a dead process is", () => {
    writeJournal(stateDir, ENTRY);
    setOwner({ pid: deadPid(), started: null, writtenAt: now() });
    expect(readStaleEntry(stateDir)).toEqual(ENTRY);
  });

  test.runIf(process.platform === "linux")("of another process with the same id is", () => {
    writeJournal(stateDir, ENTRY);
    setOwner({ pid: process.pid, started: "another boot:1", writtenAt: now() });
    expect(readStaleEntry(stateDir)).toEqual(ENTRY);
  });

  test("without a start time believes a live process for an hour", () => {
    writeJournal(stateDir, ENTRY);
    setOwner({ pid: process.pid, started: null, writtenAt: now() - 60 });
    expect(readStaleEntry(stateDir)).toBeNull();
    setOwner({ pid: process.pid, started: null, writtenAt: now() - 7200 });
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

describe("repair", () => {
  test("does nothing when there is nothing to do", async () => {
    const nm = fakeNmcli();
    expect(await repairFromJournal(stateDir, nm.run)).toBeNull();
    expect(nm.calls).toEqual([]);
  });

  test("after SIGKILL: previous network back, profile gone, journal gone", async () => {
    const nm = killedInTheMiddle();
    expect(await repairFromJournal(stateDir, nm.run)).toMatchObject({
      changed: true,
      restored: true,
      network: HOME.id,
    });
    expect(nm.active).toBe(HOME.id);
    expect([...nm.profiles]).toEqual([HOME.id]);
    expect(existsSync(path)).toBe(false);
  });

  test("after a reboot the profile is gone already", async () => {
    const nm = killedInTheMiddle();
    nm.profiles.delete(ENTRY.profile);
    nm.active = HOME.id;
    expect(await repairFromJournal(stateDir, nm.run)).toMatchObject({ restored: true });
    expect(existsSync(path)).toBe(false);
  });

  test("leaves the host to a run that is still alive", async () => {
    const nm = fakeNmcli();
    writeJournal(stateDir, ENTRY);
    expect(await repairFromJournal(stateDir, nm.run)).toBeNull();
    expect(existsSync(path)).toBe(true);
  });

  test("that fails says what to do and keeps the journal for the next run", async () => {
    const nm = killedInTheMiddle();
    nm.answer = () => "devices-no-service";
    const report = await repairFromJournal(stateDir, nm.run);
    expect(report).toMatchObject({ restored: false, network: null });
    expect(report?.message).toContain(`nmcli connection up uuid ${HOME.uuid}`);
    expect(existsSync(path)).toBe(true);
  });

  test("a home network that is out of sight for a moment is tried again", async () => {
    const nm = killedInTheMiddle();
    let ups = 0;
    nm.answer = (args) => (args.includes(HOME.uuid) && ++ups === 1 ? "up-gone" : null);
    expect(await repairFromJournal(stateDir, nm.run)).toMatchObject({ restored: true });
    expect(ups).toBe(2);
  });

  test("a join on top of a killed run goes back to the original network", async () => {
    const nm = killedInTheMiddle();
    const wifi = nmcliWifi({ stateDir, run: nm.run, pollIntervalMs: 2 });
    await wifi.join({ ssid: BOARD_SSID }, "prov12345678", {
      signal: AbortSignal.timeout(longer(30_000)),
    });
    expect(nm.profiles.has(ENTRY.profile)).toBe(false);
    await wifi.leave();
    expect(nm.active).toBe(HOME.id);
    expect([...nm.profiles]).toEqual([HOME.id]);
  });

  test("a profile of a run whose journal is not ours is nothing to go back to", async () => {
    const nm = fakeNmcli();
    nm.profiles.add(ENTRY.profile);
    nm.active = ENTRY.profile;
    const wifi = nmcliWifi({ stateDir, run: nm.run, pollIntervalMs: 2 });
    const joining = wifi.join({ ssid: BOARD_SSID }, "prov12345678", {
      signal: AbortSignal.timeout(longer(30_000)),
    });
    await expect(joining).rejects.toMatchObject({
      code: "wifi_busy",
      hint: expect.stringContaining(`nmcli connection delete id ${ENTRY.profile}`),
    });
    expect(await wifi.leave()).toMatchObject({ changed: false });
    expect(nm.active).toBe(ENTRY.profile);
  });

  test("two runs on one machine: the second is told to wait", async () => {
    const nm = fakeNmcli();
    const first = nmcliWifi({ stateDir, run: nm.run, pollIntervalMs: 2 });
    await first.join({ ssid: BOARD_SSID }, "prov12345678", {
      signal: AbortSignal.timeout(longer(30_000)),
    });
    const second = nmcliWifi({ stateDir, run: nm.run, pollIntervalMs: 2 });
    nm.aps.push({ ssid: "ESP32-Prov-000002", security: "WPA2" });
    const joining = second.join({ ssid: "ESP32-Prov-000002" }, "prov12345678", {
      signal: AbortSignal.timeout(longer(30_000)),
    });
    await expect(joining).rejects.toMatchObject({ code: "wifi_busy", exitCode: 6 });
    expect(await second.leave()).toMatchObject({ changed: false });
    expect(await first.leave()).toMatchObject({ restored: true });
    expect(nm.active).toBe(HOME.id);
  });
});
