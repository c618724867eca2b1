import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { projectWith, snapshot, writeManifest } from "../helpers/project.js";
import { prov, run } from "../helpers/prov.js";

const IDENTITY = join(".prov", "devices", "fern", "identity");
const FERN = `defineDevice({ id: "fern" })`;

async function keys(cwd: string, ...args: string[]) {
  const { code, stdout } = await prov(["keys", "--json", ...args], { cwd });
  return { code, document: JSON.parse(stdout) };
}

test("the key is its owner's alone, and so are the folders above it", async () => {
  const cwd = projectWith(FERN);
  const { code, document } = await keys(cwd);
  expect(code).toBe(0);
  expect(document).toMatchObject({ ok: true, device: "fern", algorithm: "P-256", created: true });
  expect(document.key_path).toBe(join(cwd, IDENTITY, "key.pem"));
  const modes = Object.entries(snapshot(cwd)).map(([name, { mode }]) => [name, mode]);
  expect(Object.fromEntries(modes)).toMatchObject({
    ".prov": "700",
    [join(".prov", "devices")]: "700",
    [join(".prov", "devices", "fern")]: "700",
    [IDENTITY]: "700",
    [join(IDENTITY, "key.pem")]: "600",
  });
});

test("openssl accepts the CSR that is printed; its CN is the device's id", async () => {
  const { stdout } = await prov(["keys"], { cwd: projectWith(FERN) });
  const [head = "", ...pem] = stdout.split("\n");
  expect(head).toMatch(/^made .*key\.pem \(P-256\)$/);
  const args = ["req", "-verify", "-noout", "-subject", "-nameopt", "RFC2253"];
  const checked = await run("openssl", args, pem.join("\n"));
  expect(checked.code).toBe(0);
  expect(checked.stdout.trim()).toBe("subject=CN=fern");
  expect(checked.stderr).toContain("verify OK");
});

test("a second run keeps every byte", async () => {
  const cwd = projectWith(FERN);
  await keys(cwd);
  const before = snapshot(cwd);
  const { document } = await keys(cwd);
  expect(document.created).toBe(false);
  expect(snapshot(cwd)).toEqual(before);
});

test("a key that was copied in with more rights loses them", async () => {
  const cwd = projectWith(FERN);
  await keys(cwd);
  chmodSync(join(cwd, IDENTITY, "key.pem"), 0o644);
  await keys(cwd);
  expect(snapshot(cwd)[join(IDENTITY, "key.pem")]?.mode).toBe("600");
});

test("--force makes a new one, and keeps every old one with its CSR", async () => {
  const cwd = projectWith(FERN);
  const at = (name: string): string => join(cwd, IDENTITY, name);
  const old = [at("key.pem"), at("csr.pem")];
  const texts = (paths: readonly string[]): string[] =>
    paths.map((path) => readFileSync(path, "utf8"));
  await keys(cwd);
  const first = texts(old);
  const { document } = await keys(cwd, "--force");
  expect(document.created).toBe(true);
  const second = texts(old);
  expect(second[0]).not.toBe(first[0]);
  // Within one second the names would be the same.
  const again = await prov(["keys", "--force"], { cwd });
  const kept = [...again.stdout.matchAll(/^the old one is kept: (.*)$/gm)].map(
    (match) => match[1] ?? "",
  );
  expect(texts(document.kept)).toEqual(first);
  expect(texts(kept)).toEqual(second);
  const stamped = /^(key|csr)\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(\.2)?\.pem$/;
  for (const path of [...document.kept, ...kept]) {
    expect(basename(path)).toMatch(stamped);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  }
  expect(new Set([...document.kept, ...kept]).size).toBe(4);
  // An ordinary run has nothing to keep, and touches none of them.
  expect((await keys(cwd)).document).not.toHaveProperty("kept");
  expect(
    readdirSync(at(""))
      .filter((name) => !stamped.test(name))
      .sort(),
  ).toEqual(["csr.pem", "key.pem"]);
});

