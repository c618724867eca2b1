import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";

/*
 * What a file that should be PEM (RFC 7468) really is. Nothing of its content is ever part of a message: it may be
 * a secret.
 */

export type Wanted = "certificate" | "private key";

/** What was found instead, and the next step. */
export interface PemFault {
  readonly found: string;
  readonly remedy: string;
}

export interface PemBlock {
  readonly label: string;
  readonly kind: PemKind;
  /** Between the two lines of the armor, as it was written. */
  readonly body: string;
}

export type PemContent =
  | { readonly ok: true; readonly blocks: readonly PemBlock[] }
  | { readonly ok: false; readonly fault: PemFault };

/** What a block or a binary file holds, in words that complete "it holds …". */
const KINDS = {
  certificate: "a certificate",
  trusted: 'a "TRUSTED CERTIFICATE", a form of OpenSSL\'s own',
  key: "a private key",
  encryptedKey: "a private key that a passphrase protects",
  sshKey: "a private key in OpenSSH's own form",
  request: "a certificate request (CSR)",
  publicKey: "a public key",
  pkcs7: "a PKCS#7 bundle (.p7b)",
  pkcs12: "a PKCS#12 file (.p12, .pfx)",
  revocation: "a revocation list (CRL)",
  parameters: "key parameters",
  other: "PEM of another kind",
} as const;

export type PemKind = keyof typeof KINDS;

const LABELS: Readonly<Record<string, PemKind>> = {
  CERTIFICATE: "certificate",
  "X509 CERTIFICATE": "certificate",
  "TRUSTED CERTIFICATE": "trusted",
  "PRIVATE KEY": "key",
  "RSA PRIVATE KEY": "key",
  "EC PRIVATE KEY": "key",
  "DSA PRIVATE KEY": "key",
  "ENCRYPTED PRIVATE KEY": "encryptedKey",
  "OPENSSH PRIVATE KEY": "sshKey",
  "CERTIFICATE REQUEST": "request",
  "NEW CERTIFICATE REQUEST": "request",
  "PUBLIC KEY": "publicKey",
  "RSA PUBLIC KEY": "publicKey",
  PKCS7: "pkcs7",
  CMS: "pkcs7",
  "X509 CRL": "revocation",
  "EC PARAMETERS": "parameters",
  "DH PARAMETERS": "parameters",
};

const PKCS7_SIGNED_DATA = Buffer.from("06092a864886f70d010702", "hex");
/** PFX (RFC 7292, 4): a SEQUENCE that begins with version 3. */
const PFX_VERSION = Buffer.from("020103", "hex");
const JAVA_KEY_STORE = Buffer.from("feedfeed", "hex");
/** How far into a DER file the marks above can be: behind two headers of at most six bytes. */
const DER_HEAD_BYTES = 24;

/** The remedy for what has an end missing, or bytes that do not fit together. */
export const DAMAGED = "it was cut short or damaged: copy it again as a whole";

const BEGIN = /-----BEGIN ([^\r\n-]+)-----/g;

/** A SEQUENCE in base64: of 32 to 127 bytes, or with one or two bytes of length, as all certificates and keys are. */
const BASE64_DER = /^M[CDEFGHIJ][A-Za-z0-9+/\s]{60,}={0,2}$/;
const ARMOR = /-----(?:BEGIN|END) |(?:CERTIFICATE|KEY|REQUEST|PARAMETERS)-----/;

/** Whether a text that should be something else is PEM, a part of it or its base64: it may be a key, and is not to be shown. */
export function looksLikePem(text: string): boolean {
  return ARMOR.test(text) || BASE64_DER.test(text.trim());
}

/** The blocks of a PEM file, or why it has none. A byte order mark, CRLF, indentation and text around them do not matter. */
export function readPem(bytes: Uint8Array, wanted: Wanted): PemContent {
  const buffer = Buffer.from(bytes);
  const binary = binaryFault(buffer, wanted);
  if (binary !== undefined) return { ok: false, fault: binary };
  const text = new TextDecoder().decode(buffer);
  const begins = [...text.matchAll(BEGIN)];
  if (begins.length === 0) return { ok: false, fault: unarmoredFault(text, wanted) };
  const blocks: PemBlock[] = [];
  for (const { 0: line, 1: label = "", index } of begins) {
    const start = index + line.length;
    const end = text.indexOf(`-----END ${label}-----`, start);
    const next = text.indexOf("-----BEGIN ", start);
    if (end < 0 || (next >= 0 && next < end)) return { ok: false, fault: cutShort(label) };
    const body = text.slice(start, end);
    const lost = lostBreaks(body);
    if (lost !== undefined) return { ok: false, fault: lost };
    blocks.push({ label, kind: kindOf(label, body), body });
  }
  return { ok: true, blocks };
}

/** That a file holds this, where `wanted` was expected. */
export function foundKind(kind: PemKind, wanted: Wanted, form: "PEM" | "DER" = "PEM"): PemFault {
  const found = `${KINDS[kind]}${form === "DER" && kind !== "pkcs12" ? " in DER form" : ""}`;
  return { found, remedy: conversion(kind, wanted, form) ?? `name the file with the ${wanted}` };
}

