import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Machine, stateDir, thisMachine } from "../../cli/wifi/state-dir.js";
import { temporaryDir } from "../helpers/project.js";

const PROJECT = "/a/project/.prov";
const on = (platform: NodeJS.Platform, home: string, env: NodeJS.ProcessEnv = {}): Machine => ({
  platform,
  home,
  env,
});

test("each system has its place, and it is not made by asking for it", () => {
  const home = temporaryDir();
  const places = [
    [on("linux", home), join(home, ".local", "state", "prov")],
    [on("linux", home, { XDG_STATE_HOME: join(home, "xdg") }), join(home, "xdg", "prov")],
    [on("linux", home, { XDG_STATE_HOME: "xdg" }), join(home, ".local", "state", "prov")],
    [on("darwin", home), join(home, "Library", "Application Support", "prov")],
    [on("win32", home, { LOCALAPPDATA: join(home, "Local") }), join(home, "Local", "prov")],
  ] as const;
  for (const [machine, place] of places) {
    expect(stateDir(machine, PROJECT)).toBe(place);
    expect(existsSync(place)).toBe(false);
  }
});

test("PROV_STATE_DIR is taken as it is", () => {
  const machine = on("linux", temporaryDir(), { PROV_STATE_DIR: "/elsewhere" });
  expect(stateDir(machine, PROJECT)).toBe("/elsewhere");
});

test("without a home, or with one that takes no folder, the project has to do", () => {
  expect(stateDir({ platform: "linux", env: {}, home: undefined }, PROJECT)).toBe(PROJECT);
  expect(stateDir({ platform: "win32", env: {}, home: undefined }, PROJECT)).toBe(PROJECT);
  // Nobody, root included, can make a folder here.
  expect(stateDir(on("linux", "/proc/self"), PROJECT)).toBe(PROJECT);
});

test.skipIf(process.getuid?.() !== 0)("under sudo it is root's, whatever HOME says", () => {
  const user = temporaryDir();
  const env = { HOME: user, XDG_STATE_HOME: user };
  expect(stateDir(thisMachine(env), PROJECT)).toContain(user);
  const sudo = { ...env, SUDO_UID: "1000" };
  expect(thisMachine(sudo).home).not.toBe(user);
  expect(stateDir(thisMachine(sudo), PROJECT)).not.toContain(user);
});

test("the suite leaves the developer's own alone", () => {
  expect(stateDir(thisMachine(process.env), PROJECT)).not.toContain(homedir());
});
