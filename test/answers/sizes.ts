import { X509Certificate } from "node:crypto";
import type { Chain, Material } from "./material.js";
import { CA, type Issued } from "./pki.js";
import { table } from "./row.js";

/** Its signatures have the same size each time, so certificates do. */
const KEY = "rsa:2048";

const sizeOf = (...all: readonly Issued[]): number =>
  all.reduce((sum, { certPem }) => sum + new X509Certificate(certPem).raw.length, 0);

/** A CA of so many bytes of DER. */
async function paddedCa({ ca }: Material, bytes: number): Promise<Issued> {
  const padded = (filler: number): Promise<Issued> =>
    ca("filler", KEY, undefined, {
      extensions: [...CA, `1.2.3.4=ASN1:UTF8String:${"x".repeat(filler)}`],
    });
  const first = await padded(1_000);
  return padded(1_000 + bytes - sizeOf(first));
}

/** Leaf, its root and another root that together have so many bytes of DER. */
async function sized(
  material: Material,
  bytes: number,
  put: (leaf: string, root: string, filler: string) => readonly [certificate: string, ca: string],
): Promise<Chain> {
  const root = await material.ca("measured", KEY);
  const leaf = await material.device(root);
  const filler = await paddedCa(material, bytes - sizeOf(leaf, root));
  const [certificate, ca] = put(leaf.certPem, root.certPem, filler.certPem);
  return { certificate, ca, trusts: root };
}

/** How much DER there may be, both fields together. */
export const SIZES = table(
  `
7000 bytes                          | online               |                                                                  | 1 | spent | crt enrol
7000 bytes, all of them sent        | online               |                                                                  | 1 | spent | crt enrol
7000 bytes and 4 KB of words        | online               |                                                                  | 1 | spent | crt enrol
6000 bytes, each twice in its field | online               |                                                                  | 1 | spent | crt enrol
6000 bytes in both fields           | online               |                                                                  | 1 | spent | crt enrol
7001 bytes                          | backend_bad_response | certificate 595 + ca_certificate 6406 bytes of DER, 7000 allowed | 2 | kept  | enrol
7001 bytes, all of them to send     | backend_bad_response | certificate 7001 + ca_certificate 0 bytes of DER, 7000 allowed   | 2 | kept  | enrol
twelve roots of RSA-2048            | backend_bad_response | certificate 594 + ca_certificate 8976 bytes of DER, 7000 allowed | 2 | kept  | enrol
`,
  {
    "7000 bytes": (material) =>
      sized(material, 7_000, (leaf, root, filler) => [leaf, root + filler]),
    "7000 bytes, all of them sent": (material) =>
      sized(material, 7_000, (leaf, root, filler) => [leaf + root + filler, root]),
    "7000 bytes and 4 KB of words": (material) =>
      sized(material, 7_000, (leaf, root, filler) => [
        "a line of text\n".repeat(270) + leaf,
        root + filler,
      ]),
    "6000 bytes, each twice in its field": (material) =>
      sized(material, 6_000, (leaf, root, filler) => [leaf + leaf, (root + filler).repeat(2)]),
    "6000 bytes in both fields": (material) =>
      sized(material, 6_000, (leaf, root, filler) => {
        const all = leaf + filler + root;
        return [all, all];
      }),
    "7001 bytes": (material) =>
      sized(material, 7_001, (leaf, root, filler) => [leaf, root + filler]),
    "7001 bytes, all of them to send": (material) =>
      sized(material, 7_001, (leaf, root, filler) => [leaf + root + filler, root]),
    "twelve roots of RSA-2048": async ({ ca, device }) => {
      const names = Array.from({ length: 12 }, (_, at) => `root ${at + 10}`);
      const roots = await Promise.all(names.map((name) => ca(name, KEY)));
      const [root] = roots;
      if (root === undefined) throw new Error("no root");
      const all = roots.map(({ certPem }) => certPem).join("");
      return { certificate: (await device(root)).certPem, ca: all, trusts: root };
    },
  },
);
