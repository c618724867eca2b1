import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Chain, EC, type Material } from "./material.js";
import { type Script, table } from "./row.js";

interface Texts {
  readonly leaf: string;
  /** The intermediate that has signed it. */
  readonly step: string;
  readonly root: string;
}

type Print = (pem: string, texts: Texts, material: Material) => string | Promise<string>;

/** The texts of leaf and intermediate, and of the root, printed in another way. */
const printed =
  (print: Print, printCa: Print = print): Script =>
  async (material): Promise<Chain> => {
    const { ca, device } = material;
    const root = await ca("printed", EC);
    const step = await ca("printed step", EC, root);
    const leaf = await device(step);
    const texts = { leaf: leaf.certPem, step: step.certPem, root: root.certPem };
    return {
      certificate: await print(texts.leaf + texts.step, texts, material),
      ca: await printCa(texts.root, texts, material),
      trusts: root,
    };
  };

const asItIs: Print = (pem) => pem;

const BLOCK = /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----\n?/g;

/** Each block's Base64, its lines put together, printed in another way. */
const base64 = (print: (letters: string) => string): Script =>
  printed((pem) =>
    pem.replaceAll(
      BLOCK,
      (_, body) =>
        `-----BEGIN CERTIFICATE-----\n${print(body.replaceAll(/\s/g, ""))}\n-----END CERTIFICATE-----\n`,
    ),
  );

const inLines = (size: number, end: string) => (letters: string) =>
  letters.match(new RegExp(`.{1,${size}}`, "g"))?.join(end) ?? "";

const labelled = (label: string): Script =>
  printed((pem) => pem.replaceAll(" CERTIFICATE-----", ` ${label}-----`));

const block = (label: string): string =>
  `-----BEGIN ${label}-----\nMAUGA1UEBg==\n-----END ${label}-----\n`;

