import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { judgeCertificates } from "../../codegen/pem.js";
import { inOneLine, pemForms, sentence } from "../helpers/pem-forms.js";

const { cert, key, made } = pemForms();

const bytes = (content: string | Buffer): Buffer => Buffer.from(content);
const utf16 = (content: string, mark: string): Buffer => Buffer.from(mark + content, "utf16le");
const IS_UTF16 =
  'it holds text in UTF-16, as ">" of Windows PowerShell writes it; write it as ASCII: Get-Content FILE | Set-Content -Encoding ascii new.pem';
const IS_DAMAGED = "it was cut short or damaged: copy it again as a whole";

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
    ["UTF-16 with a mark", () => utf16(cert, "\uFEFF"), IS_UTF16],
    ["UTF-16 without one", () => utf16(cert, ""), IS_UTF16],
    ["UTF-16, big endian", () => utf16(cert, "\uFEFF").swap16(), IS_UTF16],
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
      `it holds PEM without its line "END CERTIFICATE"; ${IS_DAMAGED}`,
    ],
    [
      "the first of two without its end",
      () => cert.replace(/-----END.*\n/, "") + cert,
      `it holds PEM without its line "END CERTIFICATE"; ${IS_DAMAGED}`,
    ],
    [
      "a lost line",
      () => cert.replace(/\n[^-\n]+\n/, "\n"),
      `it holds a certificate that cannot be read; ${IS_DAMAGED}`,
    ],
    [
      "the second of three damaged",
      () => cert + cert.replace(/\nM/, "\nN") + cert,
      `it holds 3 certificates, of which number 2 cannot be read; ${IS_DAMAGED}`,
    ],
    [
      "bytes behind the certificate",
      () => {
        const der = Buffer.concat([new X509Certificate(cert).raw, Buffer.alloc(3)]);
        return `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
      },
      `it holds a certificate that cannot be read; ${IS_DAMAGED}`,
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
    expect(sentence(judgeCertificates(bytes(make())))).toBe(expected);
  });
});
