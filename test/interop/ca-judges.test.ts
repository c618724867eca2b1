import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { longer } from "../helpers/longer.js";
import { complaintsOf, ID } from "../helpers/manifest.js";
import { temporaryDir } from "../helpers/project.js";
import { REPOSITORY } from "../helpers/prov.js";

/*
 * Which CAs a manifest may pin, judged by mbedTLS: a table of certificates that OpenSSL makes, each with a server's
 * certificate by it. The manifest takes those that the device can read and trusts that server by.
 */

interface Specimen {
  /** For `openssl req -newkey`; P-256 unless told. */
  readonly key?: string;
  /** What else `openssl req -x509` is given. */
  readonly args?: string;
  /** Lines of its extensions, instead of those of a CA. */
  readonly extensions?: readonly string[];
  /** Changes the DER, whose own signature nobody looks at. */
  readonly patch?: (der: Buffer) => Buffer;
  /** What the manifest says against it; without it, it is taken. */
  readonly refused?: string;
  /** Why the manifest refuses what this mbedTLS takes. */
  readonly stricter?: string;
}

const CA = ["basicConstraints = critical, CA:TRUE", "subjectKeyIdentifier = hash"];
const ec = (curve: string): string => `ec -pkeyopt ec_paramgen_curve:${curve}`;
const IDF_6 = "ESP-IDF 6 does not take it";