/** How certificates are printed. */
export const ENCODINGS = table(
  `
lines that end in CR LF           | online               |                                          | 1 | spent | crt enrol
lines that end in CR              | online               |                                          | 1 | spent | crt enrol
no line ends                      | online               |                                          | 1 | spent | crt enrol
blocks glued together             | online               |                                          | 1 | spent | crt enrol
Base64 in one line                | online               |                                          | 1 | spent | crt enrol
Base64 in lines of 76             | online               |                                          | 1 | spent | crt enrol
Base64 in lines of one            | online               |                                          | 1 | spent | crt enrol
Base64 with blanks and tabs       | online               |                                          | 1 | spent | crt enrol
blank lines                       | online               |                                          | 1 | spent | crt enrol
indented                          | online               |                                          | 1 | spent | crt enrol
without the last line end         | online               |                                          | 1 | spent | crt enrol
X509 CERTIFICATE                  | online               |                                          | 1 | spent | crt enrol
openssl x509 -text                | online               |                                          | 1 | spent | crt enrol
openssl s_client's lines          | online               |                                          | 1 | spent | crt enrol
words in UTF-8 around             | online               |                                          | 1 | spent | crt enrol
a BOM                             | online               |                                          | 1 | spent | crt enrol
a private key before it           | online               |                                          | 1 | spent | crt enrol
a private key behind it           | online               |                                          | 1 | spent | crt enrol
EC PARAMETERS before it           | online               |                                          | 1 | spent | crt enrol
a CRL and a request beside it     | online               |                                          | 1 | spent | crt enrol
TRUSTED CERTIFICATE               | backend_bad_response | certificate: no PEM block in it          | 2 | kept  | enrol
PKCS7                             | backend_bad_response | certificate: no PEM block in it          | 2 | kept  | enrol
Base64 of DER without a frame     | backend_bad_response | certificate: no PEM block in it          | 2 | kept  | enrol
an empty text                     | backend_bad_response | certificate: no PEM block in it          | 2 | kept  | enrol
an empty block                    | backend_bad_response | certificate: PEM block 1 cannot be read  | 2 | kept  | enrol
no END                            | backend_bad_response | certificate: PEM block 1 cannot be read  | 2 | kept  | enrol
a letter that is no Base64        | backend_bad_response | certificate: PEM block 1 cannot be read  | 2 | kept  | enrol
a header of RFC 1421 in it        | backend_bad_response | certificate: PEM block 1 cannot be read  | 2 | kept  | enrol
line ends escaped twice           | backend_bad_response | certificate: PEM block 1 cannot be read  | 2 | kept  | enrol
Base64 without its padding        | backend_bad_response | certificate: PEM block 1 cannot be read  | 2 | kept  | enrol
Base64 for URLs                   | backend_bad_response | certificate: PEM block 1 cannot be read  | 2 | kept  | enrol
an empty text for the CA          | backend_bad_response | ca_certificate: no PEM block in it       | 2 | kept  | enrol
DER without a frame for the CA    | backend_bad_response | ca_certificate: no PEM block in it       | 2 | kept  | enrol
line ends escaped twice in the CA | backend_bad_response | ca_certificate: no PEM block can be read | 2 | kept  | enrol
`,
  {
    "lines that end in CR LF": printed((pem) => pem.replaceAll("\n", "\r\n")),
    "lines that end in CR": printed((pem) => pem.replaceAll("\n", "\r")),
    "no line ends": printed((pem) => pem.replaceAll("\n", "")),
    "blocks glued together": printed((pem) => pem.replaceAll("-----\n-----", "----------")),
    "Base64 in one line": base64((letters) => letters),
    "Base64 in lines of 76": base64(inLines(76, "\r\n")),
    "Base64 in lines of one": base64(inLines(1, "\n")),
    "Base64 with blanks and tabs": base64(inLines(10, " \t")),
    "blank lines": printed((pem) => `\n\n${pem.replaceAll("\n", "\n\n")}`),
    indented: printed((pem) => pem.replaceAll(/^/gm, "    ")),
    "without the last line end": printed((pem) => pem.trimEnd()),
    "X509 CERTIFICATE": labelled("X509 CERTIFICATE"),
    "openssl x509 -text": printed(async (pem, _, { pki }) => {
      const blocks = pem.match(BLOCK) ?? [];
      return (await Promise.all(blocks.map((each) => pki.print(each, "x509", "-text")))).join("");
    }),
    "openssl s_client's lines": printed((pem) =>
      pem.replaceAll(BLOCK, (each) => ` 0 s:CN = x\n   i:CN = y\n   a:PKEY: -----\n${each}---\n`),
    ),
    "words in UTF-8 around": printed((pem) => `Zertifikat für Gerät №7\n${pem}\n終わり\n`),
    "a BOM": printed((pem) => `\ufeff${pem}`),
    "a private key before it": printed(async (pem, _, { pki }) => {
      const key = readFileSync(await pki.keyFile(`${EC} of somebody`), "utf8");
      return key + pem;
    }),
    "a private key behind it": printed((pem) => `${pem}${block("RSA PRIVATE KEY")}`),
    "EC PARAMETERS before it": printed(
      (pem) =>
        `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem}`,
    ),
    "a CRL and a request beside it": printed(
      (pem) => `${block("X509 CRL")}${pem}${block("CERTIFICATE REQUEST")}`,
    ),
    "TRUSTED CERTIFICATE": labelled("TRUSTED CERTIFICATE"),
    PKCS7: labelled("PKCS7"),
    "Base64 of DER without a frame": printed((_, { leaf }) =>
      new X509Certificate(leaf).raw.toString("base64"),
    ),
    "an empty text": printed(() => ""),
    "an empty block": printed(
      (pem) => `-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n${pem}`,
    ),
    "no END": printed((pem) => pem.slice(0, 300)),
    "a letter that is no Base64": base64(
      (letters) => `${letters.slice(0, 40)}*${letters.slice(41)}`,
    ),
    "a header of RFC 1421 in it": base64((letters) => `Proc-Type: 4,CLEAR\n\n${letters}`),
    "line ends escaped twice": printed((pem) => pem.replaceAll("\n", "\\n")),
    // Where the length needs no padding, the last letter goes: it is as incomplete.
    "Base64 without its padding": base64((letters) => letters.replace(/=+$|.$/, "")),
    "Base64 for URLs": base64((letters) => `${letters.slice(0, 40)}-_${letters.slice(42)}`),
    "an empty text for the CA": printed(asItIs, () => ""),
    "DER without a frame for the CA": printed(asItIs, (pem) =>
      new X509Certificate(pem).raw.toString("base64"),
    ),
    "line ends escaped twice in the CA": printed(asItIs, (pem) => pem.replaceAll("\n", "\\n")),
  },
);
