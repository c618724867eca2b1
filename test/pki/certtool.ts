import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FindPki, type Pki, runIn, versionOf } from "./pki.js";

const NAME = "GnuTLS certtool";
/** From the root down; the last one signs devices and servers. */
const AUTHORITIES = ["root", "policy", "issuing"] as const;

const AUTHORITY = ["ca", "cert_signing_key", "crl_signing_key"];
const TEMPLATES = {
  client: ["signing_key", "tls_www_client"],
  server: ["signing_key", "tls_www_server", 'dns_name = "localhost"'],
} as const;

export const findCerttool: FindPki = () => {
  const version = versionOf("certtool", ["--version"]);
  return version === undefined
    ? { name: NAME, version: "", missing: "certtool (gnutls-bin) is not installed" }
    : { name: NAME, version, open: async (dir) => open(dir) };
};

function open(dir: string): Pki {
  const run = runIn(dir);
  let count = 0;
  const file = (text: string): string => {
    const path = join(dir, `${count++}.pem`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const template = (lines: readonly string[]): string[] => {
    return ["--template", file([...lines, "expiration_days = 30", ""].join("\n"))];
  };
  /** What certtool prints: a description goes to stderr, the PEM to stdout. */
  const certtool = (...args: string[]): string => run("certtool", args);
  const authorities: { pem: string; options: string[] }[] = [];
  for (const name of AUTHORITIES) {
    const key = file(certtool("--generate-privkey", "--key-type", "ecdsa", "--curve", "secp384r1"));
    const about = template([`cn = "${name}"`, 'organization = "Acme"', ...AUTHORITY]);
    const signer = authorities.at(-1);
    const how = signer ? ["--generate-certificate", ...signer.options] : ["--generate-self-signed"];
    const pem = certtool(...how, "--load-privkey", key, ...about);
    const options = ["--load-ca-certificate", file(pem), "--load-ca-privkey", key];
    authorities.push({ pem, options });
  }
  const [rootPem = "", ...intermediates] = authorities.map(({ pem }) => pem);
  return {
    rootPem,
    async sign(csrPem, use) {
      const request = ["--load-request", file(csrPem)];
      const signer = authorities.at(-1)?.options ?? [];
      const about = template(TEMPLATES[use]);
      const leaf = certtool("--generate-certificate", ...request, ...signer, ...about);
      return {
        certificate: [leaf, ...intermediates.toReversed()].join(""),
        caCertificate: rootPem,
      };
    },
  };
}