test("another algorithm in the manifest does not replace the key silently", async () => {
  const cwd = projectWith(FERN);
  await keys(cwd);
  const before = snapshot(join(cwd, IDENTITY));
  writeManifest(cwd, `defineDevice({ id: "fern", key: { algorithm: "RSA-2048" } })`);
  const { code, document } = await keys(cwd);
  expect(code).toBe(3);
  expect(document.error).toMatchObject({ code: "identity_invalid", stage: "manifest" });
  expect(snapshot(join(cwd, IDENTITY))).toEqual(before);
});

test("a damaged key is refused, and its text is not shown", async () => {
  const cwd = projectWith(FERN);
  await keys(cwd);
  const path = join(cwd, IDENTITY, "key.pem");
  const damaged = readFileSync(path, "utf8").replace(/.{9}\n-----END/, "AAAAAAAAA\n-----END");
  writeFileSync(path, damaged);
  const { code, stdout, stderr } = await prov(["keys", "--verbose"], { cwd });
  expect(code).toBe(3);
  expect(stderr).toContain("error identity_invalid");
  for (const line of damaged.split("\n").slice(1, -2))
    expect(`${stdout}${stderr}`).not.toContain(line);
});

test("the private key is never printed", async () => {
  const cwd = projectWith(FERN);
  const { stdout, stderr } = await prov(["keys", "--verbose"], { cwd });
  const lines = readFileSync(join(cwd, IDENTITY, "key.pem"), "utf8")
    .trim()
    .split("\n");
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) expect(`${stdout}${stderr}`).not.toContain(line);
});

test("a password of its own for the AP: made once, printed here only, and what the firmware gets", async () => {
  const cwd = projectWith(`defineDevice({ id: "fern", softAp: { password: "per-device" } })`);
  const first = await keys(cwd);
  const { ap_password: apPassword } = first.document;
  expect(apPassword).toMatch(/^[abcdefghjkmnpqrstuvwxyz2-9]{12}$/);
  expect(snapshot(cwd)[join(IDENTITY, "ap-password")]?.mode).toBe("600");
  const again = await prov(["keys", "--force"], { cwd });
  expect(again.stdout).toContain(`\nAP password: ${apPassword}\n`);

  const check = await prov(["codegen", "--check"], { cwd });
  expect(check.code).toBe(3);
  const codegen = await prov(["codegen", "--verbose"], { cwd });
  expect(codegen.code, codegen.stderr).toBe(0);
  expect(codegen.stderr).not.toContain("softAp.password is the default");
  const sdkconfig = join(cwd, ".prov", "devices", "fern", "config", "sdkconfig.defaults");
  expect(readFileSync(sdkconfig, "utf8")).toContain(`CONFIG_PROV_SOFTAP_PASSWORD="${apPassword}"`);
  expect((await prov(["codegen", "--check"], { cwd })).code).toBe(0);
  for (const { stdout, stderr } of [check, codegen])
    expect(stdout + stderr).not.toContain(apPassword);

  writeManifest(cwd, `defineDevice({ id: "fern", softAp: { password: "another-password" } })`);
  expect((await keys(cwd)).document).not.toHaveProperty("ap_password");
});

test("a check makes no password, and two devices never share one", async () => {
  const device = (id: string) =>
    `defineDevice({ id: "${id}", softAp: { password: "per-device" } })`;
  const cwd = projectWith(`[${device("fern")}, ${device("moss")}]`);
  expect((await prov(["codegen", "--check", "--device", "fern"], { cwd })).code).toBe(3);
  expect(snapshot(cwd)).not.toHaveProperty([join(IDENTITY, "ap-password")]);
  const fern = await keys(cwd, "--device", "fern");
  const moss = await keys(cwd, "--device", "moss");
  expect(fern.document.ap_password).not.toBe(moss.document.ap_password);
});

test("a password file that no AP can have is named", async () => {
  const cwd = projectWith(`defineDevice({ id: "fern", softAp: { password: "per-device" } })`);
  await keys(cwd);
  writeFileSync(join(cwd, IDENTITY, "ap-password"), "short\n");
  const { code, document } = await keys(cwd);
  expect(code).toBe(3);
  expect(document.error).toMatchObject({ code: "identity_invalid" });
  expect(JSON.stringify(document)).not.toContain("short");
});
