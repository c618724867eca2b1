import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensurePrivateDir } from "../../cli/files/private-dir.js";
import { writeJournal } from "../../cli/wifi/journal.js";
import { projectWith, temporaryDir, writeManifest } from "../helpers/project.js";
import { prov, REPOSITORY, run } from "../helpers/prov.js";

// A user's own repository knows nothing of `.prov`, and the private keys of all devices lie in it.

const FERN = `defineDevice({ id: "fern", softAp: { password: "per-device" } })`;

/** What `git add -A` in a folder takes along. */
async function added(repository: string): Promise<string[]> {
  const git = (...args: string[]) => run("git", ["-C", repository, ...args]);
  expect((await git("init", "-q")).code).toBe(0);
  expect((await git("add", "-A")).code).toBe(0);
  return (await git("ls-files")).stdout.split("\n").filter((name) => name !== "");
}

test("of a project, `git add -A` takes the manifest and nothing that prov made", async () => {
  const cwd = projectWith(FERN);
  expect((await prov(["keys"], { cwd })).code).toBe(0);
  expect((await prov(["codegen"], { cwd })).code).toBe(0);
  expect(await added(cwd)).toEqual(["device.config.ts"]);
});

test("neither in a subfolder, nor where --config leads", async () => {
  const repository = temporaryDir();
  const inside = join(repository, "firmware");
  mkdirSync(inside);
  writeManifest(inside, FERN);
  expect((await prov(["codegen"], { cwd: inside })).code).toBe(0);
  const other = join(repository, "plants", "moss.ts");
  mkdirSync(join(repository, "plants"));
  writeFileSync(other, `export default { id: "moss" };\n`);
  expect((await prov(["keys", "--config", other], { cwd: inside })).code).toBe(0);
  expect(await added(repository)).toEqual(["firmware/device.config.ts", "plants/moss.ts"]);
});

test("a `.prov` of an older version is ignored from the next command on, whatever that is", async () => {
  const cwd = projectWith(FERN);
  await prov(["keys"], { cwd });
  rmSync(join(cwd, ".prov", ".gitignore"));
  expect((await prov(["keys", "--json"], { cwd })).code).toBe(0);
  expect(await added(cwd)).toEqual(["device.config.ts"]);
});

test("an empty .prov/.gitignore, of a full disk or a crash, is no wish: it is filled", async () => {
  const cwd = projectWith(FERN);
  mkdirSync(join(cwd, ".prov"));
  writeFileSync(join(cwd, ".prov", ".gitignore"), "");
  expect((await prov(["keys"], { cwd })).code).toBe(0);
  expect(await added(cwd)).toEqual(["device.config.ts"]);
});

test("a key that git has taken in already is for the doctor to tell of", async () => {
  const cwd = projectWith(FERN);
  const keysInGit = async (): Promise<unknown> => {
    const { stdout } = await prov(["doctor", "--json"], { cwd });
    const { checks } = JSON.parse(stdout) as { checks: { name: string }[] };
    return checks.find(({ name }) => name === "private keys");
  };
  await prov(["keys"], { cwd });
  await added(cwd);
  expect(await keysInGit()).toBeUndefined();
  expect((await run("git", ["-C", cwd, "add", "--force", ".prov/devices"])).code).toBe(0);
  expect(await keysInGit()).toMatchObject({
    verdict: "warning",
    detail: expect.stringContaining("git tracks 3 files in .prov"),
    fix: expect.stringContaining("git rm -r --cached .prov"),
  });
});

test("a .gitignore that is there stays as it is", async () => {
  const cwd = projectWith(FERN);
  mkdirSync(join(cwd, ".prov"));
  writeFileSync(join(cwd, ".prov", ".gitignore"), "*\n!notes.txt\n");
  await prov(["keys"], { cwd });
  expect(readFileSync(join(cwd, ".prov", ".gitignore"), "utf8")).toBe("*\n!notes.txt\n");
});

test("a check writes nothing", async () => {
  const cwd = projectWith(FERN);
  mkdirSync(join(cwd, ".prov"));
  await prov(["doctor", "--json"], { cwd });
  expect(readdirSync(join(cwd, ".prov"))).toEqual([]);
});

test("it is the innermost `.prov` that counts; the journal of the WiFi may be the first in it", () => {
  const root = join(temporaryDir(), ".prov", "project");
  ensurePrivateDir(join(root, ".prov", "lab", "default"));
  expect(readdirSync(join(root, ".prov"))).toContain(".gitignore");
  expect(readdirSync(join(root, ".."))).toEqual(["project"]);
  const homeless = join(temporaryDir(), ".prov");
  writeJournal(homeless, {
    kind: "netsh",
    iface: "Wi-Fi",
    profile: "ESP32-Prov-000001",
    previousProfile: null,
  });
  expect(readdirSync(homeless).sort()).toEqual([".gitignore", "host-wifi.json"]);
});

test("nobody makes folders in `.prov`, or names it, some other way", () => {
  const sources = readdirSync(join(REPOSITORY, "cli"), { recursive: true, encoding: "utf8" });
  const holding = (text: string): string[] =>
    sources
      .filter((name) => name.endsWith(".ts"))
      .filter((name) => readFileSync(join(REPOSITORY, "cli", name), "utf8").includes(text))
      .sort();
  expect(holding('".prov"')).toEqual(["files/private-dir.ts"]);
  expect(holding("mkdirSync(")).toEqual(["files/private-dir.ts"]);
  // The others make the folder of a report, and that of the journal in the user's own home.
  expect(holding("makeFolder(")).toEqual([
    "files/files.ts",
    "files/private-dir.ts",
    "wifi/journal.ts",
  ]);
  expect(holding("mkdir(")).toEqual([]);
});
