import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDir } from "../helpers/project.js";
import { REPOSITORY } from "../helpers/prov.js";

test("`npm test` ends with the failure of the linter or of the type checker, before any test", () => {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));
  const root = temporaryDir();
  mkdirSync(join(root, "bin"));
  const calls = join(root, "calls");
  const runTests = (broken: string) => {
    rmSync(calls, { force: true });
    for (const name of ["node", "biome", "tsc", "vitest"])
      writeFileSync(
        join(root, "bin", name),
        `#!/bin/sh\necho ${name} >> "${calls}"\n[ ${name} != ${broken} ] || { echo "${name} complains" >&2; exit 3; }\n`,
        { mode: 0o755 },
      );
    // npm's own part, which is to run the scripts one in the other.
    writeFileSync(join(root, "bin", "npm"), `#!/bin/sh\n${scripts.lint}\n`, { mode: 0o755 });
    const PATH = `${join(root, "bin")}:/usr/bin:/bin`;
    const { status, stderr } = spawnSync("sh", ["-c", scripts.test], {
      encoding: "utf8",
      env: { PATH },
    });
    return { status, stderr, calls: readFileSync(calls, "utf8").trim().split("\n") };
  };
  const setUp = ["node", "node"];
  expect(runTests("nothing").calls).toEqual([...setUp, "biome", "tsc", "vitest"]);
  for (const broken of ["biome", "tsc"])
    expect(runTests(broken)).toMatchObject({ status: 3, stderr: `${broken} complains\n` });
  expect(runTests("biome").calls).toEqual([...setUp, "biome"]);
});
