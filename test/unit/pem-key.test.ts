import { createPrivateKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { judgeCertificates, judgePrivateKey } from "../../codegen/pem.js";
import { inOneLine, pemForms, sentence } from "../helpers/pem-forms.js";

const { cert, dir, key, made, openssl, text } = pemForms();

const onKey = (content: string | Buffer): string => sentence(judgePrivateKey(Buffer.from(content)));

describe("private keys", () => {
  const taken: [string, () => string | Buffer][] = [
    ["PKCS#8", () => key],
    ["an EC key behind its parameters", () => made("ecparam -name prime256v1 -genkey")],
    [
      "PKCS#1",
      () => {
        openssl("genrsa -traditional -out rsa.pem 2048");
        return text("rsa.pem");
      },
    ],
    ["beside its certificate", () => cert + key],
    [
      "indented, with CRLF and a mark",
      () => `\uFEFF${key.replace(/^/gm, "  ").replaceAll("\n", "\r\n")}`,
    ],
  ];
  test.each(taken)("%s is taken", (_name, make) => {
    const verdict = judgePrivateKey(Buffer.from(make()));
    expect(sentence(verdict)).toBe("taken");
    if (verdict.ok) expect(createPrivateKey(verdict.pem).type).toBe("private");
  });

  test.each<[string, () => string | Buffer, string]>([
    ["a certificate", () => cert, "it holds a certificate; name the file with the private key"],
    [
      "a passphrase",
      () => made("pkey -in key.pem -aes128 -passout pass:x"),
      "it holds a private key that a passphrase protects; convert it: openssl pkey -in FILE -out key.pem",
    ],
    [
      "a passphrase, in the old form",
      () => made("ec -in key.pem -aes128 -passout pass:x"),
      "it holds a private key that a passphrase protects; convert it: openssl pkey -in FILE -out key.pem",
    ],
    [
      "OpenSSH's form",
      () => key.replaceAll(" PRIVATE", " OPENSSH PRIVATE"),
      'it holds a private key in OpenSSH\'s own form; convert it: ssh-keygen -p -m PEM -N "" -f FILE',
    ],
    [
      "DER",
      () => made("pkey -in key.pem -outform DER"),
      "it holds a private key in DER form; convert it: openssl pkey -inform DER -in FILE -out key.pem",
    ],
    [
      "PKCS#12",
      () => made("pkcs12 -export -in cert.pem -inkey key.pem -passout pass:x"),
      "it holds a PKCS#12 file (.p12, .pfx); convert it: openssl pkcs12 -nocerts -nodes -in FILE -out key.pem",
    ],
    ["two keys", () => key + key, "it holds 2 private keys; keep only the one that is meant"],
    [
      "a damaged one",
      () => key.replace(/\nM/, "\nN"),
      "it holds a private key that cannot be read; it was cut short or damaged: copy it again as a whole",
    ],
    [
      "line breaks that became spaces",
      () => inOneLine(key, " "),
      "it holds PEM whose line breaks have become spaces; quote the variable that it comes from: printf '%s\\n' \"$TEXT\" > new.pem",
    ],
    [
      "base64 without armor",
      () => key.replace(/-----.*-----\n/g, ""),
      "it holds base64 without its first and last line; put -----BEGIN PRIVATE KEY----- before and -----END PRIVATE KEY----- behind it, on lines of their own",
    ],
  ])("%s is not", (_name, make, expected) => {
    expect(onKey(make())).toBe(expected);
  });

  test("the commands that the messages give do what they say", () => {
    const mendable: [string, string][] = [
      ["x509 -in cert.pem -outform DER", cert],
      ["x509 -in cert.pem -addtrust serverAuth", cert],
      ["crl2pkcs7 -nocrl -certfile cert.pem", cert],
      ["crl2pkcs7 -nocrl -certfile cert.pem -outform DER", cert],
      ["pkey -in key.pem -outform DER", key],
    ];
    for (const [make, expected] of mendable) {
      const given = made(make);
      writeFileSync(join(dir, "given"), given);
      const judge = expected === key ? judgePrivateKey : judgeCertificates;
      const remedy = /; convert it: openssl (.*) -in FILE -out \w+\.pem$/;
      const command = remedy.exec(sentence(judge(given)))?.[1];
      expect(judge(made(`${command} -in given`))).toMatchObject({ pem: expected });
    }
  });

  test("no sentence quotes what it found", () => {
    const secret = "hunter2hunter2";
    for (const content of [secret, `-----BEGIN ${secret}-----\nx`, `<html>${secret}`])
      expect(onKey(content) + sentence(judgeCertificates(Buffer.from(content)))).not.toContain(
        "hunter2",
      );
  });
});
