import { DEVICE_ID } from "../attack/rig.js";
import { type Chain, EC, type Material } from "./material.js";
import { CA, CLIENT, type Order } from "./pki.js";
import { type Script, table } from "./row.js";

/** A leaf by the default root with something of its own. */
const leafWith =
  (order: Partial<Order>): Script =>
  async ({ device, root }): Promise<Chain> => ({
    certificate: (await device(root, order)).certPem,
    ca: root.certPem,
  });

const used = (...extensions: readonly string[]): Script =>
  leafWith({ extensions: ["basicConstraints=CA:FALSE", ...extensions] });

/** A good leaf by an intermediate with something of its own. */
const stepWith =
  (order: Partial<Order>): Script =>
  async ({ ca, device, root }): Promise<Chain> => {
    const step = await ca("a step", EC, root, order);
    return { certificate: (await device(step)).certPem + step.certPem, ca: root.certPem };
  };

/** Whom and what a certificate is for, and when. */
export const FITNESS = table(
  `
no extendedKeyUsage                       | online               |                                         | 1 | spent | crt enrol
clientAuth and serverAuth                 | online               |                                         | 1 | spent | crt enrol
clientAuth, critical                      | online               |                                         | 1 | spent | crt enrol
no keyUsage                               | online               |                                         | 1 | spent | crt enrol
neither                                   | online               |                                         | 1 | spent | crt enrol
digitalSignature and keyEncipherment      | online               |                                         | 1 | spent | crt enrol
serverAuth alone                          | certificate_mismatch | it is not for TLS clients               | 1 | spent | enrol
emailProtection and codeSigning           | certificate_mismatch | it is not for TLS clients               | 1 | spent | enrol
keyUsage without digitalSignature         | certificate_mismatch | it is not for TLS clients               | 1 | spent | enrol
another key                               | certificate_mismatch | it is for another key                   | 1 | spent | enrol
another CN                                | certificate_mismatch | it is for another device                | 1 | spent | enrol
a CN in capitals                          | certificate_mismatch | it is for another device                | 1 | spent | enrol
no CN                                     | certificate_mismatch | it is for another device                | 1 | spent | enrol
the id as a name in subjectAltName alone  | certificate_mismatch | it is for another device                | 1 | spent | enrol
CN and further names                      | online               |                                         | 1 | spent | crt enrol
from tomorrow                             | certificate_mismatch | it is not valid yet                     | 1 | spent | enrol
until yesterday                           | certificate_mismatch | it has expired                          | 1 | spent | enrol
until 9999                                | online               |                                         | 1 | spent | crt enrol
an intermediate until yesterday           | certificate_mismatch | it has expired                          | 1 | spent | enrol
an intermediate from tomorrow             | certificate_mismatch | it is not valid yet                     | 1 | spent | enrol
an intermediate that is no CA             | certificate_mismatch | it was not issued by the given CA       | 1 | spent | enrol
an intermediate that may not sign         | certificate_mismatch | it was not issued by the given CA       | 1 | spent | enrol
a path that is too long                   | certificate_mismatch | it was not issued by the given CA       | 1 | spent | enrol
a critical extension that nobody knows    | backend_bad_response | certificate: PEM block 1 cannot be read | 2 | kept  | enrol
an extension that nobody knows            | online               |                                         | 1 | spent | crt enrol
signed by itself                          | certificate_mismatch | it was not issued by the given CA       | 1 | spent | enrol
by a CA of the root's name                | certificate_mismatch | it was not issued by the given CA       | 1 | spent | enrol
a root that the broker does not know      | broker_rejected      | it hung up on the device's certificate  | 1 | spent | crt_new enrol
anyExtendedKeyUsage, no broker's taste    | broker_rejected      | it hung up on the device's certificate  | 1 | spent | crt_new enrol
from a minute ahead, not yet the broker's | broker_rejected      | it hung up on the device's certificate  | 1 | spent | crt_new enrol
the intermediate as the only CA           | online               |                                         | 1 | spent | crt enrol
cross-signed, ours first                  | online               |                                         | 1 | spent | crt enrol
cross-signed, ours second                 | online               |                                         | 1 | spent | crt enrol
a CA with a new key, old and new          | online               |                                         | 1 | spent | crt enrol
`,
  {
    "no extendedKeyUsage": used("keyUsage=critical,digitalSignature"),
    "clientAuth and serverAuth": used("extendedKeyUsage=serverAuth,clientAuth"),
    "clientAuth, critical": used("extendedKeyUsage=critical,clientAuth"),
    "anyExtendedKeyUsage, no broker's taste": used("extendedKeyUsage=anyExtendedKeyUsage"),
    "no keyUsage": used("extendedKeyUsage=clientAuth"),
    neither: used(),
    "digitalSignature and keyEncipherment": used("keyUsage=digitalSignature,keyEncipherment"),
    "serverAuth alone": used("extendedKeyUsage=serverAuth"),
    "emailProtection and codeSigning": used("extendedKeyUsage=emailProtection,codeSigning"),
    "keyUsage without digitalSignature": used("keyUsage=critical,keyAgreement"),
    "another key": leafWith({ key: `${EC} of another` }),
    "another CN": leafWith({ subject: "/CN=another" }),
    "a CN in capitals": leafWith({ subject: `/CN=${DEVICE_ID.toUpperCase()}` }),
    "no CN": leafWith({ subject: "/O=Example" }),
    "the id as a name in subjectAltName alone": leafWith({
      subject: "/O=Example",
      extensions: [...CLIENT, `subjectAltName=DNS:${DEVICE_ID}`],
    }),
    "CN and further names": leafWith({
      subject: `/C=DE/O=Example GmbH/OU=Geräte/CN=${DEVICE_ID}/serialNumber=7`,
    }),
    "from tomorrow": leafWith({ from: 1 }),
    "until yesterday": leafWith({ from: -2, until: -1 }),
    "from a minute ahead, not yet the broker's": leafWith({ from: 1 / 1440 }),
    "until 9999": leafWith({ until: (Date.UTC(9999, 11, 31) - Date.now()) / 86_400_000 }),
    "an intermediate until yesterday": stepWith({ from: -2, until: -1 }),
    "an intermediate from tomorrow": stepWith({ from: 1 }),
    "an intermediate that is no CA": stepWith({ extensions: ["basicConstraints=CA:FALSE"] }),
    "an intermediate that may not sign": stepWith({
      extensions: ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,digitalSignature"],
    }),
    "a path that is too long": async ({ ca, device }) => {
      const extensions = ["basicConstraints=critical,CA:TRUE,pathlen:0", ...CA.slice(1)];
      const root = await ca("a short one", EC, undefined, { extensions });
      const step = await ca("one too many", EC, root);
      const leaf = await device(step);
      return { certificate: leaf.certPem + step.certPem, ca: root.certPem, trusts: root };
    },
    "a critical extension that nobody knows": used("1.2.3.4=critical,ASN1:UTF8String:x"),
    "an extension that nobody knows": used("1.2.3.4=ASN1:UTF8String:x"),
    "signed by itself": async ({ pki, root }) => {
      const own = { subject: `/CN=${DEVICE_ID}`, key: "device", extensions: CLIENT };
      return { certificate: (await pki.issue(own)).certPem, ca: root.certPem };
    },
    "by a CA of the root's name": async ({ pki, device, root }) => {
      const false_ = await pki.issue({ subject: "/CN=root", key: `${EC} false`, extensions: CA });
      return { certificate: (await device(false_)).certPem, ca: root.certPem };
    },
    "a root that the broker does not know": async ({ leaf, root, ca }) => ({
      certificate: leaf.certPem,
      ca: root.certPem,
      trusts: await ca("another root", EC),
      signer: root,
    }),
    "the intermediate as the only CA": async ({ ca, device, root }) => {
      const step = await ca("the only one", EC, root);
      const leaf = await device(step);
      return { certificate: leaf.certPem, ca: step.certPem, trusts: root, signer: step };
    },
    "cross-signed, ours first": (material) => crossSigned(material, (ours, other) => ours + other),
    "cross-signed, ours second": (material) => crossSigned(material, (ours, other) => other + ours),
    "a CA with a new key, old and new": async ({ ca, device }) => {
      const old = await ca("rolled", EC);
      const renewed = await ca("rolled", EC, undefined, { key: `${EC} rolled anew` });
      const leaf = await device(renewed);
      const both = old.certPem + renewed.certPem;
      return { certificate: leaf.certPem, ca: both, trusts: renewed };
    },
  },
);

/** An intermediate that two roots have signed; the device and the broker know one of them. */
async function crossSigned(
  { ca, device }: Material,
  put: (ours: string, other: string) => string,
): Promise<Chain> {
  const ours = await ca("ours", EC);
  const other = await ca("the other", EC);
  const byOurs = await ca("crossed", EC, ours);
  const byOther = await ca("crossed", EC, other);
  const leaf = await device(byOurs);
  const steps = put(byOurs.certPem, byOther.certPem);
  return { certificate: leaf.certPem + steps, ca: ours.certPem, trusts: ours };
}
