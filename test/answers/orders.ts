import type { Chain, Material } from "./material.js";
import { EC } from "./material.js";
import { type Issued, pems } from "./pki.js";
import { type Script, table } from "./row.js";

interface Family {
  readonly leaf: Issued;
  readonly low: Issued;
  readonly high: Issued;
  readonly root: Issued;
  /** Another root, which has nothing to do with them. */
  readonly stranger: Issued;
  /** What mbedTLS cannot read. */
  readonly unreadable: Issued;
  /** The root's predecessor, of the same name and key. */
  readonly expired: Issued;
  readonly material: Material;
}

const YEARS = 365;

async function family(material: Material): Promise<Family> {
  const { ca, device } = material;
  const root = await ca("the root", EC);
  const high = await ca("high", EC, root);
  const low = await ca("low", EC, high);
  return {
    ...{ material, root, high, low, leaf: await device(low) },
    stranger: await ca("a stranger", EC),
    unreadable: await ca("an unreadable one", "ed25519"),
    expired: await ca("the root", EC, undefined, { from: -3 * YEARS, until: -1 }),
  };
}

const GARBAGE = "-----BEGIN CERTIFICATE-----\nMAUGA1UEBg==\n-----END CERTIFICATE-----\n";

/** The texts for the two; the broker knows the family's root alone. */
const fields =
  (put: (family: Family) => readonly [certificate: string, ca: string]): Script =>
  async (material): Promise<Chain> => {
    const all = await family(material);
    const [certificate, ca] = put(all);
    return { certificate, ca, trusts: all.root };
  };

/** The chain as it should be, beside these CAs. */
const beside = (put: (family: Family) => string): Script =>
  fields((of) => [pems(of.leaf, of.low, of.high), put(of)]);

/** What stands where. A broker knows the root alone, so it takes a device only that has sent its intermediates. */
export const ORDERS = table(
  `
leaf, low, high; root                 | online               |                                          | 1 | spent | crt enrol
leaf last                             | online               |                                          | 1 | spent | crt enrol
leaf in the middle                    | online               |                                          | 1 | spent | crt enrol
the root in certificate too           | online               |                                          | 1 | spent | crt enrol
the root first, leaf last             | online               |                                          | 1 | spent | crt enrol
leaf; low, high, root                 | online               |                                          | 1 | spent | crt enrol
leaf; root, low, high                 | online               |                                          | 1 | spent | crt enrol
leaf, low; high, root                 | online               |                                          | 1 | spent | crt enrol
intermediates in both                 | online               |                                          | 1 | spent | crt enrol
everything in both                    | online               |                                          | 1 | spent | crt enrol
two roots                             | online               |                                          | 1 | spent | crt enrol
two roots, ours first                 | online               |                                          | 1 | spent | crt enrol
an expired root before the good one   | online               |                                          | 1 | spent | crt enrol
an expired root after the good one    | online               |                                          | 1 | spent | crt enrol
an unreadable CA before the root      | online               |                                          | 1 | spent | crt enrol | ca_certificate: PEM block 1 cannot be read and is passed over
an unreadable CA after the root       | online               |                                          | 1 | spent | crt enrol | ca_certificate: PEM block 2 cannot be read and is passed over
garbage among the CAs                 | online               |                                          | 1 | spent | crt enrol | ca_certificate: PEM block 2 cannot be read and is passed over
a CA that is cut off behind the root  | online               |                                          | 1 | spent | crt enrol | ca_certificate: PEM block 2 cannot be read and is passed over
a stranger beside them in certificate | online               |                                          | 1 | spent | crt enrol
unreadable CAs alone                  | backend_bad_response | ca_certificate: no PEM block can be read | 2 | kept  | enrol
garbage behind the leaf               | backend_bad_response | certificate: PEM block 2 cannot be read  | 2 | kept  | enrol
an expired root alone                 | certificate_mismatch | it has expired                           | 1 | spent | enrol
leaf; root                            | certificate_mismatch | it was not issued by the given CA        | 1 | spent | enrol
leaf, high; root                      | certificate_mismatch | it was not issued by the given CA        | 1 | spent | enrol
leaf, low, high; a stranger           | certificate_mismatch | it was not issued by the given CA        | 1 | spent | enrol
no leaf                               | certificate_mismatch | it is for another key                    | 1 | spent | enrol
`,
  {
    "leaf, low, high; root": beside((of) => of.root.certPem),
    "leaf last": fields((of) => [pems(of.high, of.low, of.leaf), of.root.certPem]),
    "leaf in the middle": fields((of) => [pems(of.high, of.leaf, of.low), of.root.certPem]),
    "the root in certificate too": fields((of) => [
      pems(of.leaf, of.low, of.high, of.root),
      of.root.certPem,
    ]),
    "the root first, leaf last": fields((of) => [
      pems(of.root, of.high, of.low, of.leaf),
      of.root.certPem,
    ]),
    "leaf; low, high, root": fields((of) => [of.leaf.certPem, pems(of.low, of.high, of.root)]),
    "leaf; root, low, high": fields((of) => [of.leaf.certPem, pems(of.root, of.low, of.high)]),
    "leaf, low; high, root": fields((of) => [pems(of.leaf, of.low), pems(of.high, of.root)]),
    "intermediates in both": beside((of) => pems(of.low, of.high, of.root)),
    "everything in both": fields((of) => {
      const all = pems(of.leaf, of.low, of.high, of.root);
      return [all, all];
    }),
    "two roots": beside((of) => pems(of.stranger, of.root)),
    "two roots, ours first": beside((of) => pems(of.root, of.stranger)),
    "an expired root before the good one": beside((of) => pems(of.expired, of.root)),
    "an expired root after the good one": beside((of) => pems(of.root, of.expired)),
    "an unreadable CA before the root": beside((of) => pems(of.unreadable, of.root)),
    "an unreadable CA after the root": beside((of) => pems(of.root, of.unreadable)),
    "garbage among the CAs": beside((of) => `${of.stranger.certPem}${GARBAGE}${of.root.certPem}`),
    "a CA that is cut off behind the root": beside(
      (of) => of.root.certPem + of.stranger.certPem.slice(0, 200),
    ),
    "a stranger beside them in certificate": fields((of) => [
      pems(of.leaf, of.stranger, of.low, of.high),
      of.root.certPem,
    ]),
    "unreadable CAs alone": beside((of) => of.unreadable.certPem + GARBAGE),
    "garbage behind the leaf": fields((of) => [
      of.leaf.certPem + GARBAGE,
      pems(of.low, of.high, of.root),
    ]),
    "an expired root alone": beside((of) => of.expired.certPem),
    "leaf; root": fields((of) => [of.leaf.certPem, of.root.certPem]),
    "leaf, high; root": fields((of) => [pems(of.leaf, of.high), of.root.certPem]),
    "leaf, low, high; a stranger": beside((of) => of.stranger.certPem),
    "no leaf": fields((of) => [pems(of.low, of.high), of.root.certPem]),
  },
);
