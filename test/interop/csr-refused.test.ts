import { execFileSync } from "node:child_process";
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createCa } from "../../cli/lab/pki/ca.js";
import { createCsr, readCsr } from "../../cli/pki/csr.js";
import { generatePrivateKey } from "../../cli/pki/keys.js";
import { opensslDir } from "../helpers/openssl.js";

const { dir, openssl } = opensslDir();

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----.*-----/g, ""), "base64");
}

function csrPem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
}

describe("a CSR is refused", () => {
  test("with any single bit flipped", async () => {
    const der = derOf(createCsr(await generatePrivateKey("P-256"), "dev-1"));
    for (let index = 0; index < der.length; index++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(der);
        flipped.writeUInt8(flipped.readUInt8(index) ^ (1 << bit), index);
        const result = readCsr(csrPem(flipped));
        if (result.ok) throw new Error(`bit ${bit} of byte ${index} makes no difference`);
      }
    }
  });

  test("cut off at any byte, and with bytes behind it", async () => {
    const der = derOf(createCsr(await generatePrivateKey("P-256"), "dev-1"));
    for (let length = 0; length < der.length; length++) {
      if (readCsr(csrPem(der.subarray(0, length))).ok) throw new Error(`${length} bytes suffice`);
    }
    expect(readCsr(csrPem(Buffer.concat([der, Buffer.from([0])]))).ok).toBe(false);
  });

  test.each([
    [
      "on another curve",
      ["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"],
      "/CN=x",
      /neither P-256 nor RSA/,
    ],
    ["with a short RSA key", ["rsa:1024"], "/CN=x", /neither P-256 nor RSA/],
    ["without a CN", ["rsa:2048"], "/O=x", /exactly one CN/],
    ["with two CNs", ["rsa:2048"], "/CN=x/CN=y", /exactly one CN/],
  ])("%s", (_name, newkey, subject, reason) => {
    const args = ["-nodes", "-keyout", "bad.key", "-out", "bad.csr", "-subj", subject];
    expect(openssl("req", "-new", "-newkey", ...newkey, ...args).status).toBe(0);
    const result = readCsr(execFileSync("cat", [join(dir, "bad.csr")], { encoding: "utf8" }));
    expect(result).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  const kind = /^key is neither P-256 nor RSA of 2048–4096 bits$/;
  const ec = /^EC key is not an uncompressed point of a curve given by its name$/;
  const p256 = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
  test.each([
    ["whose exponent is 3", ["genrsa -3"], /^RSA exponent is not 65537$/],
    [
      "whose exponent is large",
      [
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:4294967297",
      ],
      /^RSA exponent is not 65537$/,
    ],
    ["of RSA-PSS", ["genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"], kind],
    ["whose curve is spelled out", [`${p256} -pkeyopt ec_param_enc:explicit`], ec],
    ["whose point is compressed", [p256, "ec -in bad.key -conv_form compressed"], ec],
    ["whose point is hybrid", [p256, "ec -in bad.key -conv_form hybrid"], ec],
    ["of secp256k1", ["genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1"], kind],
    ["of brainpool", ["genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1"], kind],
    ["of Ed25519", ["genpkey -algorithm ED25519"], kind],
  ])("for a key %s", (_name, steps, reason) => {
    for (const step of steps) {
      const made = openssl(...step.split(" "), "-out", "made.key");
      expect(made.status, made.output).toBe(0);
      renameSync(join(dir, "made.key"), join(dir, "bad.key"));
    }
    const csr = "req -new -key bad.key -subj /CN=x -out bad.csr".split(" ");
    expect(openssl(...csr).status).toBe(0);
    expect(openssl("req", "-in", "bad.csr", "-verify", "-noout").status).toBe(0);
    const result = readCsr(readFileSync(join(dir, "bad.csr"), "utf8"));
    expect(result).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  test.each([
    ["sha1", ["rsa:2048"]],
    ["md5", ["rsa:2048"]],
    ["sha1", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
    ["sha384", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
    ["sha512", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
  ])("with the hash %s (%j)", (hash, newkey) => {
    const args = ["-nodes", "-keyout", "bad.key", "-out", "bad.csr", "-subj", "/CN=x"];
    expect(openssl("req", "-new", `-${hash}`, "-newkey", ...newkey, ...args).status).toBe(0);
    const result = readCsr(readFileSync(join(dir, "bad.csr"), "utf8"));
    expect(result).toEqual({ ok: false, reason: expect.stringMatching(/SHA-256/) });
  });

  test.each([
    ["nothing", ""],
    ["a certificate", async () => (await createCa({ commonName: "CA" })).certPem],
    ["base64 that is not canonical", csrPem(Buffer.alloc(3)).replace("AAAA", "AAA")],
    ["too much", csrPem(Buffer.alloc(8 * 1024))],
    ["deep nesting", csrPem(Buffer.alloc(4000, 0x30))],
    ["a NUL in the CN", async () => createCsr(await generatePrivateKey("P-256"), "dev\0-1")],
    ["a CN of 65 bytes", async () => createCsr(await generatePrivateKey("P-256"), "x".repeat(65))],
  ])("when it is %s", async (_name, pem) => {
    expect(readCsr(typeof pem === "string" ? pem : await pem()).ok).toBe(false);
  });
});
