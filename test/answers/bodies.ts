import { type Script, table } from "./row.js";
import { html, http, json, packed } from "./wire.js";

/** What is put into JSON escapes that has no need of it. */
function escaped(text: string, which: RegExp): string {
  return text.replaceAll(which, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return `\\u${code}`;
  });
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : { further: nested(depth - 1) });

/** The contract's answer, changed as text. */
const changed =
  (change: (text: string) => string | Buffer): Script =>
  ({ text }) =>
    http(200, change(text));

const within = (inside: (text: string) => string): Script =>
  changed((text) => `{${inside(text.slice(1, -1))}}`);

/** What an answer of 200 has in it. */
export const BODIES = table(
  `
a BOM before it                           | online               |                                 | 1 | spent | crt enrol
blanks and lines around it                | online               |                                 | 1 | spent | crt enrol
blanks within it                          | online               |                                 | 1 | spent | crt enrol
\\/ for each slash                        | online               |                                 | 1 | spent | crt enrol
\\u002d for each hyphen                   | online               |                                 | 1 | spent | crt enrol
\\u for every character of the PEM        | online               |                                 | 1 | spent | crt enrol
escaped names                             | online               |                                 | 1 | spent | crt enrol
further members                           | online               |                                 | 1 | spent | crt enrol
further members that hold themselves deep | online               |                                 | 1 | spent | crt enrol
further members within the two            | online               |                                 | 1 | spent | crt enrol
sixty further values                      | online               |                                 | 1 | spent | crt enrol
no UTF-8 in a further member              | online               |                                 | 1 | spent | crt enrol
the other order                           | online               |                                 | 1 | spent | crt enrol
a charset                                 | online               |                                 | 1 | spent | crt enrol
text/plain                                | online               |                                 | 1 | spent | crt enrol
no type                                   | online               |                                 | 1 | spent | crt enrol
HTML                                      | backend_bad_response | not JSON                        | 2 | kept  | enrol
nothing                                   | backend_bad_response | not JSON                        | 2 | kept  | enrol
text                                      | backend_bad_response | not JSON                        | 2 | kept  | enrol
bare PEM                                  | backend_bad_response | not JSON                        | 2 | kept  | enrol
half of it                                | backend_bad_response | not JSON                        | 2 | kept  | enrol
all but the last byte                     | backend_bad_response | not JSON                        | 2 | kept  | enrol
a letter behind it                        | backend_bad_response | not JSON                        | 2 | kept  | enrol
a NUL behind it                           | backend_bad_response | not JSON                        | 2 | kept  | enrol
another object behind it                  | backend_bad_response | not JSON                        | 2 | kept  | enrol
a comment                                 | backend_bad_response | not JSON                        | 2 | kept  | enrol
a comma too many                          | backend_bad_response | not JSON                        | 2 | kept  | enrol
single quotes                             | backend_bad_response | not JSON                        | 2 | kept  | enrol
a line within a text                      | backend_bad_response | not JSON                        | 2 | kept  | enrol
UTF-16                                    | backend_bad_response | not JSON                        | 2 | kept  | enrol
gzip                                      | backend_bad_response | not JSON                        | 2 | kept  | enrol
an array                                  | backend_bad_response | not JSON                        | 2 | kept  | enrol
null                                      | backend_bad_response | not JSON                        | 2 | kept  | enrol
JSON in a text                            | backend_bad_response | not JSON                        | 2 | kept  | enrol
a guard against scripts                   | backend_bad_response | not JSON                        | 2 | kept  | enrol
\\u0000 in the certificate                | backend_bad_response | not JSON                        | 2 | kept  | enrol
a hundred further values                  | backend_bad_response | not JSON                        | 2 | kept  | enrol
a thousand objects in one another         | backend_bad_response | not JSON                        | 2 | kept  | enrol
an empty object                           | backend_bad_response | certificate: missing            | 2 | kept  | enrol
a refusal                                 | backend_bad_response | certificate: missing            | 2 | kept  | enrol
names in capitals                         | backend_bad_response | certificate: missing            | 2 | kept  | enrol
the two in an object of their own         | backend_bad_response | certificate: missing            | 2 | kept  | enrol
the two as texts                          | backend_bad_response | certificate: missing            | 2 | kept  | enrol
content of null                           | backend_bad_response | certificate: missing            | 2 | kept  | enrol
content of a number                       | backend_bad_response | certificate: missing            | 2 | kept  | enrol
content of an array                       | backend_bad_response | certificate: missing            | 2 | kept  | enrol
no ca_certificate                         | backend_bad_response | ca_certificate: missing         | 2 | kept  | enrol
a ca_certificate of null                  | backend_bad_response | ca_certificate: missing         | 2 | kept  | enrol
certificate twice                         | backend_bad_response | a name stands there twice       | 2 | kept  | enrol
ca_certificate twice, once escaped        | backend_bad_response | a name stands there twice       | 2 | kept  | enrol
content twice, in the certificate         | backend_bad_response | a name stands there twice       | 2 | kept  | enrol
24576 bytes                               | online               |                                 | 1 | spent | crt enrol
24577 bytes                               | backend_bad_response | over 24576 bytes                | 2 | kept  | enrol
1 MiB                                     | backend_bad_response | over 24576 bytes                | 2 | kept  | enrol
`,
  {
    "a BOM before it": changed((text) => `\ufeff${text}`),
    "blanks and lines around it": changed((text) => `\r\n \t${text}\n\r\n `),
    "blanks within it": ({ good }) => http(200, JSON.stringify(good, null, "\t\n  ")),
    "\\/ for each slash": changed((text) => text.replaceAll("/", "\\/")),
    "\\u002d for each hyphen": changed((text) => escaped(text, /-/g)),
    "\\u for every character of the PEM": ({ leaf, root }) => {
      const content = (pem: string) => `{"content":"${escaped(pem, /./gs)}"}`;
      return http(
        200,
        `{"certificate":${content(leaf.certPem)},"ca_certificate":${content(root.certPem)}}`,
      );
    },
    "escaped names": changed((text) => text.replaceAll("c", "\\u0063")),
    "further members": ({ good }) =>
      json(200, { status: "ok", serial: 1e300, expires: null, ...good, chain: ["x", true] }),
    "further members that hold themselves deep": ({ good }) =>
      json(200, { meta: nested(6), ...good }),
    "further members within the two": ({ leaf, root }) =>
      json(200, {
        certificate: { format: "pem", content: leaf.certPem, size: 1 },
        ca_certificate: { content: root.certPem, name: "x" },
      }),
    "sixty further values": ({ good }) => json(200, { numbers: Array(60).fill(7), ...good }),
    "a hundred further values": ({ good }) => json(200, { numbers: Array(100).fill(7), ...good }),
    "no UTF-8 in a further member": changed((text) =>
      Buffer.from(`{"note":"\xff\xfe\xe9",${text.slice(1)}`, "latin1"),
    ),
    "the other order": ({ good }) =>
      json(200, { ca_certificate: good.ca_certificate, certificate: good.certificate }),
    "a charset": ({ good }) => json(200, good, { type: 'application/json; charset="UTF-8"' }),
    "text/plain": ({ good }) => json(200, good, { type: "text/plain" }),
    "no type": ({ good }) => json(200, good, { type: null }),
    HTML: () => html(200),
    nothing: () => http(200),
    text: () => http(200, "OK", { type: "text/plain" }),
    "bare PEM": ({ leaf, root }) =>
      http(200, leaf.certPem + root.certPem, { type: "application/x-pem-file" }),
    "half of it": changed((text) => text.slice(0, text.length / 2)),
    "all but the last byte": changed((text) => text.slice(0, -1)),
    "a letter behind it": changed((text) => `${text}x`),
    "a NUL behind it": changed((text) => `${text}\0`),
    "another object behind it": changed((text) => `${text}\n{}`),
    "a comment": changed((text) => `/* signed */${text}`),
    "a comma too many": within((text) => `${text},`),
    "single quotes": changed((text) => text.replaceAll('"', "'")),
    "a line within a text": changed((text) => text.replaceAll("\\n", "\n")),
    "UTF-16": changed((text) => Buffer.from(`\ufeff${text}`, "utf16le")),
    gzip: ({ text }) => packed(200, text),
    "an array": ({ good }) => json(200, [good]),
    null: () => json(200, null),
    "JSON in a text": ({ text }) => json(200, text),
    "a guard against scripts": changed((text) => `)]}',\n${text}`),
    "\\u0000 in the certificate": changed((text) => text.replace("\\n", "\\u0000\\n")),
    "a thousand objects in one another": ({ good }) => json(200, { meta: nested(1000), ...good }),
    "an empty object": () => json(200, {}),
    "a refusal": () => json(200, { status: "error", code: "token_spent" }),
    "names in capitals": changed((text) => text.replaceAll("certificate", "CERTIFICATE")),
    "the two in an object of their own": ({ good }) => json(200, { data: good }),
    "the two as texts": ({ leaf, root }) =>
      json(200, { certificate: leaf.certPem, ca_certificate: root.certPem }),
    "content of null": ({ good }) => json(200, { ...good, certificate: { content: null } }),
    "content of a number": ({ good }) => json(200, { ...good, certificate: { content: 7 } }),
    "content of an array": ({ good, leaf }) =>
      json(200, { ...good, certificate: { content: [leaf.certPem] } }),
    "no ca_certificate": ({ good }) => json(200, { certificate: good.certificate }),
    "a ca_certificate of null": ({ good }) => json(200, { ...good, ca_certificate: null }),
    "certificate twice": within((text) => `"certificate":{},${text}`),
    "ca_certificate twice, once escaped": within((text) => `${text},"ca\\u005fcertificate":null`),
    "content twice, in the certificate": changed((text) =>
      text.replace('"content":', '"content":"","content":'),
    ),
    "24576 bytes": changed((text) => text.padEnd(24_576)),
    "24577 bytes": changed((text) => text.padEnd(24_577)),
    "1 MiB": changed((text) => text.padEnd(1 << 20)),
  },
);