const SPECIMENS: Readonly<Record<string, Specimen>> = {
  "RSA of 2048 bits": { key: "rsa:2048" },
  "RSA of 4096 bits": { key: "rsa:4096" },
  "RSA of 1024 bits": { key: "rsa:1024", refused: "an RSA key of 1024 bits" },
  "RSA of 5120 bits": { key: "rsa:5120", refused: "an RSA key of 5120 bits", stricter: IDF_6 },
  "P-256": {},
  "P-384": { key: ec("P-384") },
  "P-521": { key: ec("P-521") },
  "P-224": { key: ec("P-224"), refused: "a key on the curve secp224r1" },
  "P-192": { key: ec("P-192"), refused: "a key on the curve prime192v1" },
  secp256k1: { key: ec("secp256k1"), refused: "a key on the curve secp256k1" },
  brainpoolP256r1: { key: ec("brainpoolP256r1"), refused: "a key on brainpoolP256r1" },
  brainpoolP512r1: { key: ec("brainpoolP512r1"), refused: "a key on brainpoolP512r1" },
  brainpoolP256t1: {
    key: ec("brainpoolP256t1"),
    refused: "a key on the curve brainpoolP256t1",
  },
  "a curve by its parameters": {
    key: `${ec("P-256")} -pkeyopt ec_param_enc:explicit`,
    refused: "a key whose curve is given by parameters",
  },
  "a compressed point": {
    extensions: [...CA, `nsComment = ${"x".repeat(90)}`],
    patch: compressPoint,
    refused: "a key whose point is compressed",
  },
  Ed25519: { key: "ed25519", refused: "a key of the type ed25519" },
  Ed448: { key: "ed448", refused: "a key of the type ed448" },
  "an RSA-PSS key": { key: "rsa-pss", refused: "a key of the type rsa-pss" },
  "signed with MD5": { key: "rsa:2048", args: "-md5" },
  "signed with SHA-1": { args: "-sha1" },
  "signed with SHA-224": {
    args: "-sha224",
    refused: "a signature of the type SHA-224 with ECDSA",
    stricter: IDF_6,
  },
  "signed with SHA-384": { args: "-sha384" },
  "signed with SHA-512": { key: "rsa:2048", args: "-sha512" },
  "signed with SHA3-256": {
    args: "-sha3-256",
    refused: "a signature of the type 2.16.840.1.101.3.4.3.10",
  },
  "signed with RSASSA-PSS": { key: "rsa:2048", args: "-sigopt rsa_padding_mode:pss" },
  "names in UTF-8": { args: "-utf8 -subj /C=DE/O=Bäume/CN=ca" },
  "a name with two attributes": { args: "-multivalue-rdn -subj /O=Trees+OU=Leaves/CN=ca" },
  "a name in T61String": { patch: nameTag(0x14) },
  "a name in BMPString": { patch: nameTag(0x1e) },
  "a name in NumericString": {
    patch: nameTag(0x12),
    refused: "a name whose text is of the ASN.1 type 18",
  },
  "no name": { args: "-subj /", refused: "an issuer without a name" },
  "valid beyond 2049": { args: "-days 20000" },
  "extensions in version 1": {
    patch: (der) => {
      const version = der.indexOf(Buffer.from("a003020102", "hex")) + 4;
      return der.fill(0, version, version + 1);
    },
    refused: "the version 1 and extensions",
  },
  "a pathLenConstraint": { extensions: ["basicConstraints = critical, CA:TRUE, pathlen:0"] },
  "CA in an extension that is not critical": { extensions: ["basicConstraints = CA:TRUE"] },
  "keyUsage of a CA": { extensions: [...CA, "keyUsage = critical, keyCertSign, cRLSign"] },
  "keyUsage without keyCertSign": {
    extensions: [...CA, "keyUsage = critical, digitalSignature"],
    refused: "a key that may not sign certificates (keyUsage)",
  },
  "critical extKeyUsage": { extensions: [...CA, "extendedKeyUsage = critical, serverAuth"] },
  "critical subjectAltName": { extensions: [...CA, "subjectAltName = critical, DNS:ca.example"] },
  nameConstraints: { extensions: [...CA, "nameConstraints = permitted;DNS:example.com"] },
  "critical nameConstraints": {
    extensions: [...CA, "nameConstraints = critical, permitted;DNS:example.com"],
    refused: "the critical extension nameConstraints",
  },
  "critical policyConstraints": {
    extensions: [...CA, "policyConstraints = critical, requireExplicitPolicy:3"],
    refused: "the critical extension policyConstraints",
  },
  "critical inhibitAnyPolicy": {
    extensions: [...CA, "inhibitAnyPolicy = critical, 2"],
    refused: "the critical extension inhibitAnyPolicy",
  },
  "a policy": { extensions: [...CA, "certificatePolicies = 1.2.3.4"] },
  "a critical policy": {
    extensions: [...CA, "certificatePolicies = critical, 1.2.3.4"],
    refused: "the critical extension certificatePolicies",
  },
  "critical anyPolicy": { extensions: [...CA, "certificatePolicies = critical, 2.5.29.32.0"] },
  "an extension of somebody's own": { extensions: [...CA, "1.2.3.4 = ASN1:UTF8String:x"] },
  "a critical extension of somebody's own": {
    extensions: [...CA, "1.2.3.4 = critical, ASN1:UTF8String:x"],
    refused: "the critical extension 1.2.3.4",
  },
  "a server's own certificate": { extensions: ["basicConstraints = CA:FALSE"] },
  "a server's own certificate, signed with SHA-1": {
    args: "-sha1",
    extensions: ["basicConstraints = CA:FALSE"],
    refused: "a signature with SHA-1",
  },
};

/** Writes the texts of the names in another ASN.1 type of characters. */
function nameTag(tag: number) {
  return (der: Buffer): Buffer => {
    const text = Buffer.from("0c026361", "hex"); // UTF8String "ca"
    for (let at = der.indexOf(text); at >= 0; at = der.indexOf(text, at + 1)) der[at] = tag;
    return der;
  };
}

