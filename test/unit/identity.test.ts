import { createPrivateKey } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { deviceWorkspace, type Workspace } from "../../cli/config/workspace.js";
import { ProvError } from "../../cli/errors.js";
import { writeIfChanged } from "../../cli/files/files.js";
import { createCsr, readCsr } from "../../cli/pki/csr.js";
import { ensureIdentity, readIdentity } from "../../cli/pki/identity.js";
import { generatePrivateKey, privateKeyToPem } from "../../cli/pki/keys.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";
import { temporaryDir } from "../helpers/project.js";

const RSA_MANIFEST: DeviceManifest = { ...DEFAULT_MANIFEST, key: { algorithm: "RSA-2048" } };

let root: string;
let workspace: Workspace;
beforeEach(() => {
  root = temporaryDir();
  workspace = deviceWorkspace(root, DEFAULT_MANIFEST.id);
});

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function commonNameOf(csrPem: string): string {
  const result = readCsr(csrPem);
  if (!result.ok) throw new Error(result.reason);
  return result.csr.commonName;
}

describe("a device without an identity", () => {
  test("gets a key and a CSR in its name, and only its owner can read them", async () => {
    const identity = await ensureIdentity(workspace, DEFAULT_MANIFEST);
    expect(identity.created).toBe(true);
    expect(readFileSync(workspace.keyPath, "utf8")).toBe(identity.privateKeyPem);
    expect(commonNameOf(identity.csrPem)).toBe(DEFAULT_MANIFEST.id);
    expect(mode(workspace.keyPath)).toBe("600");
    expect(mode(workspace.identityDir)).toBe("700");
    expect(mode(join(root, ".prov"))).toBe("700");
    expect(readdirSync(workspace.identityDir).sort()).toEqual(["csr.pem", "key.pem"]);
  });

  test("has none to read", () => {
    expect(readIdentity(workspace, DEFAULT_MANIFEST)).toBeUndefined();
  });

  test("may ask for RSA-2048", async () => {
    const identity = await ensureIdentity(workspace, RSA_MANIFEST);
    expect(commonNameOf(identity.csrPem)).toBe(RSA_MANIFEST.id);
  });

  test("gets one key only when eight provs make it at once", async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => ensureIdentity(workspace, DEFAULT_MANIFEST)),
    );
    expect(made.filter((identity) => identity.created)).toHaveLength(1);
    expect(new Set(made.map((identity) => identity.privateKeyPem)).size).toBe(1);
  });
});

