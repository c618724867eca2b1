import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type CertificateAuthority,
  createCa,
  issueCertificate,
  signCsr,
} from "../../cli/lab/pki/ca.js";
import { revocationList } from "../../cli/lab/pki/crl.js";
import { type Csr, createCsr, readCsr } from "../../cli/pki/csr.js";
import { generatePrivateKey, privateKeyToPem, publicKeyDer } from "../../cli/pki/keys.js";
import { KEY_ALGORITHMS } from "../../codegen/manifest-fields.js";
import { opensslDir } from "../helpers/openssl.js";

const { dir, file, openssl } = opensslDir();
let ca: CertificateAuthority;
beforeAll(async () => {
  ca = await createCa({ commonName: "Interop CA" });
  file("ca.pem", ca.certPem);
});

function checked(pem: string): Csr {
  const result = readCsr(pem);
  if (!result.ok) throw new Error(result.reason);
  return result.csr;
}

async function deviceCsr(id = "dev-1"): Promise<Csr> {
  return checked(createCsr(await generatePrivateKey("P-256"), id));
}

describe.each(KEY_ALGORITHMS)("%s", (algorithm) => {
  test("OpenSSL accepts the key and verifies the CSR", async () => {
    const key = await generatePrivateKey(algorithm);
    file("key.pem", privateKeyToPem(key));
    file("csr.pem", createCsr(key, "dev_1-X"));
    expect(openssl("pkey", "-in", "key.pem", "-check", "-noout")).toEqual({
      status: 0,
      output: "Key is valid\n",
    });
    const { status, output } = openssl(
      "req",
      "-in",
      "csr.pem",
      "-verify",
      "-noout",
      "-subject",
      "-text",
    );
    expect(status).toBe(0);
    expect(output).toMatch(/self-signature verify OK|verify OK/);
    expect(output).toMatch(/^subject=CN ?= ?dev_1-X$/m);
    expect(output).toMatch(algorithm === "P-256" ? /ASN1 OID: prime256v1/ : /\(2048 bit\)/);
  });

  test("mbedTLS parses the key that goes into device_keys.h", async () => {
    const pem = privateKeyToPem(await generatePrivateKey(algorithm));
    const program = mbedtlsKeyReader();
    const printed = execFileSync(program, { input: pem, encoding: "utf8" });
    expect(printed).toBe(algorithm === "P-256" ? "0 EC 256\n" : "0 RSA 2048\n");
  });

  test("a CSR of OpenSSL's own making is read", () => {
    const newkey =
      algorithm === "P-256" ? ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] : ["rsa:2048"];
    const args = ["-nodes", "-keyout", "own.key", "-out", "own.csr", "-subj", "/O=Acme/CN=own-1"];
    expect(openssl("req", "-new", "-newkey", ...newkey, ...args).status).toBe(0);
    const pem = execFileSync("cat", [join(dir, "own.csr")], { encoding: "utf8" });
    expect(checked(pem).commonName).toBe("own-1");
  });

  test("a device certificate passes OpenSSL's strict checks as a client, not as a server", async () => {
    const csr = checked(createCsr(await generatePrivateKey(algorithm), "dev-1"));
    file("client.pem", signCsr(ca, csr, { usage: "client" }));
    const verify = (purpose: string) =>
      openssl("verify", "-x509_strict", "-CAfile", "ca.pem", "-purpose", purpose, "client.pem")
        .status;
    expect(verify("sslclient")).toBe(0);
    expect(verify("sslserver")).not.toBe(0);
  });
});

/** Reads a PEM key on stdin with the mbedTLS of this machine, as the firmware does on the chip. */
function mbedtlsKeyReader(): string {
  const source = file(
    "key_reader.c",
    `#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <stdio.h>
int main(void) {
    unsigned char pem[4096];
    size_t length = fread(pem, 1, sizeof(pem) - 1, stdin);
    pem[length] = 0;
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
#if MBEDTLS_VERSION_MAJOR == 3
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0);
    int result = mbedtls_pk_parse_key(&key, pem, length + 1, NULL, 0, mbedtls_ctr_drbg_random, &random);
#else
    int result = mbedtls_pk_parse_key(&key, pem, length + 1, NULL, 0);
#endif
    printf("%d %s %d\\n", result, result ? "" : mbedtls_pk_get_name(&key),
           result ? 0 : (int)mbedtls_pk_get_bitlen(&key));
    return 0;
}
`,
  );
  const program = join(dir, "key_reader");
  execFileSync("cc", ["-o", program, source, "-lmbedcrypto"], { stdio: "pipe" });
  return program;
}

