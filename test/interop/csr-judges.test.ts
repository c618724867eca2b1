import { execFileSync, spawnSync } from "node:child_process";
import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { makeKeys } from "../../cli/flow/keys.js";
import type { Identity } from "../../cli/pki/identity.js";
import { KEY_ALGORITHMS } from "../../codegen/manifest-fields.js";
import { soundDevice } from "../helpers/manifest.js";
import { temporaryDir } from "../helpers/project.js";

/*
 * The CSR that `prov keys` makes goes to whatever CA a company has. OpenSSL, GnuTLS (certtool) and NSS
 * (certutil) judge it, and the CAs of the latter two sign it.
 */

/** As long as an id can be, with every kind of character that it can have. */
const ID = `${"Az09".repeat(15)}_-B9`;
const GNUTLS_TEMPLATE = "expiration_days = 1\ntls_www_client\nsigning_key\nhonor_crq_extensions\n";

const hasGnutls = /^certtool \d/.test(output("certtool", "--version"));
const hasNss = /certutil/.test(output("certutil", "-H"));
for (const [name, has] of Object.entries({ certtool: hasGnutls, certutil: hasNss }))
  if (!has) process.stderr.write(`skipped: ${name} is no judge of the CSR, it is not installed\n`);

let dir: string;
beforeAll(() => {
  dir = temporaryDir();
});

function output(command: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return `${stdout ?? ""}${stderr ?? ""}`;
}

function judge(command: string, ...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: dir, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

/** Fails unless the program does not. */
function work(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: dir, encoding: "utf8", stdio: "pipe" });
}

function write(name: string, content: string): string {
  writeFileSync(join(dir, name), content, { mode: 0o600 });
  return join(dir, name);
}

describe.each(KEY_ALGORITHMS)("the CSR for a key of type %s", (algorithm) => {
  const isEc = algorithm === "P-256";
  let identity: Identity;
  let forged: string;

  beforeAll(async () => {
    const device = soundDevice({ id: ID, key: { algorithm } });
    identity = await makeKeys(join(dir, algorithm), device, false);
    const der = Buffer.from(identity.csrPem.replace(/-----.*-----/g, ""), "base64");
    const name = der.indexOf(ID);
    expect(name).toBeGreaterThan(0);
    der.write("X", name);
    const [head, foot] = ["BEGIN", "END"].map((what) => `-----${what} CERTIFICATE REQUEST-----`);
    const lines = der.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
    forged = write(`forged-${algorithm}.csr`, `${head}\n${lines}\n${foot}\n`);
  });

  function expectCertificate(pem: string): void {
    const certificate = new X509Certificate(pem);
    expect(certificate.subject).toBe(`CN=${ID}`);
    const key = createPublicKey(identity.privateKeyPem);
    expect(certificate.publicKey.equals(key)).toBe(true);
  }

  it("is what RFC 2986 asks for, in OpenSSL's eyes", () => {
    const { status, said } = judge(
      "openssl",
      ...["req", "-in", identity.csrPath, "-verify", "-noout", "-subject", "-text"],
    );
    expect(status, said).toBe(0);
    expect(said).toMatch(/verify OK/);
    expect(said).toMatch(new RegExp(`^subject=CN ?= ?${ID}$`, "m"));
    expect(said).toMatch(isEc ? /ASN1 OID: prime256v1/ : /\(2048 bit\)[\s\S]*Exponent: 65537 /);
    expect(said).toMatch(isEc ? /ecdsa-with-SHA256/ : /sha256WithRSAEncryption/);
    expect(said).toMatch(/Attributes:\s+\(none\)/);
    const onForged = judge("openssl", "req", "-in", forged, "-verify", "-noout").said;
    expect(onForged).toMatch(/verify fail/i);
  });

  it("has the attributes field, empty: some CAs refuse a request without it", () => {
    const tree = work("openssl", "asn1parse", "-in", identity.csrPath);
    expect(tree).toMatch(/^ *\d+:d=2 +hl=2 +l= *1 prim: INTEGER +:00$/m);
    expect(tree).toMatch(/^ *\d+:d=5 +hl=2 +l= *64 prim: UTF8STRING +:\S+$/m);
    expect(tree).toMatch(/^ *\d+:d=2 +hl=2 +l= *0 cons: cont \[ 0 \] *$/m);
    // RFC 5758, 3.2: no parameters beside ECDSA's; RFC 4055, 5: NULL beside RSA's.
    expect(tree).toMatch(
      isEc
        ? /ecdsa-with-SHA256\n +\d+:d=1 .*BIT STRING/
        : /:sha256WithRSAEncryption\n.*NULL *\n +\d+:d=1 .*BIT STRING/,
    );
  });

  it.runIf(hasGnutls)("is verified and signed by GnuTLS", () => {
    const info = work("certtool", "--crq-info", "--infile", identity.csrPath);
    expect(info).toContain(`Subject: CN=${ID}\n`);
    expect(info).toContain("Self signature: verified");
    expect(info).toMatch(
      isEc ? /Curve:\s+SECP256R1/ : /Subject Public Key Algorithm: RSA\n[\s\S]*\(2048 bits\)/,
    );
    expect(info).toMatch(isEc ? /Algorithm: ECDSA-SHA256/ : /Algorithm: RSA-SHA256/);
    expect(judge("certtool", "--crq-info", "--infile", forged).said).toContain(
      "Self signature: FAILED",
    );

    const template = write("ca.tmpl", 'cn = "GnuTLS CA"\nca\ncert_signing_key\n');
    work("certtool", "--generate-privkey", "--key-type=ecdsa", "--outfile=gnutls.key");
    const self = ["--generate-self-signed", "--load-privkey=gnutls.key"];
    work("certtool", ...self, `--template=${template}`, "--outfile=gnutls.pem");
    const signed = work(
      "certtool",
      ...["--generate-certificate", `--load-request=${identity.csrPath}`],
      ...["--load-ca-certificate=gnutls.pem", "--load-ca-privkey=gnutls.key"],
      `--template=${write("client.tmpl", GNUTLS_TEMPLATE)}`,
    );
    expectCertificate(signed);
    const file = write("by-gnutls.pem", signed);
    work("openssl", "verify", "-purpose", "sslclient", "-CAfile", "gnutls.pem", file);
  });

  it.runIf(hasNss)("is verified and signed by NSS", () => {
    const nss = (...args: string[]): string => work("certutil", ...args, "-d", `sql:${db}`);
    const db = join(dir, `nss-${algorithm}`);
    rmSync(db, { recursive: true, force: true });
    mkdirSync(db);
    nss("-N", "--empty-password");
    const noise = write("noise", "as random as it has to be for a CA that lives a second");
    const ca = ["-n", "ca", "-s", "CN=NSS CA", "-t", "CT,,", "-k", "ec", "-q", "nistp256"];
    nss("-S", "-x", ...ca, "-z", noise, "--keyUsage", "certSigning,critical", "-m", "1");
    const issue = ["-C", "-c", "ca", "-a", "-m", "2", "-v", "1"];
    nss(...issue, "-i", identity.csrPath, "-o", "by-nss.pem", "--extKeyUsage", "clientAuth");
    expectCertificate(readFileSync(join(dir, "by-nss.pem"), "utf8"));
    const refused = judge("certutil", ...issue, "-i", forged, "-d", `sql:${db}`);
    expect([refused.status === 0, /SIGNATURE|signature/.test(refused.said)], refused.said).toEqual([
      false,
      true,
    ]);
  });
});
