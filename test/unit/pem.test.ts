import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  judgeCertificates,
  judgePrivateKey,
  type PemVerdict,
  pemSentence,
} from "../../codegen/pem.js";
import { temporaryDir } from "../helpers/project.js";

// What OpenSSL makes of one CA, in every form in which people hand such a thing over.
let dir: string;
let cert: string;
let key: string;
beforeAll(() => {
  dir = temporaryDir();
  openssl(
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout key.pem -out cert.pem",
  );
  cert = text("cert.pem");
  key = text("key.pem");
});

function openssl(command: string): void {
  execFileSync("openssl", command.split(" "), { cwd: dir, stdio: "pipe" });
}

function text(name: string): string {
  return readFileSync(join(dir, name), "utf8");
}

/** What an OpenSSL command leaves in `out`. */
function made(command: string): Buffer {
  openssl(`${command} -out out`);
  return readFileSync(join(dir, "out"));
}

function bytes(content: string | Buffer): Buffer {
  return typeof content === "string" ? Buffer.from(content) : content;
}

function sentence(verdict: PemVerdict): string {
  return verdict.ok ? "taken" : pemSentence(verdict.fault);
}

const onCertificates = (content: string | Buffer): string =>
  sentence(judgeCertificates(bytes(content)));
const onKey = (content: string | Buffer): string => sentence(judgePrivateKey(bytes(content)));
const inOneLine = (pem: string, by: string): string => pem.trimEnd().replaceAll("\n", by);
const utf16 = (content: string, mark: string): Buffer => Buffer.from(mark + content, "utf16le");

describe("certificates are taken as OpenSSL wrote them, however they came", () => {
  test.each<[string, (pem: string) => string]>([
    ["as they are", (pem) => pem],
    ["indented", (pem) => pem.replace(/^/gm, "      ")],
    ["indented with tabs", (pem) => pem.replace(/^/gm, "\t\t")],
    ["with CRLF", (pem) => pem.replaceAll("\n", "\r\n")],
    ["with CR alone", (pem) => pem.replaceAll("\n", "\r")],
    ["with blank lines and white space at the ends", (pem) => pem.replaceAll("\n", "  \n\n")],
    ["without the last line break", (pem) => pem.trimEnd()],
    ["with a byte order mark", (pem) => `\uFEFF${pem}`],
    ["with comments in between", (pem) => `subject=CN = ca\n${pem}issuer=…\n`],
    [
      "in lines of another length",
      (pem) =>
        pem.replace(
          /-\n([^-]+)\n-/,
          (_all, body: string) => `-\n${body.replaceAll("\n", "").replace(/.{76}/g, "$&\n")}\n-`,
        ),
    ],
    [
      "in one line between the armor",
      (pem) =>
        pem.replace(/-\n([^-]+)\n-/, (_all, body: string) => `-\n${body.replaceAll("\n", "")}\n-`),
    ],
    ["under OpenSSL's older label", (pem) => pem.replaceAll(" CERT", " X509 CERT")],
  ])("%s", (_name, change) => {
    expect(judgeCertificates(bytes(change(cert)))).toEqual({ ok: true, pem: cert, count: 1 });
    const twice = judgeCertificates(bytes(change(cert) + change(cert)));
    expect(twice).toEqual({ ok: true, pem: cert + cert, count: 2 });
  });

  test("glued: END and BEGIN on one line", () => {
    const glued = `${cert.trimEnd()}${cert}`;
    expect(judgeCertificates(bytes(glued))).toEqual({ ok: true, pem: cert + cert, count: 2 });
  });

  test("OpenSSL's -text beside them", () => {
    const verbose = made("x509 -in cert.pem -text");
    expect(judgeCertificates(verbose)).toEqual({ ok: true, pem: cert, count: 1 });
  });
});

