import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadManifest } from "../../cli/config/load-manifest.js";
import { signingKeyFault } from "../../cli/config/signing-key.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { GOLDEN_CA } from "../golden/golden-device.js";
import { soundDevice } from "../helpers/manifest.js";
import { temporaryDir } from "../helpers/project.js";

const dir = temporaryDir();

function device(target: string, security: object): DeviceManifest {
  return soundDevice({ id: "vault-1", target, security });
}

describe("the signing key", () => {
  const rsa = write("rsa.pem", generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey);
  const small = write("small.pem", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
  const ec = write("ec.pem", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);

  function write(name: string, key: ReturnType<typeof generateKeyPairSync>["privateKey"]): string {
    const path = join(dir, name);
    writeFileSync(path, key.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    return path;
  }

  it("is RSA-3072, and P-256 where the chip knows nothing else", () => {
    expect(signingKeyFault(device("esp32c3", { secureBoot: rsa }))).toBeUndefined();
    expect(signingKeyFault(device("esp32c2", { secureBoot: ec }))).toBeUndefined();
    expect(signingKeyFault(device("esp32c3", { secureBoot: ec }))).toContain("another kind of key");
    expect(signingKeyFault(device("esp32c2", { secureBoot: rsa }))).toContain("P-256");
    expect(signingKeyFault(device("esp32s3", { secureBoot: small }))).toContain("RSA-3072");
    expect(signingKeyFault(device("esp32s3", { secureBoot: "/nowhere" }))).toBe(
      "security.secureBoot: expected a PEM file with an unencrypted RSA-3072 private key for the esp32s3, got /nowhere: no such file or folder (ENOENT)",
    );
  });

  it("is what ESP-IDF's tools read, or the message says what it is instead", () => {
    const pem = readFileSync(rsa, "utf8");
    const fault = (content: string | Buffer): string | undefined => {
      const path = join(dir, "odd.pem");
      writeFileSync(path, content, { mode: 0o600 });
      return signingKeyFault(device("esp32s3", { secureBoot: path }))?.replace(/.*odd\.pem: /, "");
    };
    expect(fault(pem.replaceAll("\n", "\r\n"))).toBeUndefined();
    // OpenSSL's own reader, as theirs, wants each line at its beginning.
    expect(fault(pem.replace(/^/gm, "  "))).toMatch(/^its lines do not begin where they should/);
    expect(fault(Buffer.from(`\uFEFF${pem}`, "utf16le"))).toMatch(/^it holds text in UTF-16/);
    expect(fault(pem.trimEnd().replaceAll("\n", " "))).toMatch(/^it holds PEM whose line breaks/);
    expect(fault("")).toBe("it holds nothing (0 bytes); copy it again");
    expect(fault(GOLDEN_CA)).toBe("it holds a certificate; name the file with the private key");
  });

  it.each([
    ["as it is", (pem: string) => pem, /got PEM text of \d+ bytes$/],
    [
      "in one line",
      (pem: string) => pem.replaceAll("\n", " "),
      /got what is given is the text of a certificate or key /,
    ],
  ])("is not shown where it is given in the place of its path, %s", async (name, change, says) => {
    const pem = readFileSync(ec, "utf8");
    const path = join(dir, `pasted ${name}.config.ts`);
    const device = { id: "d1", target: "esp32c2", security: { secureBoot: change(pem) } };
    writeFileSync(path, `export default ${JSON.stringify(device)};\n`);
    const loading = loadManifest(path, dir, new AbortController().signal);
    const text = String(await loading.catch((thrown: unknown) => thrown));
    expect(text).toContain("security.secureBoot: expected ");
    expect(text).not.toContain("Invalid input");
    expect(text).toMatch(says);
    expect(text).not.toContain(pem.slice(60, 80));
  });

  it("is named relative to the manifest", async () => {
    const manifest = (key: string): Promise<unknown> => {
      const path = join(dir, `${key}.config.ts`);
      writeFileSync(
        path,
        `export default { id: "vault-1", target: "esp32s3", security: { secureBoot: "${key}" } };\n`,
      );
      return loadManifest(path, dir, new AbortController().signal);
    };
    expect(await manifest("rsa.pem")).toMatchObject({
      devices: [{ security: { secureBoot: rsa } }],
    });
    await expect(manifest("absent.pem")).rejects.toMatchObject({
      code: "manifest_invalid",
      message: expect.stringContaining("security.secureBoot: expected a PEM file"),
    });
  });
});
