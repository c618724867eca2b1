import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../helpers/prov.js";
import { type Answer, type FindPki, type Pki, runIn, type Use, versionOf } from "./pki.js";

/** From the root down; each has its folder, and the last one signs devices and servers. */
const AUTHORITIES = ["root", "policy", "issuing"] as const;

const COMPANY = "/C=DE/O=Acme Device Manufacturing GmbH/OU=Public Key Infrastructure";

interface Style {
  readonly name: string;
  readonly bits: number;
  /** Whether the certificates come as `openssl ca` prints them by itself, with a description in front of the PEM. */
  readonly withText: boolean;
}

/** A folder for each CA, with its index, its serial numbers and its configuration. */
export const findOpensslCa: FindPki = () =>
  find({ name: "openssl ca", bits: 2048, withText: true });

/** Leaf, two intermediates and root as a company with long keys has them. The descriptions alone would fill an answer. */
export const findOpensslRsa4096: FindPki = () =>
  find({ name: "openssl ca, RSA-4096", bits: 4096, withText: false });

function find(style: Style): ReturnType<FindPki> {
  const version = versionOf("openssl", ["version"]);
  return version === undefined
    ? { name: style.name, version: "", missing: "openssl is not installed" }
    : { name: style.name, version, open: async (dir) => openOpensslCa(dir, style) };
}

function openOpensslCa(dir: string, { bits, withText }: Style): Pki {
  const openssl = runIn(dir);
  const describe = withText ? [] : ["-notext"];
  const authorities = AUTHORITIES.map((name) => {
    const own = join(dir, name);
    mkdirSync(join(own, "newcerts"), { recursive: true });
    writeFileSync(join(own, "index.txt"), "");
    writeFileSync(join(own, "key.pem"), keyFor(name, bits), { mode: 0o600 });
    writeFileSync(join(own, "openssl.cnf"), configuration(own));
    return { name, config: join(own, "openssl.cnf"), certificate: join(own, "ca.pem") };
  });
  const ca = (config: string, ...args: string[]): string =>
    openssl("openssl", ["ca", "-batch", "-create_serial", ...describe, "-config", config, ...args]);
  authorities.forEach(({ name, certificate }, index) => {
    const key = join(dir, name, "key.pem");
    const csr = join(dir, `${name}.csr`);
    const subject = `${COMPANY}/CN=Acme ${name} CA`;
    openssl("openssl", ["req", "-new", "-key", key, "-subj", subject, "-out", csr]);
    const signer = authorities[index - 1] ?? authorities[0];
    if (signer === undefined) throw new Error("no CA");
    const itself = index === 0 ? ["-selfsign"] : [];
    ca(signer.config, ...itself, "-extensions", "authority", "-in", csr, "-out", certificate);
  });
  const printed = authorities.map(({ certificate }) => readFileSync(certificate, "utf8"));
  const [rootPem = "", ...intermediates] = printed;
  let count = 0;
  return {
    rootPem,
    async sign(csrPem: string, use: Use): Promise<Answer> {
      const name = join(dir, `request-${count++}`);
      writeFileSync(`${name}.csr`, csrPem);
      const files = ["-in", `${name}.csr`, "-out", `${name}.pem`];
      ca(authorities.at(-1)?.config ?? "", "-extensions", use, ...files);
      const leaf = readFileSync(`${name}.pem`, "utf8");
      return {
        certificate: [leaf, ...intermediates.toReversed()].join(""),
        caCertificate: rootPem,
      };
    },
  };
}

/** A long key takes seconds to make and is the same in each run: it protects nothing but a test. */
function keyFor(name: string, bits: number): string {
  const dir = join(REPOSITORY, ".cache", "pki-keys");
  const path = join(dir, `${name}-${bits}.pem`);
  if (!existsSync(path)) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const made = `${path}.${process.pid}`;
    runIn(dir)("openssl", ["genrsa", "-out", made, String(bits)]);
    renameSync(made, path);
  }
  return readFileSync(path, "utf8");
}

/** What companies have in each certificate, for a device to pass over. */
const PLACES = `authorityInfoAccess = caIssuers;URI:http://pki.acme.example/ca.cer, OCSP;URI:http://ocsp.acme.example
crlDistributionPoints = URI:http://pki.acme.example/ca.crl
certificatePolicies = 1.3.6.1.4.1.99999.1.1
`;

function configuration(own: string): string {
  return `[ ca ]
default_ca = this

[ this ]
database = ${own}/index.txt
# A device that forgot everything comes again under the same name.
unique_subject = no
serial = ${own}/serial
new_certs_dir = ${own}/newcerts
certificate = ${own}/ca.pem
private_key = ${own}/key.pem
default_md = sha256
default_days = 30
policy = named

[ named ]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = supplied

[ authority ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${PLACES}
[ client ]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${PLACES}
[ server ]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${PLACES}`;
}
