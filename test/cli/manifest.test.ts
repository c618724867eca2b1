import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectWith, temporaryDir } from "../helpers/project.js";
import { prov, startProv } from "../helpers/prov.js";

const TWO = `[defineDevice({ id: "left" }), defineDevice({ id: "right", target: "s3" })]`;

async function failure(cwd: string, ...args: string[]) {
  const { code, stdout } = await prov(["keys", "--json", ...args], { cwd });
  return { code, error: JSON.parse(stdout).error };
}

test("no manifest: exit 3 and where it was looked for", async () => {
  const cwd = temporaryDir();
  const { code, stdout, stderr } = await prov(["codegen"], { cwd });
  expect(code).toBe(3);
  expect(stdout).toBe("");
  expect(stderr).toContain(`error manifest_not_found: there is no manifest at ${cwd}`);
  expect(stderr).toContain("next: Create device.config.ts");
});

test("a manifest that does not compile: exit 3", async () => {
  const { code, error } = await failure(projectWith(`defineDevice({ id: "a" `));
  expect(code).toBe(3);
  expect(error).toMatchObject({ code: "manifest_unloadable", stage: "manifest" });
});

test("a manifest that throws: exit 3 with its reason", async () => {
  const thrower = `(() => { throw new Error("no such plant"); })()`;
  const { code, error } = await failure(projectWith(thrower));
  expect(code).toBe(3);
  expect(error.code).toBe("manifest_unloadable");
  expect(error.message).toContain("no such plant");
});

test("a manifest that prints: stdout is for the result", async () => {
  const cwd = projectWith(
    `(console.log("hello"), console.error("there"), defineDevice({ id: "a" }))`,
  );
  const { code, stdout, stderr } = await prov(["keys", "--json"], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, device: "a" });
  expect(stderr).toContain("hello\nthere\n");
});

test.each([
  ["ends the process", `(process.exit(0), defineDevice({ id: "a" }))`],
  ["leaves a rejection behind", `(Promise.reject(new Error("x")), defineDevice({ id: "a" }))`],
  [
    "throws where nobody catches it",
    `await new Promise((done) => { setTimeout(() => { setImmediate(done, { id: "a" }); throw 1; }, 1); })`,
  ],
  ["has a getter that throws", `{ id: "a", get mqtt() { throw new Error("x"); } }`],
])("a manifest that %s: exit 3", async (_name, exported) => {
  const { code, error } = await failure(projectWith(exported));
  expect(code).toBe(3);
  expect(error.code).toBe("manifest_unloadable");
});

test("a manifest that waits for ever: Ctrl-C ends it", async () => {
  const cwd = projectWith(`(console.log("waiting"), await new Promise(() => {}))`);
  const child = startProv(["keys", "--json"], { cwd });
  const closed = once(child, "close");
  let stdout = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.once("data", () => child.kill("SIGINT"));
  expect(await closed).toEqual([130, null]);
  expect(JSON.parse(stdout).error.code).toBe("interrupted");
});

test("a folder is no manifest with a mistake in it: exit 10", async () => {
  const { code, error } = await failure(projectWith(`{ id: "a" }`), "--config", ".");
  expect(code).toBe(10);
  expect(error.code).toBe("file_inaccessible");
});

test("an SSID prefix of 40 bytes: exit 3 naming the path, and nothing is written", async () => {
  const prefix = "ü".repeat(20);
  const cwd = projectWith(`defineDevice({ id: "a", softAp: { ssidPrefix: "${prefix}" } })`);
  for (const command of ["keys", "codegen", "build"]) {
    const { code, stderr } = await prov([command], { cwd });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^ {2}softAp\.ssidPrefix: expected .*25.* bytes.*40 bytes/m);
  }
  expect(existsSync(join(cwd, ".prov"))).toBe(false);
});

test("every fault is reported at once, the AP's password never", async () => {
  const { code, error } = await failure(
    projectWith(
      `{ id: "a b", softAp: { password: "short-1" }, mqtt: { uri: "mqtt://plain" }, colour: "red" }`,
    ),
  );
  expect(code).toBe(3);
  for (const path of ["id:", "softAp.password:", "mqtt.uri:", "colour:"])
    expect(error.message).toContain(`  ${path}`);
  expect(error.message).not.toContain("short-1");
});

test("several devices: one has to be named", async () => {
  const { code, error } = await failure(projectWith(TWO));
  expect(code).toBe(2);
  expect(error).toMatchObject({ code: "device_unknown", hint: "Choose one with --device ID." });
  expect(error.message).toContain("left, right");
});

test("--device chooses among several", async () => {
  const cwd = projectWith(TWO);
  const { code, stdout } = await prov(["keys", "--json", "--device", "right"], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout).device).toBe("right");
  expect(existsSync(join(cwd, ".prov", "devices", "right", "identity", "key.pem"))).toBe(true);
  expect(existsSync(join(cwd, ".prov", "devices", "left"))).toBe(false);
});

test("--device with a name that is not there: exit 2 with those that are", async () => {
  const { code, error } = await failure(projectWith(TWO), "--device", "middle");
  expect(code).toBe(2);
  expect(error.message).toContain("left, right");
});

test("--config names a manifest elsewhere, whose folder holds .prov; before or after the command", async () => {
  const cwd = temporaryDir();
  mkdirSync(join(cwd, "plants"));
  writeFileSync(join(cwd, "plants", "fern.ts"), `export default { id: "fern" };\n`);
  const config = ["--config", "plants/fern.ts"];
  expect((await prov(["keys", ...config], { cwd })).code).toBe(0);
  const { stdout } = await prov([...config, "keys", "--json"], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ device: "fern", created: false });
  expect(existsSync(join(cwd, "plants", ".prov"))).toBe(true);
  expect(existsSync(join(cwd, ".prov"))).toBe(false);
});