describe("what is no certificate is named, with the way to mend it", () => {
  test.each<[string, () => string | Buffer, string]>([
    ["an empty file", () => "", "it holds nothing (0 bytes); copy it again"],
    ["white space", () => " \n\n", "it holds nothing but white space; copy it again"],
    [
      "a private key alone",
      () => key,
      "it holds a private key; name the file with the certificate",
    ],
    [
      "a private key behind the certificate",
      () => cert + key,
      "it holds a private key beside a certificate; take it out, and leave the certificates",
    ],
    [
      "a private key before two of them",
      () => key + cert + cert,
      "it holds a private key beside 2 certificates; take it out, and leave the certificates",
    ],
    [
      "UTF-16 with a mark",
      () => utf16(cert, "\uFEFF"),
      'it holds text in UTF-16, as ">" of Windows PowerShell writes it; write it as ASCII: Get-Content FILE | Set-Content -Encoding ascii new.pem',
    ],
    [
      "UTF-16 without one",
      () => utf16(cert, ""),
      'it holds text in UTF-16, as ">" of Windows PowerShell writes it; write it as ASCII: Get-Content FILE | Set-Content -Encoding ascii new.pem',
    ],
    [
      "UTF-16, big endian",
      () => utf16(cert, "\uFEFF").swap16(),
      'it holds text in UTF-16, as ">" of Windows PowerShell writes it; write it as ASCII: Get-Content FILE | Set-Content -Encoding ascii new.pem',
    ],
    [
      "DER",
      () => made("x509 -in cert.pem -outform DER"),
      "it holds a certificate in DER form; convert it: openssl x509 -inform DER -in FILE -out cert.pem",
    ],
    [
      "a private key in DER",
      () => made("pkey -in key.pem -outform DER"),
      "it holds a private key in DER form; name the file with the certificate",
    ],
    [
      "a public key",
      () => made("pkey -in key.pem -pubout"),
      "it holds a public key; name the file with the certificate",
    ],
    [
      "a public key in DER",
      () => made("pkey -in key.pem -pubout -outform DER"),
      "it holds a public key in DER form; name the file with the certificate",
    ],
    [
      "a CSR",
      () => made("req -new -key key.pem -subj /CN=x"),
      "it holds a certificate request (CSR); name the file with the certificate",
    ],
    [
      "a CSR behind the certificate",
      () => cert + String(made("req -new -key key.pem -subj /CN=x")),
      "it holds a certificate request (CSR) beside a certificate; take it out, and leave the certificates",
    ],
    [
      "a TRUSTED CERTIFICATE",
      () => made("x509 -in cert.pem -addtrust serverAuth"),
      'it holds a "TRUSTED CERTIFICATE", a form of OpenSSL\'s own; convert it: openssl x509 -in FILE -out cert.pem',
    ],
    [
      "PKCS#7",
      () => made("crl2pkcs7 -nocrl -certfile cert.pem"),
      "it holds a PKCS#7 bundle (.p7b); convert it: openssl pkcs7 -print_certs -in FILE -out cert.pem",
    ],
    [
      "PKCS#7 in DER",
      () => made("crl2pkcs7 -nocrl -certfile cert.pem -outform DER"),
      "it holds a PKCS#7 bundle (.p7b) in DER form; convert it: openssl pkcs7 -inform DER -print_certs -in FILE -out cert.pem",
    ],
    [
      "PKCS#12",
      () => made("pkcs12 -export -in cert.pem -inkey key.pem -passout pass:x"),
      "it holds a PKCS#12 file (.p12, .pfx); convert it: openssl pkcs12 -nokeys -in FILE -out cert.pem",
    ],
    [
      "PKCS#12 without a key",
      () => made("pkcs12 -export -nokeys -in cert.pem -passout pass:x"),
      "it holds a PKCS#12 file (.p12, .pfx); convert it: openssl pkcs12 -nokeys -in FILE -out cert.pem",
    ],
    [
      "a Java key store",
      () => Buffer.from("feedfeed0000000200000000", "hex"),
      "it holds a Java key store; export from it: keytool -exportcert -rfc -keystore FILE -alias NAME",
    ],
    [
      "line breaks that became spaces",
      () => inOneLine(cert, " "),
      "it holds PEM whose line breaks have become spaces; quote the variable that it comes from: printf '%s\\n' \"$TEXT\" > new.pem",
    ],
    [
      "line breaks that became \\n",
      () => inOneLine(cert, "\\n"),
      'it holds PEM whose line breaks have become "\\n"; turn them into line breaks: printf \'%b\' "$TEXT" > new.pem',
    ],
    [
      "line breaks that became \\r\\n, in quotes",
      () => `"${inOneLine(cert, "\\r\\n")}"`,
      'it holds PEM whose line breaks have become "\\n"; turn them into line breaks: printf \'%b\' "$TEXT" > new.pem',
    ],
    [
      "line breaks that are gone",
      () => inOneLine(cert, ""),
      "it holds PEM whose line breaks are lost; copy it again, line by line",
    ],
    [
      "base64 without armor",
      () => cert.replace(/-----.*-----\n/g, ""),
      "it holds base64 without its first and last line; put -----BEGIN CERTIFICATE----- before and -----END CERTIFICATE----- behind it, on lines of their own",
    ],
    [
      "a page",
      () => "\n<!DOCTYPE html><html><title>Sign in</title></html>",
      "it holds an HTML page; download it again: the server sent a page, of a login perhaps, in its place",
    ],
    [
      "hyphens that a word processor changed",
      () => cert.replaceAll("-----", "––"),
      "it holds PEM whose first line is damaged; that line is five hyphens, BEGIN, what it is, and five hyphens",
    ],
    [
      "the end missing",
      () => cert.slice(0, 300),
      'it holds PEM without its line "END CERTIFICATE"; it was cut short or damaged: copy it again as a whole',
    ],
    [
      "the first of two without its end",
      () => cert.replace(/-----END.*\n/, "") + cert,
      'it holds PEM without its line "END CERTIFICATE"; it was cut short or damaged: copy it again as a whole',
    ],
    [
      "a lost line",
      () => cert.replace(/\n[^-\n]+\n/, "\n"),
      "it holds a certificate that cannot be read; it was cut short or damaged: copy it again as a whole",
    ],
    [
      "the second of three damaged",
      () => cert + cert.replace(/\nM/, "\nN") + cert,
      "it holds 3 certificates, of which number 2 cannot be read; it was cut short or damaged: copy it again as a whole",
    ],
    [
      "bytes behind the certificate",
      () => {
        const der = Buffer.concat([new X509Certificate(cert).raw, Buffer.alloc(3)]);
        return `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
      },
      "it holds a certificate that cannot be read; it was cut short or damaged: copy it again as a whole",
    ],
    ["prose", () => "hunter2", "it holds no PEM; name a PEM file with the certificate"],
    [
      "another kind of PEM",
      () => "-----BEGIN PGP MESSAGE-----\nhunter2\n-----END PGP MESSAGE-----\n",
      "it holds PEM of another kind; name the file with the certificate",
    ],
    [
      "a name that is a property of every object",
      () => "-----BEGIN constructor-----\nhunter2\n-----END constructor-----\n",
      "it holds PEM of another kind; name the file with the certificate",
    ],
  ])("%s", (_name, make, expected) => {
    expect(onCertificates(make())).toBe(expected);
  });
});

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
    const verdict = judgePrivateKey(bytes(make()));
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
    const conversions: [string, string, string][] = [
      ["x509 -in cert.pem -outform DER", "x509 -inform DER -in FILE", cert],
      ["x509 -in cert.pem -addtrust serverAuth", "x509 -in FILE", cert],
      ["crl2pkcs7 -nocrl -certfile cert.pem", "pkcs7 -print_certs -in FILE", cert],
      [
        "crl2pkcs7 -nocrl -certfile cert.pem -outform DER",
        "pkcs7 -inform DER -print_certs -in FILE",
        cert,
      ],
      ["pkey -in key.pem -outform DER", "pkey -inform DER -in FILE", key],
    ];
    for (const [make, convert, expected] of conversions) {
      writeFileSync(join(dir, "given"), made(make));
      const judge = expected === key ? judgePrivateKey : judgeCertificates;
      expect(judge(made(convert.replace("FILE", "given")))).toMatchObject({ pem: expected });
    }
  });

  test("no sentence quotes what it found", () => {
    const secret = "hunter2hunter2";
    for (const content of [secret, `-----BEGIN ${secret}-----\nx`, `<html>${secret}`])
      expect(onKey(content) + onCertificates(content)).not.toContain("hunter2");
  });
});
