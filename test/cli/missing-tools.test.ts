import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FERN, projectWith, temporaryDir } from "../helpers/project.js";
import { prov } from "../helpers/prov.js";

test.each([
  ["build --target host", [], "cmake"],
  ["build --target host", ["cmake"], "ninja"],
  ["lab up", [], "socat"],
  ["run", ["cmake"], "socat"],
  ["status --wifi nmcli", [], "nmcli"],
  ["build --docker", [], "bash"],
  ["build --docker", ["bash"], "docker"],
])("%s on a machine that has %j: %s is missing, exit 10", async (command, present, missing) => {
  const bin = temporaryDir();
  for (const name of present) {
    if (name === "bash") symlinkSync("/bin/bash", join(bin, name));
    else writeFileSync(join(bin, name), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  }
  const { code, stdout } = await prov([...command.split(" "), "--json"], {
    cwd: projectWith(FERN),
    env: { PATH: bin },
  });
  expect(code, stdout).toBe(10);
  const { error } = JSON.parse(stdout);
  expect(error).toMatchObject({
    code: "tool_missing",
    message: `${missing} is not installed or not on the PATH`,
  });
  expect(error.hint).toMatch(/^Install /);
});
