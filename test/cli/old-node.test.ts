import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NODE_AT_LEAST } from "../../cli/node-version.js";
import { readVersion } from "../../cli/paths.js";
import { REPOSITORY } from "../helpers/prov.js";

const OLD_VERSION = "18.20.8";
const PACKAGE = `node-${process.platform}-${process.arch}`;
const HOME = join(REPOSITORY, ".cache", "node-18");
const OLD_NODE = join(HOME, "node_modules", PACKAGE, "bin", "node");
const DOWNLOAD_MS = 120_000;
const SENTENCE = `prov needs Node >= ${NODE_AT_LEAST.join(".")}, this is ${OLD_VERSION}`;

test("the oldest Node is one fact", () => {
  const read = (path: string) => readFileSync(join(REPOSITORY, path), "utf8");
  const version = NODE_AT_LEAST.join(".");
  expect(JSON.parse(read("package.json")).engines.node).toBe(`>=${version}`);
  expect(read("scripts/setup.mjs")).toContain(`MINIMUM_NODE = [${NODE_AT_LEAST.join(", ")}];`);
  expect(read("README.md")).toContain(`Node ≥ ${version}`);
});

describe("Node 18 gets a sentence", () => {
  beforeAll(() => {
    if (existsSync(OLD_NODE)) return;
    mkdirSync(HOME, { recursive: true });
    const args = ["install", "--prefix", HOME, "--no-save", "--no-audit", "--no-fund"];
    spawnSync("npm", [...args, `${PACKAGE}@${OLD_VERSION}`], { timeout: DOWNLOAD_MS });
  }, DOWNLOAD_MS);

  const runOld = (script: string, ...args: string[]) =>
    spawnSync(OLD_NODE, [join(REPOSITORY, script), ...args], { encoding: "utf8" });

  beforeEach((context) => {
    if (!existsSync(OLD_NODE)) context.skip(`${PACKAGE}@${OLD_VERSION} cannot be had here`);
  });

  test.each(["dist/cli/main.js", "dist/run.js"])("%s", (script) => {
    const text = runOld(script, "keys");
    expect(text).toMatchObject({ status: 10, stdout: "" });
    const [error, next, ...more] = text.stderr.trimEnd().split("\n");
    expect(error).toBe(`error node_unsupported: ${SENTENCE}`);
    expect(next).toMatch(/^next: Install a newer Node/);
    expect(more).toEqual([]);
    const json = runOld(script, "keys", "--json");
    expect(json).toMatchObject({ status: 10, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      version: readVersion(),
      error: { code: "node_unsupported", stage: "environment", message: SENTENCE },
    });
  });

  test.each([[], ["--test"], ["--packages"]])("scripts/setup.mjs %s", (...args) => {
    const { status, stderr } = runOld("scripts/setup.mjs", ...args);
    expect(status).toBe(10);
    expect(stderr).toBe(
      `prov setup: Node ${NODE_AT_LEAST.join(".")} or newer is needed; this is ${OLD_VERSION}\n`,
    );
  });
});
