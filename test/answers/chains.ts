import type { Material } from "./material.js";
import { EC } from "./material.js";
import { CA, CLIENT, type Issued, pems } from "./pki.js";
import { type Script, table } from "./row.js";

const RSA = "rsa:4096";

/** A root, and one intermediate after the other, each signed by the one before. */
async function line(
  { ca }: Material,
  keys: readonly (readonly [key: string, digest?: string])[],
): Promise<Issued[]> {
  const made: Issued[] = [];
  for (const [at, [key, digest = "sha256"]] of keys.entries())
    made.push(await ca(at === 0 ? "top" : `step ${at}`, key, made.at(-1), { digest }));
  return made;
}

/** Leaf and intermediates in `certificate`, the root in `ca_certificate`. */
const ofAlgorithms =
  (...keys: readonly (readonly [key: string, digest?: string])[]): Script =>
  async (material) => {
    const authorities = await line(material, keys);
    const [root, ...steps] = authorities;
    const last = authorities.at(-1);
    if (root === undefined || last === undefined) throw new Error("no root");
    const leaf = await material.device(last, { digest: keys.at(-1)?.[1] ?? "sha256" });
    return {
      certificate: pems(leaf, ...steps.toReversed()),
      ca: root.certPem,
      trusts: root,
    };
  };

const ADDED = [
  "authorityInfoAccess=OCSP;URI:http://ocsp.example.com,caIssuers;URI:http://pki.example.com/ca.cer",
  "crlDistributionPoints=URI:http://crl.example.com/a.crl,URI:http://crl.example.org/b.crl",
  "certificatePolicies=2.23.140.1.2.2,1.3.6.1.4.1.99999.1.2.3",
];

/** What keys and signatures a chain may be of. */
export const ALGORITHMS = table(
  `
P-256 alone                               | online               |                                         | 1 | spent | crt enrol
P-256, one intermediate                   | online               |                                         | 1 | spent | crt enrol
P-384 with SHA-384                        | online               |                                         | 1 | spent | crt enrol
P-521 with SHA-512                        | online               |                                         | 1 | spent | crt enrol
P-256 with SHA-512                        | online               |                                         | 1 | spent | crt enrol
RSA-2048                                  | online               |                                         | 1 | spent | crt enrol
RSA-3072 with SHA-384                     | online               |                                         | 1 | spent | crt enrol
RSA-4096 with SHA-512                     | online               |                                         | 1 | spent | crt enrol
two of RSA-4096, with all that a PKI adds | online               |                                         | 1 | spent | crt enrol
two intermediates of RSA-4096             | online               |                                         | 1 | spent | crt enrol
RSA-4096, P-384, P-256                    | online               |                                         | 1 | spent | crt enrol
P-256, RSA-2048                           | online               |                                         | 1 | spent | crt enrol
four intermediates of P-256               | online               |                                         | 1 | spent | crt enrol
an intermediate of Ed25519                | backend_bad_response | certificate: PEM block 1 cannot be read | 2 | kept  | enrol
a root of Ed25519                         | backend_bad_response | certificate: PEM block 2 cannot be read | 2 | kept  | enrol
an intermediate of brainpoolP256r1        | backend_bad_response | certificate: PEM block 2 cannot be read | 2 | kept  | enrol
an intermediate signed with SHA-1         | certificate_mismatch | it was not issued by the given CA       | 1 | spent | enrol
an intermediate of RSA-1024               | certificate_mismatch | it was not issued by the given CA       | 1 | spent | enrol
`,
  {
    "P-256 alone": ofAlgorithms([EC]),
    "P-256, one intermediate": ofAlgorithms([EC], [EC]),
    "P-384 with SHA-384": ofAlgorithms(["ec:P-384", "sha384"], ["ec:P-384", "sha384"]),
    "P-521 with SHA-512": ofAlgorithms(["ec:P-521", "sha512"], ["ec:P-521", "sha512"]),
    "P-256 with SHA-512": ofAlgorithms([EC, "sha512"], [EC, "sha512"]),
    "RSA-2048": ofAlgorithms(["rsa:2048"], ["rsa:2048"]),
    "RSA-3072 with SHA-384": ofAlgorithms(["rsa:3072", "sha384"], ["rsa:3072", "sha384"]),
    "RSA-4096 with SHA-512": ofAlgorithms([RSA, "sha512"], [RSA, "sha512"]),
    "two intermediates of RSA-4096": ofAlgorithms([RSA], [RSA], [RSA]),
    "two of RSA-4096, with all that a PKI adds": async ({ ca, device }) => {
      const extensions = [...CA, ...ADDED];
      const root = await ca("Example Root CA", RSA);
      const high = await ca("Example Policy CA", RSA, root, { extensions });
      const low = await ca("Example Issuing CA", RSA, high, { extensions });
      const leaf = await device(low, { extensions: [...CLIENT, ...ADDED] });
      return { certificate: pems(leaf, low, high), ca: root.certPem, trusts: root };
    },
    "RSA-4096, P-384, P-256": ofAlgorithms([RSA], ["ec:P-384", "sha384"], [EC]),
    "P-256, RSA-2048": ofAlgorithms([EC], ["rsa:2048"]),
    "four intermediates of P-256": ofAlgorithms([EC], [EC], [EC], [EC], [EC]),
    "an intermediate of Ed25519": ofAlgorithms([EC], ["ed25519"]),
    "a root of Ed25519": ofAlgorithms(["ed25519"], [EC]),
    "an intermediate of brainpoolP256r1": ofAlgorithms([EC], ["ec:brainpoolP256r1"]),
    "an intermediate signed with SHA-1": ofAlgorithms([EC], [EC, "sha1"]),
    "an intermediate of RSA-1024": ofAlgorithms([EC], ["rsa:1024"]),
  },
);