describe("certificates", () => {
  test("the CA is one that signs end entities only", () => {
    const { output } = openssl("x509", "-in", "ca.pem", "-noout", "-text");
    expect(output).toContain("CA:TRUE, pathlen:0");
    expect(output).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(new X509Certificate(ca.certPem).ca).toBe(true);
  });

  test("a server certificate verifies for its names and addresses, and for no other", async () => {
    const server = await issueCertificate(ca, {
      commonName: "backend",
      usage: "server",
      dns: ["localhost"],
      ip: ["127.0.0.1", "::1", "2001:db8::5:0:1"],
    });
    file("server.pem", server.certPem);
    const verify = (...name: string[]) =>
      openssl(
        "verify",
        "-x509_strict",
        "-CAfile",
        "ca.pem",
        "-purpose",
        "sslserver",
        ...name,
        "server.pem",
      ).status;
    expect(verify("-verify_hostname", "localhost")).toBe(0);
    expect(verify("-verify_ip", "127.0.0.1")).toBe(0);
    expect(verify("-verify_ip", "::1")).toBe(0);
    expect(verify("-verify_ip", "2001:db8::5:0:1")).toBe(0);
    expect(verify("-verify_hostname", "elsewhere")).not.toBe(0);
    expect(verify("-verify_ip", "127.0.0.2")).not.toBe(0);
  });

  test("carry the key and the CN of the CSR, and link to the CA's key", async () => {
    const csr = await deviceCsr("dev-ü");
    const certificate = new X509Certificate(signCsr(ca, csr, { usage: "client" }));
    expect(certificate.subject).toBe("CN=dev-ü");
    expect(publicKeyDer(certificate.publicKey)).toEqual(publicKeyDer(csr.publicKey));
    expect(certificate.checkIssued(new X509Certificate(ca.certPem))).toBe(true);
    expect(certificate.verify(new X509Certificate(ca.certPem).publicKey)).toBe(true);
  });

  test("of another CA of the same name do not verify", async () => {
    const foreign = await createCa({ commonName: "Interop CA" });
    file("foreign.pem", signCsr(foreign, await deviceCsr(), { usage: "client" }));
    expect(openssl("verify", "-CAfile", "ca.pem", "foreign.pem").status).not.toBe(0);
  });

  test("that the CA has taken back do not verify, and the others do", async () => {
    const taken = signCsr(ca, await deviceCsr(), { usage: "client" });
    file("taken.pem", taken);
    file("kept.pem", signCsr(ca, await deviceCsr(), { usage: "client" }));
    const check = (name: string) =>
      openssl("verify", "-CAfile", "ca.pem", "-CRLfile", "crl.pem", "-crl_check", name).output;
    file("crl.pem", revocationList(ca, []));
    expect(openssl("crl", "-in", "crl.pem", "-CAfile", "ca.pem", "-noout").output).toContain("OK");
    expect(check("taken.pem")).toContain("taken.pem: OK");
    file("crl.pem", revocationList(ca, [new X509Certificate(taken).serialNumber]));
    expect(openssl("crl", "-in", "crl.pem", "-CAfile", "ca.pem", "-noout").output).toContain("OK");
    expect(check("taken.pem")).toContain("certificate revoked");
    expect(check("kept.pem")).toContain("kept.pem: OK");
  });

  test("of an RSA CA verify too", async () => {
    const rsa = await createCa({ commonName: "RSA CA", algorithm: "RSA-2048" });
    file("rsa-ca.pem", rsa.certPem);
    file("rsa-signed.pem", signCsr(rsa, await deviceCsr(), { usage: "client" }));
    expect(
      openssl("verify", "-x509_strict", "-CAfile", "rsa-ca.pem", "rsa-signed.pem").status,
    ).toBe(0);
  });

  test("live as long as they were asked to", async () => {
    const csr = await deviceCsr();
    const before = Date.now();
    const short = new X509Certificate(signCsr(ca, csr, { usage: "client", seconds: 120 }));
    const lifetime = Date.parse(short.validTo) - before;
    expect(lifetime).toBeGreaterThan(118_000);
    expect(lifetime).toBeLessThan(130_000);
    expect(Date.parse(short.validFrom)).toBeLessThanOrEqual(before - 59_000);
  });

  test("may start and end at given dates, also beyond 2049", async () => {
    const dates = {
      notBefore: new Date("2020-01-02T03:04:05Z"),
      notAfter: new Date("2050-06-07T08:09:10Z"),
    };
    const pem = signCsr(ca, await deviceCsr(), { usage: "client", ...dates });
    const certificate = new X509Certificate(pem);
    expect(Date.parse(certificate.validFrom)).toBe(dates.notBefore.getTime());
    expect(Date.parse(certificate.validTo)).toBe(dates.notAfter.getTime());
    file("dates.pem", pem);
    const { output } = openssl("asn1parse", "-in", "dates.pem");
    expect(output).toMatch(/UTCTIME\s+:200102030405Z/);
    expect(output).toMatch(/GENERALIZEDTIME\s+:20500607080910Z/);
  });

  test("that have expired are refused", async () => {
    const past = { notBefore: new Date("2020-01-01"), notAfter: new Date("2020-01-02") };
    file("expired.pem", signCsr(ca, await deviceCsr(), { usage: "client", ...past }));
    expect(openssl("verify", "-CAfile", "ca.pem", "expired.pem").output).toContain("has expired");
  });
});