describe("a device with an identity", () => {
  test("keeps it, byte for byte", async () => {
    const first = await ensureIdentity(workspace, DEFAULT_MANIFEST);
    const second = await ensureIdentity(workspace, DEFAULT_MANIFEST);
    expect(second).toEqual({ ...first, created: false });
    expect(readIdentity(workspace, DEFAULT_MANIFEST)).toEqual(second);
  });

  test("gets another with force, and a CSR that fits", async () => {
    const first = await ensureIdentity(workspace, DEFAULT_MANIFEST);
    const second = await ensureIdentity(workspace, DEFAULT_MANIFEST, { force: true });
    expect(second.created).toBe(true);
    expect(second.privateKeyPem).not.toBe(first.privateKeyPem);
    expect(readIdentity(workspace, DEFAULT_MANIFEST)).toEqual({
      ...second,
      created: false,
      kept: [],
    });
    expect(second.kept.map((path) => readFileSync(path, "utf8"))).toEqual([
      first.privateKeyPem,
      first.csrPem,
    ]);
  });

  test("is never lost by several that replace it at once", async () => {
    const first = await ensureIdentity(workspace, DEFAULT_MANIFEST);
    const replaced = await Promise.all(
      Array.from({ length: 5 }, () => ensureIdentity(workspace, DEFAULT_MANIFEST, { force: true })),
    );
    const made = [first, ...replaced].map(({ privateKeyPem }) => privateKeyPem);
    const onDisk = readdirSync(workspace.identityDir)
      .filter((name) => name.startsWith("key."))
      .map((name) => readFileSync(join(workspace.identityDir, name), "utf8"));
    expect(onDisk.sort()).toEqual(made.sort());
  });

  test("in SEC1 form keeps its file and is handed on as PKCS#8", async () => {
    const key = await generatePrivateKey("P-256");
    const sec1 = key.export({ type: "sec1", format: "pem" }).toString();
    writeIfChanged(workspace.keyPath, sec1, 0o644);
    const identity = await ensureIdentity(workspace, DEFAULT_MANIFEST);
    expect(readFileSync(workspace.keyPath, "utf8")).toBe(sec1);
    expect(identity.privateKeyPem).toBe(privateKeyToPem(key));
    expect(mode(workspace.keyPath)).toBe("600");
  });

  test.each([
    ["for another id", (key: string) => createCsr(createPrivateKey(key), "somebody-else")],
    [
      "of another key",
      async () => createCsr(await generatePrivateKey("P-256"), DEFAULT_MANIFEST.id),
    ],
    ["that is corrupt", () => "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"],
  ])("gets a new CSR in the place of one %s", async (_name, makeCsr) => {
    const first = await ensureIdentity(workspace, DEFAULT_MANIFEST);
    writeFileSync(workspace.csrPath, await makeCsr(first.privateKeyPem));
    expect(readIdentity(workspace, DEFAULT_MANIFEST)).toBeUndefined();
    const second = await ensureIdentity(workspace, DEFAULT_MANIFEST);
    expect(second.privateKeyPem).toBe(first.privateKeyPem);
    expect(commonNameOf(second.csrPem)).toBe(DEFAULT_MANIFEST.id);
    expect(readIdentity(workspace, DEFAULT_MANIFEST)).toEqual(second);
  });

  test.each([
    ["corrupt", () => "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
    ["empty", () => ""],
    ["of another algorithm", async () => privateKeyToPem(await generatePrivateKey("RSA-2048"))],
  ])("refuses a key that is %s and leaves the file alone", async (_name, makeKey) => {
    const text = await makeKey();
    writeIfChanged(workspace.keyPath, text, 0o600);
    const error = await ensureIdentity(workspace, DEFAULT_MANIFEST).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ProvError);
    expect(error).toMatchObject({ code: "identity_invalid", exitCode: 3 });
    expect(readFileSync(workspace.keyPath, "utf8")).toBe(text);
  });

  test("that came back indented or with a mark is the same; in another form it is named", async () => {
    const first = await ensureIdentity(workspace, DEFAULT_MANIFEST);
    const indented = `\uFEFF${first.privateKeyPem.replace(/^/gm, "  ")}`;
    writeFileSync(workspace.keyPath, indented);
    expect(await ensureIdentity(workspace, DEFAULT_MANIFEST)).toEqual({ ...first, created: false });
    writeFileSync(workspace.keyPath, Buffer.from(`\uFEFF${first.privateKeyPem}`, "utf16le"));
    await expect(ensureIdentity(workspace, DEFAULT_MANIFEST)).rejects.toMatchObject({
      code: "identity_invalid",
      message: expect.stringContaining("is no key of a device: it holds text in UTF-16, "),
    });
    writeFileSync(workspace.keyPath, first.csrPem);
    await expect(ensureIdentity(workspace, DEFAULT_MANIFEST)).rejects.toMatchObject({
      message: expect.stringContaining("it holds a certificate request (CSR); "),
    });
  });

  test("recovers a corrupt key with force", async () => {
    const junk = Buffer.from([0xff, 0xfe, 0, 0x80]);
    await ensureIdentity(workspace, DEFAULT_MANIFEST);
    writeFileSync(workspace.keyPath, junk);
    const { created, kept } = await ensureIdentity(workspace, DEFAULT_MANIFEST, { force: true });
    expect(created).toBe(true);
    expect(readFileSync(kept[0] ?? "")).toEqual(junk);
  });

  test("with force but without one there is nothing to keep", async () => {
    expect((await ensureIdentity(workspace, DEFAULT_MANIFEST, { force: true })).kept).toEqual([]);
  });
});

describe("writeIfChanged", () => {
  test("leaves a file alone that is as wanted", () => {
    const path = join(root, "f");
    expect(writeIfChanged(path, "text", 0o600)).toBe(true);
    const before = statSync(path, { bigint: true });
    expect(writeIfChanged(path, "text", 0o600)).toBe(false);
    const after = statSync(path, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  test("mends a mode that is too wide", () => {
    const path = join(root, "f");
    writeIfChanged(path, "text", 0o600);
    chmodSync(path, 0o644);
    expect(writeIfChanged(path, "text", 0o600)).toBe(true);
    expect(mode(path)).toBe("600");
  });

  test("says which file it could not write", () => {
    writeFileSync(join(root, "file"), "");
    expect(() => writeIfChanged(join(root, "file", "below"), "x", 0o600)).toThrow(
      expect.objectContaining({ code: "file_inaccessible", exitCode: 10 }),
    );
  });
});
