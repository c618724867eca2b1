import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectWith, snapshot, writeManifest } from "../helpers/project.js";
import { prov } from "../helpers/prov.js";

const CONFIG = join(".prov", "devices", "fern", "config");
const FERN = `defineDevice({ id: "fern", backend: { url: "https://b.example" }, mqtt: { uri: "mqtts://m.example" } })`;

async function codegen(cwd: string, ...args: string[]) {
  const { code, stdout } = await prov(["codegen", "--json", ...args], { cwd });
  return { code, document: JSON.parse(stdout) };
}

test("writes the configuration, secrets for their owner only", async () => {
  const cwd = projectWith(FERN);
  const { code, document } = await codegen(cwd);
  expect(code).toBe(0);
  expect(document.dir).toBe(join(cwd, CONFIG));
  expect(document.warnings).toEqual([expect.stringContaining("softAp.password is the default")]);
  const files = snapshot(cwd);
  for (const name of ["device_keys.h", "sdkconfig.defaults", "sdkconfig.h"]) {
    expect(files[join(CONFIG, name)]?.mode).toBe("600");
    expect(document.changed).toContain(join(cwd, CONFIG, name));
  }
  expect(files[CONFIG]?.mode).toBe("700");
  expect(files[join(".prov", "firmware.cmake")]?.text).toContain(join(cwd, CONFIG));
});

test("a second run touches nothing", async () => {
  const cwd = projectWith(FERN);
  await codegen(cwd);
  const before = snapshot(cwd);
  const { document } = await codegen(cwd);
  expect(document.changed).toEqual([]);
  expect(snapshot(cwd)).toEqual(before);
});

test("a changed field touches the files that hold it and no other", async () => {
  const cwd = projectWith(FERN);
  await codegen(cwd);
  const before = snapshot(cwd);
  writeManifest(cwd, FERN.replace(`id: "fern"`, `id: "fern", softAp: { channel: 6 }`));
  const { document } = await codegen(cwd);
  expect(document.changed).toEqual([
    join(cwd, CONFIG, "sdkconfig.defaults"),
    join(cwd, CONFIG, "sdkconfig.h"),
  ]);
  expect(snapshot(cwd)[join(CONFIG, "device_keys.h")]).toEqual(
    before[join(CONFIG, "device_keys.h")],
  );
});

test("placeholders are warned of, on stderr", async () => {
  const { code, stderr } = await prov(["codegen"], {
    cwd: projectWith(`defineDevice({ id: "fern" })`),
  });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^! backend\.url is still a placeholder/m);
  expect(stderr).toMatch(/^! mqtt\.uri is still a placeholder/m);
});

test("--check on a fresh project: exit 3, and not even a folder is made", async () => {
  const cwd = projectWith(FERN);
  const before = snapshot(cwd);
  const { code, document } = await codegen(cwd, "--check");
  expect(code).toBe(3);
  expect(document.error).toMatchObject({ code: "codegen_stale", stage: "manifest" });
  expect(snapshot(cwd)).toEqual(before);
});

test("--check is content with what codegen wrote, and writes nothing", async () => {
  const cwd = projectWith(FERN);
  await codegen(cwd);
  const before = snapshot(cwd);
  expect((await codegen(cwd, "--check")).code).toBe(0);
  expect(snapshot(cwd)).toEqual(before);
});

test.each([
  ["an edited file", (cwd: string) => writeFileSync(join(cwd, CONFIG, "sdkconfig.h"), "")],
  ["a missing file", (cwd: string) => rmSync(join(cwd, CONFIG, "sdkconfig.h"))],
  ["another manifest", (cwd: string) => writeManifest(cwd, FERN.replace("b.example", "c.example"))],
])("--check after %s: exit 3 naming it, and it stays as it is", async (_name, spoil) => {
  const cwd = projectWith(FERN);
  await codegen(cwd);
  spoil(cwd);
  const before = snapshot(cwd);
  const { code, stderr } = await prov(["codegen", "--check"], { cwd });
  expect(code).toBe(3);
  expect(stderr).toContain(join(cwd, CONFIG, "sdkconfig.h"));
  expect(stderr).toContain("next: Run `prov codegen`.");
  expect(snapshot(cwd)).toEqual(before);
});
