import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { writeJournal } from "../../cli/wifi/journal.js";
import { nmcliWifi } from "../../cli/wifi/nmcli.js";
import { repairFromJournal } from "../../cli/wifi/repair.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
import { BOARD_SSID, fakeNmcli, HOME } from "./fixtures/fake-nmcli.js";
import { ENTRY, journalIn, killedInTheMiddle } from "./fixtures/journal.js";

let stateDir: string;
let path: string;
beforeEach(() => {
  stateDir = join(temporaryDir(), ".prov");
  path = journalIn(stateDir);
});

describe("repair", () => {
  test("does nothing when there is nothing to do", async () => {
    const nm = fakeNmcli();
    expect(await repairFromJournal(stateDir, nm.run)).toBeNull();
    expect(nm.calls).toEqual([]);
  });

  test("after SIGKILL: previous network back, profile gone, journal gone", async () => {
    const nm = killedInTheMiddle(stateDir);
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
    const nm = killedInTheMiddle(stateDir);
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
    const nm = killedInTheMiddle(stateDir);
    nm.answer = () => "devices-no-service";
    const report = await repairFromJournal(stateDir, nm.run);
    expect(report).toMatchObject({ restored: false, network: null });
    expect(report?.message).toContain(`nmcli connection up uuid ${HOME.uuid}`);
    expect(existsSync(path)).toBe(true);
  });

  test("a home network that is out of sight for a moment is tried again", async () => {
    const nm = killedInTheMiddle(stateDir);
    let ups = 0;
    nm.answer = (args) => (args.includes(HOME.uuid) && ++ups === 1 ? "up-gone" : null);
    expect(await repairFromJournal(stateDir, nm.run)).toMatchObject({ restored: true });
    expect(ups).toBe(2);
  });

  test("a join on top of a killed run goes back to the original network", async () => {
    const nm = killedInTheMiddle(stateDir);
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
