import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";
import { type LoadedManifest, loadManifest, selectDevice } from "../../cli/config/load-manifest.js";
import { ProvError } from "../../cli/errors.js";
import { GOLDEN_CA } from "../golden/golden-device.js";
import { failure } from "../helpers/failure.js";
import { temporaryDir } from "../helpers/project.js";

let dir: string;
beforeEach(() => {
  dir = temporaryDir();
});

function load(source: string): Promise<LoadedManifest> {
  writeFileSync(join(dir, "device.config.ts"), source);
  return loadManifest(undefined, dir, never, 10_000);
}

const never = new AbortController().signal;

/** A manifest that says when its code runs, and then waits for ever. */
function writeWaiting(begun: string): string {
  const source = `import { writeFileSync } from "node:fs";
writeFileSync(${JSON.stringify(begun)}, "");
await new Promise(() => {});
export default { id: "a" };`;
  writeFileSync(join(dir, "waiting.ts"), source);
  return "waiting.ts";
}

const { exit } = process;
const { write } = process.stdout;

const IMPORT = 'import { defineDevice } from "prov";\n';

test("the example at the root of the project is valid", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const manifest = await loadManifest(undefined, root, never);
  expect(selectDevice(manifest, undefined)).toMatchObject({ id: "demo-device", target: "esp32c3" });
});

test("TypeScript, computed values and imports of its own work", async () => {
  writeFileSync(join(dir, "site.ts"), "export const site: string = 'hall' as const;");
  const manifest = await load(
    `${IMPORT}import { site } from "./site";
const channel: number = 2 + 4;
export default defineDevice({ id: \`\${site}-1\`, softAp: { channel } });`,
  );
  expect(manifest.root).toBe(dir);
  expect(selectDevice(manifest, undefined)).toMatchObject({ id: "hall-1", softAp: { channel: 6 } });
});

test("an edited manifest is read anew", async () => {
  await load(`${IMPORT}export default defineDevice({ id: "one" });`);
  const second = await load(`${IMPORT}export default defineDevice({ id: "two" });`);
  expect(second.devices[0]?.id).toBe("two");
});

test("a path is taken from the working directory", async () => {
  mkdirSync(join(dir, "sub"));
  writeFileSync(join(dir, "sub", "m.ts"), `${IMPORT}export default defineDevice({ id: "x" });`);
  expect((await loadManifest("sub/m.ts", dir, never)).root).toBe(join(dir, "sub"));
});

describe("several devices", () => {
  const SOURCE = `${IMPORT}export default ["a", "b"].map((id) => defineDevice({ id }));`;

  test("are chosen by id", async () => {
    expect(selectDevice(await load(SOURCE), "b").id).toBe("b");
  });

  test("must be chosen from", async () => {
    const manifest = await load(SOURCE);
    expect(() => selectDevice(manifest, undefined)).toThrow(/several devices: a, b/);
  });

  test("are listed when the one named is not among them", async () => {
    const manifest = await load(SOURCE);
    expect(() => selectDevice(manifest, "c")).toThrow(/no device "c"; it has: a, b/);
  });

  test("may not differ in case alone", async () => {
    const error = await failure(load(`export default [{ id: "a" }, { id: "A" }];`));
    expect(error.code).toBe("manifest_invalid");
    expect(error.message).toContain('id: expected a different one per device, got "a" and "A"');
  });

  test("name their place in the list in each fault", async () => {
    const error = await failure(
      load(`export default [{ id: "a" }, { id: "b", target: "z80" }, {}];`),
    );
    expect(error.message).toMatch(/\n {2}\[1\]\.target: expected .*\n {2}\[2\]\.id: expected /);
  });
});

describe("backend.ca", () => {
  test("may be a path relative to the manifest", async () => {
    writeFileSync(join(dir, "ca.pem"), `comment\n${GOLDEN_CA}`);
    const manifest = await load(`export default { id: "a", backend: { ca: "./ca.pem" } };`);
    expect(manifest.devices[0]?.backend.ca).toBe(GOLDEN_CA);
  });

  test("names a file that cannot be read, together with every other fault", async () => {
    const error = await failure(
      load(`export default { id: "a b", backend: { ca: "missing.pem" } };`),
    );
    expect(error.message).toContain("id: expected");
    expect(error.message).toContain(
      `backend.ca: expected PEM with certificates only, 16 KiB at most, or the path of such a file, relative to the manifest, got "missing.pem": ${join(dir, "missing.pem")}: no such file or folder (ENOENT)`,
    );
  });

  const refusalOf = async (ca: string): Promise<string> =>
    (await failure(load(`export default { id: "a", backend: { ca: ${JSON.stringify(ca)} } };`)))
      .message;

  test("says why a file cannot be read", async () => {
    mkdirSync(join(dir, "folder"));
    expect(await refusalOf("folder")).toMatch(/got "folder": \S+: it is a folder \(EISDIR\)$/);
    expect(await refusalOf("/dev/zero")).toMatch(/: it is no file of certificates or keys$/);
    expect(await refusalOf(`${"x".repeat(300)}.pem`)).toMatch(
      /: the name is too long \(ENAMETOOLONG\)$/,
    );
  });

  test.skipIf(process.getuid?.() === 0)("says that a file may not be read", async () => {
    writeFileSync(join(dir, "ca.pem"), GOLDEN_CA, { mode: 0o000 });
    expect(await refusalOf("ca.pem")).toMatch(/: permission denied \(EACCES\)$/);
  });

  test("says what a file holds in the place of PEM, whatever its bytes", async () => {
    const der = new X509Certificate(GOLDEN_CA).raw;
    writeFileSync(join(dir, "ca.der"), der);
    expect(await refusalOf("ca.der")).toMatch(
      /got "ca.der": it holds a certificate in DER form; convert it: openssl x509 -inform DER -in FILE -out cert.pem$/,
    );
    writeFileSync(join(dir, "utf16.pem"), Buffer.from(`\uFEFF${GOLDEN_CA}`, "utf16le"));
    expect(await refusalOf("utf16.pem")).toMatch(/got "utf16.pem": it holds text in UTF-16, /);
    writeFileSync(join(dir, "bundle.pem"), GOLDEN_CA.repeat(400));
    expect(await refusalOf("bundle.pem")).toMatch(
      /got "bundle.pem": it holds 400 certificates in \d{6} bytes of PEM; keep the CA /,
    );
  });

  test("does not quote a file that holds no certificate", async () => {
    writeFileSync(join(dir, "ca.pem"), "hunter2 is not a certificate");
    const error = await failure(load(`export default { id: "a", backend: { ca: "ca.pem" } };`));
    expect(error.code).toBe("manifest_invalid");
    expect(error.message).toContain('got "ca.pem"');
    expect(error.message).not.toContain("hunter2");
  });
});

