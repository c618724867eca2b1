import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type BrokerOptions, brokerAccess } from "../../cli/commands/options/broker.js";
import { createCa, issueCertificate } from "../../cli/lab/pki/ca.js";
import { privateKeyToPem } from "../../cli/pki/keys.js";
import { temporaryDir } from "../helpers/project.js";

const URI = "mqtts://broker:8883";

let dir: string;
let caPem: string;
let certPem: string;
let keyPem: string;
let foreignKeyPem: string;
beforeAll(async () => {
  dir = temporaryDir();
  const ca = await createCa({ commonName: "a CA" });
  caPem = ca.certPem;
  ({ certPem, keyPem } = await issueCertificate(ca, { usage: "client", commonName: "me" }));
  foreignKeyPem = privateKeyToPem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
});

/** What these files give, written to the places that the options name. */
function access(files: { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer }) {
  const { ca = caPem, cert = certPem, key = keyPem } = files;
  const place = (name: string, content: string | Buffer): string => {
    writeFileSync(join(dir, name), content, { mode: 0o600 });
    return join(dir, name);
  };
  const options: BrokerOptions = {
    mqttCa: place("ca", ca),
    mqttCert: place("cert", cert),
    mqttKey: place("key", key),
  };
  return brokerAccess(options, URI, {});
}

test("the operator's files are taken as they are, indented, or in one", () => {
  const expected = { uri: URI, caPem, certPem, keyPem };
  expect(access({})).toEqual(expected);
  const indented = (pem: string): string => pem.replace(/^/gm, "  ").replaceAll("\n", "\r\n");
  expect(
    access({ ca: indented(caPem), cert: indented(certPem), key: `\uFEFF${indented(keyPem)}` }),
  ).toEqual(expected);
  expect(access({ cert: certPem + keyPem, key: certPem + keyPem })).toEqual(expected);
  // A public bundle is larger than what fits into a firmware.
  expect(access({ ca: caPem.repeat(200) })).toMatchObject({ caPem: caPem.repeat(200) });
});

test.each<[string, () => Parameters<typeof access>[0], RegExp]>([
  [
    "a key among the CAs",
    () => ({ ca: caPem + keyPem }),
    /^--mqtt-ca: \S+ca: it holds a private key beside a certificate; /,
  ],
  [
    "UTF-16",
    () => ({ cert: Buffer.from(`\uFEFF${certPem}`, "utf16le") }),
    /^--mqtt-cert: \S+cert: it holds text in UTF-16, /,
  ],
  [
    "lost line breaks",
    () => ({ key: keyPem.replaceAll("\n", "\\n") }),
    /^--mqtt-key: \S+key: it holds PEM whose line breaks have become "\\n"; /,
  ],
  [
    "the certificate in the place of the key",
    () => ({ key: certPem }),
    /^--mqtt-key: \S+key: it holds a certificate; /,
  ],
  [
    "the key in the place of the certificate",
    () => ({ cert: keyPem }),
    /^--mqtt-cert: \S+cert: it holds a private key; /,
  ],
  ["an empty file", () => ({ cert: "" }), /^--mqtt-cert: \S+cert: it holds nothing /],
  [
    "another key",
    () => ({ key: foreignKeyPem }),
    /^the key of --mqtt-key is not that of --mqtt-cert$/,
  ],
])("%s is a usage error that names file and remedy", (_name, files, message) => {
  expect(() => access(files())).toThrow(
    expect.objectContaining({ code: "usage", message: expect.stringMatching(message) }),
  );
});

test("a key that is given in the place of its path is not shown", () => {
  const options = { mqttCa: join(dir, "ca"), mqttCert: join(dir, "cert"), mqttKey: keyPem };
  access({});
  expect(() => brokerAccess(options, URI, {})).toThrow(
    expect.objectContaining({
      code: "file_inaccessible",
      message: expect.stringMatching(/^what is given is the text of a certificate or key /),
    }),
  );
});

test("a file that is not there is file_inaccessible", () => {
  const nowhere = join(dir, "nowhere");
  const options = { mqttCa: nowhere, mqttCert: nowhere, mqttKey: nowhere };
  expect(() => brokerAccess(options, URI, {})).toThrow(
    expect.objectContaining({
      code: "file_inaccessible",
      message: `${nowhere}: no such file or folder (ENOENT)`,
      hint: expect.stringContaining("Check the path"),
    }),
  );
});