/** Leaves one coordinate of a key on P-256, and the sign of the other (SEC 1, 2.3.3). */
function compressPoint(der: Buffer): Buffer {
  const start = der.indexOf(Buffer.from("03420004", "hex"));
  const end = start + 2 + 0x42;
  const x = der.subarray(start + 4, start + 36);
  const sign = 2 + ((der[end - 1] ?? 0) & 1);
  const point = Buffer.concat([Buffer.from([0x03, 0x22, 0x00, sign]), x]);
  const shorter = Buffer.concat([der.subarray(0, start), point, der.subarray(end)]);
  const INFO = 23; // The SEQUENCE around it begins so long before, with a length of one byte; the outer two have two.
  shorter[start - INFO + 1] = (shorter[start - INFO + 1] ?? 0) - 32;
  for (const at of [2, 6]) shorter.writeUInt16BE(shorter.readUInt16BE(at) - 32, at);
  return shorter;
}

const dir = temporaryDir();
const names = Object.keys(SPECIMENS);
const verdicts = new Map<string, { readonly reads: boolean; readonly trusts: boolean }>();
const TIMEOUT_MS = 60_000;

const file = (index: number, suffix: string): string => join(dir, `${index}${suffix}`);

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
}

function make({ key, args = "", extensions = CA, patch }: Specimen, index: number): void {
  const config = file(index, ".cnf");
  writeFileSync(config, `[req]\ndistinguished_name = dn\n[dn]\n[ext]\n${extensions.join("\n")}\n`);
  const [caFile, keyFile] = [file(index, ".pem"), file(index, ".key")];
  const subject = args.includes("-subj") ? [] : ["-subj", "/CN=ca"];
  const newKey = ["-newkey", ...(key ?? ec("P-256")).split(" "), "-nodes", "-keyout", keyFile];
  openssl(
    ...["req", "-x509", "-config", config, "-extensions", "ext", ...newKey],
    ...[...subject, ...args.split(" ").filter(Boolean), "-out", caFile],
  );
  if (patch !== undefined) {
    openssl("x509", "-in", caFile, "-outform", "DER", "-out", "patched.der");
    writeFileSync(join(dir, "patched.der"), patch(readFileSync(join(dir, "patched.der"))));
    openssl("x509", "-inform", "DER", "-in", "patched.der", "-out", caFile);
  }
  if (extensions.includes("basicConstraints = CA:FALSE"))
    writeFileSync(file(index, ".server.pem"), readFileSync(caFile));
  else
    openssl(
      ...["x509", "-req", "-in", "server.csr", "-CA", caFile, "-CAkey", keyFile],
      ...["-CAcreateserial", "-out", file(index, ".server.pem")],
    );
}

beforeAll(() => {
  openssl(
    "req",
    "-new",
    "-newkey",
    ...ec("P-256").split(" "),
    "-nodes",
    "-subj",
    "/CN=server",
    "-keyout",
    "server.key",
    "-out",
    "server.csr",
  ); // prettier-ignore
  const judge = join(dir, "judge");
  const source = join(REPOSITORY, "test", "support", "ca-judge.c");
  execFileSync("cc", [source, "-o", judge, "-lmbedx509", "-lmbedcrypto"]);
  names.forEach((name, index) => {
    make(SPECIMENS[name] ?? {}, index);
  });
  const files = names.flatMap((_, index) => [file(index, ".pem"), file(index, ".server.pem")]);
  const lines = execFileSync(judge, files, { encoding: "utf8" }).trimEnd().split("\n");
  lines.forEach((line, index) => {
    const [reads, trusts] = line.split(" ").map((word) => word === "1");
    verdicts.set(names[index] ?? "", { reads: reads === true, trusts: trusts === true });
  });
}, longer(TIMEOUT_MS));

test.each(names)("%s", (name) => {
  const { refused, stricter } = SPECIMENS[name] ?? {};
  const ca = readFileSync(file(names.indexOf(name), ".pem"), "utf8");
  const complaints = complaintsOf({ ...ID, backend: { ca } });
  expect(complaints).toEqual(refused === undefined ? [] : [expect.stringContaining(refused)]);
  const { reads, trusts } = verdicts.get(name) ?? {};
  expect(reads && trusts).toBe(refused === undefined || stricter !== undefined);
});