describe("a manifest that cannot be used", () => {
  test("is missing", async () => {
    const error = await failure(loadManifest("none.ts", dir, never));
    expect([error.code, error.exitCode]).toEqual(["manifest_not_found", 3]);
    expect(error.message).toContain(join(dir, "none.ts"));
  });

  test.each([
    ["does not parse", "export default {"],
    ["throws", 'throw new Error("boom");'],
    ["imports what is not there", 'import "./nowhere"; export default {};'],
    ["throws what is no error", "throw { toString: 1 };"],
    [
      "has a getter that throws",
      'export default { id: "a", get softAp() { throw new Error("x"); } };',
    ],
    [
      "throws where nobody catches it",
      `setTimeout(() => { throw new Error("x"); }, 1);
await new Promise((resolve) => setTimeout(resolve, 200)); export default { id: "a" };`,
    ],
    ["ends the process", 'process.exit(0); export default { id: "a" };'],
    [
      "ends the process, and does not want to know",
      'try { process.exit(); } catch {} export default { id: "a" };',
    ],
  ])("%s", async (_name, source) => {
    const error = await failure(load(source));
    expect([error.code, error.exitCode]).toEqual(["manifest_unloadable", 3]);
    // The process is prov's again.
    expect(process.hasUncaughtExceptionCaptureCallback()).toBe(false);
    expect(process.exit).toBe(exit);
    expect(process.stdout.write).toBe(write);
  });

  test("never ends", async () => {
    const source = 'await new Promise(() => {}); export default { id: "a" };';
    writeFileSync(join(dir, "device.config.ts"), source);
    const error = await failure(loadManifest(undefined, dir, never, 50));
    expect(error.code).toBe("manifest_unloadable");
    expect(error.message).toContain("it did not end within 0.05 s");
  });

  test("takes long: nobody has to wait for it", async () => {
    const stop = new AbortController();
    const begun = join(dir, "begun");
    const loading = failure(loadManifest(writeWaiting(begun), dir, stop.signal, 1_000_000));
    await expect.poll(() => existsSync(begun)).toBe(true);
    stop.abort(new ProvError("interrupted", "interrupted"));
    expect((await loading).code).toBe("interrupted");
  });

  test("is a folder: nothing is wrong with its code", async () => {
    mkdirSync(join(dir, "device.config.ts"));
    const error = await failure(loadManifest(undefined, dir, never));
    expect([error.code, error.exitCode]).toEqual(["file_inaccessible", 10]);
  });

  test.skipIf(process.getuid?.() === 0)("may not be read", async () => {
    writeFileSync(join(dir, "device.config.ts"), "export default {};", { mode: 0o200 });
    const error = await failure(loadManifest(undefined, dir, never));
    expect(error.code).toBe("file_inaccessible");
    expect(error.message).toContain("permission denied");
  });

  test("lies below a file", async () => {
    writeFileSync(join(dir, "file"), "");
    const error = await failure(loadManifest("file/device.config.ts", dir, never));
    expect(error.code).toBe("file_inaccessible");
  });

  test("has no default export", async () => {
    const error = await failure(load("export const device = { id: 'a' };"));
    expect(error.code).toBe("manifest_invalid");
    expect(error.hint).toContain("export default");
  });

  test("defines no device", async () => {
    const error = await failure(load("export default [];"));
    expect([error.code, error.hint]).toEqual([
      "manifest_invalid",
      expect.stringContaining("Export at least one"),
    ]);
  });

  test("has a prefix of 40 bytes: exit 3", async () => {
    const error = await failure(
      load(`export default { id: "a", softAp: { ssidPrefix: "p".repeat(40) } };`),
    );
    expect(error.exitCode).toBe(3);
    expect(error.message).toContain("softAp.ssidPrefix: expected 1–25 bytes");
  });
});