function conversion(kind: PemKind, wanted: Wanted, form: "PEM" | "DER"): string | undefined {
  const convert = (command: string): string => `convert it: openssl ${command}`;
  const inform = form === "DER" ? "-inform DER " : "";
  if (wanted === "certificate") {
    if (kind === "certificate" || kind === "trusted")
      return convert(`x509 ${inform}-in FILE -out cert.pem`);
    if (kind === "pkcs7") return convert(`pkcs7 ${inform}-print_certs -in FILE -out cert.pem`);
    if (kind === "pkcs12") return convert("pkcs12 -nokeys -in FILE -out cert.pem");
    return undefined;
  }
  if (kind === "key" || kind === "encryptedKey")
    return convert(`pkey ${inform}-in FILE -out key.pem`);
  if (kind === "sshKey") return 'convert it: ssh-keygen -p -m PEM -N "" -f FILE';
  return kind === "pkcs12" ? convert("pkcs12 -nocerts -nodes -in FILE -out key.pem") : undefined;
}

function kindOf(label: string, body: string): PemKind {
  const kind = Object.hasOwn(LABELS, label) ? LABELS[label] : undefined;
  // RFC 1421, 4.6.1.1: how the keys of OpenSSL's older formats say that they are encrypted.
  if (kind === "key" && /^\s*Proc-Type:\s*4,ENCRYPTED/.test(body)) return "encryptedKey";
  return kind ?? "other";
}

function binaryFault(bytes: Buffer, wanted: Wanted): PemFault | undefined {
  if (bytes.length === 0) return { found: "nothing (0 bytes)", remedy: "copy it again" };
  if (isUtf16(bytes))
    return {
      found: 'text in UTF-16, as ">" of Windows PowerShell writes it',
      remedy: "write it as ASCII: Get-Content FILE | Set-Content -Encoding ascii new.pem",
    };
  // A SEQUENCE (which is "0" in ASCII) of 128 bytes or more, or of just the length that the file has.
  const length = bytes[1] ?? 0;
  if (bytes[0] === 0x30 && (length >= 0x80 || length + 2 === bytes.length))
    return derFault(bytes, wanted);
  if (bytes.subarray(0, 4).equals(JAVA_KEY_STORE))
    return {
      found: "a Java key store",
      remedy: "export from it: keytool -exportcert -rfc -keystore FILE -alias NAME",
    };
  if (bytes.includes(0))
    return { found: "binary data", remedy: `name a PEM file with the ${wanted}` };
  return undefined;
}

/** With a byte order mark, or, as PEM is ASCII, by the zero in each pair of bytes. */
function isUtf16(bytes: Buffer): boolean {
  const mark = bytes.subarray(0, 2).toString("hex");
  if (mark === "fffe" || mark === "feff") return true;
  const head = [...bytes.subarray(0, 64)];
  const isZero = (parity: number): boolean =>
    head.length >= 4 && head.every((byte, index) => index % 2 !== parity || byte === 0);
  return isZero(0) !== isZero(1);
}

function derFault(der: Buffer, wanted: Wanted): PemFault {
  const head = der.subarray(0, DER_HEAD_BYTES);
  if (isReadable(() => new X509Certificate(der))) return foundKind("certificate", wanted, "DER");
  if (head.includes(PKCS7_SIGNED_DATA)) return foundKind("pkcs7", wanted, "DER");
  for (const type of ["pkcs8", "pkcs1", "sec1"] as const)
    if (isReadable(() => createPrivateKey({ key: der, format: "der", type })))
      return foundKind("key", wanted, "DER");
  if (isReadable(() => createPublicKey({ key: der, format: "der", type: "spki" })))
    return foundKind("publicKey", wanted, "DER");
  if (head.includes(PFX_VERSION)) return foundKind("pkcs12", wanted, "DER");
  return {
    found: `binary data (DER) that is no ${wanted}`,
    remedy: `name a PEM file with the ${wanted}`,
  };
}

function unarmoredFault(text: string, wanted: Wanted): PemFault {
  const plain = text.trim();
  if (plain === "") return { found: "nothing but white space", remedy: "copy it again" };
  if (/^<(!doctype|html|head|body|\?xml)/i.test(plain))
    return {
      found: "an HTML page",
      remedy: "download it again: the server sent a page, of a login perhaps, in its place",
    };
  if (/BEGIN [A-Z0-9 ]*(CERTIFICATE|KEY)|END [A-Z0-9 ]*(CERTIFICATE|KEY)/i.test(plain))
    return {
      found: "PEM whose first line is damaged",
      remedy: "that line is five hyphens, BEGIN, what it is, and five hyphens",
    };
  const label = wanted === "certificate" ? "CERTIFICATE" : "PRIVATE KEY";
  if (BASE64_DER.test(plain))
    return {
      found: "base64 without its first and last line",
      remedy: `put -----BEGIN ${label}----- before and -----END ${label}----- behind it, on lines of their own`,
    };
  return { found: "no PEM", remedy: `name a PEM file with the ${wanted}` };
}

function cutShort(label: string): PemFault {
  const known = Object.hasOwn(LABELS, label) ? label : "what it begins with";
  return {
    found: `PEM without its line "END ${known}"`,
    remedy: DAMAGED,
  };
}

/** Secrets of CI systems, shells and .env files lose line breaks in one of three ways. */
function lostBreaks(body: string): PemFault | undefined {
  if (/[\r\n]/.test(body)) return undefined;
  if (body.includes("\\n"))
    return {
      found: 'PEM whose line breaks have become "\\n"',
      remedy: `turn them into line breaks: printf '%b' "$TEXT" > new.pem`,
    };
  if (/\s/.test(body.trim()))
    return {
      found: "PEM whose line breaks have become spaces",
      remedy: `quote the variable that it comes from: printf '%s\\n' "$TEXT" > new.pem`,
    };
  return { found: "PEM whose line breaks are lost", remedy: "copy it again, line by line" };
}

function isReadable(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
