import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { REPOSITORY } from "../helpers/prov.js";

/* What GitHub would say of the workflow, as far as actionlint knows. It comes through Go's module proxy. */

const MODULE = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";
const gobin = join(REPOSITORY, ".cache", "go-bin");
const actionlint = join(gobin, "actionlint");

function install(): string | undefined {
  if (existsSync(actionlint)) return undefined;
  const { error, status, stderr } = spawnSync("go", ["install", MODULE], {
    cwd: "/",
    encoding: "utf8",
    env: { ...process.env, GOBIN: gobin, GOFLAGS: "-mod=mod" },
  });
  return status === 0 ? undefined : (error?.message ?? stderr.split("\n")[0] ?? "");
}

const missing = install();
if (missing !== undefined)
  process.stderr.write(`skipped: the workflow by actionlint (${missing})\n`);

it.skipIf(missing !== undefined)("the workflow is one, and asks for what there is", () => {
  const workflow = join(REPOSITORY, ".github", "workflows", "ci.yml");
  expect(execFileSync(actionlint, ["-no-color", workflow], { encoding: "utf8" })).toBe("");
});
