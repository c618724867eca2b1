import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import type { KeyAlgorithm } from "../../../codegen/manifest.js";
import {
  type Asn1Node,
  children,
  commonName,
  contextTag,
  fromDer,
  integer,
  sequence,
  signatureAlgorithm,
  signed,
  time,
  toPem,
} from "../../pki/asn1.js";
import type { Csr } from "../../pki/csr.js";
import { generatePrivateKey, privateKeyToPem, publicKeyDer, publicKeyOf } from "../../pki/keys.js";
import { caExtensions, endEntityExtensions } from "./extensions.js";

/** Certificates and lists start a little in the past, for peers whose clock is slow. */
export const SLOW_CLOCK_MS = 60_000;
const DAY_SECONDS = 86_400;

export interface CertificateAuthority {
  readonly certPem: string;
  /** PKCS#8; keep it in a file of mode 0600. */
  readonly keyPem: string;
}

/** When a certificate is valid: from `notBefore` (default: a minute ago) to `notAfter` or for `seconds`. */
export interface Validity {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly seconds?: number;
}

export interface CertificateRequest extends Validity {
  readonly usage: "client" | "server";
  /** Subject alternative names; a server needs at least one. */
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
}

/** Makes a self-signed CA that may sign end entities only; ten years unless told otherwise. */
export async function createCa(
  options: Validity & { readonly commonName: string; readonly algorithm?: KeyAlgorithm },
): Promise<CertificateAuthority> {
  const key = await generatePrivateKey(options.algorithm ?? "P-256");
  const name = commonName(options.commonName);
  const certPem = certificate({
    issuer: name,
    issuerKey: key,
    subject: name,
    publicKey: publicKeyOf(key),
    validity: { seconds: 3650 * DAY_SECONDS, ...options },
    extensions: caExtensions(key),
  });
  return { certPem, keyPem: privateKeyToPem(key) };
}

/** Signs a checked request; one year unless told otherwise. Returns the certificate's PEM. */
export function signCsr(ca: CertificateAuthority, csr: Csr, request: CertificateRequest): string {
  const issuerKey = createPrivateKey(ca.keyPem);
  const names = { dns: request.dns ?? [], ip: request.ip ?? [] };
  return certificate({
    issuer: subjectOf(ca.certPem),
    issuerKey,
    subject: commonName(csr.commonName),
    publicKey: csr.publicKey,
    validity: { seconds: 365 * DAY_SECONDS, ...request },
    extensions: endEntityExtensions(request.usage, csr.publicKey, issuerKey, names),
  });
}

/** A key and its certificate in one go, for a server or an operator of the lab. */
export async function issueCertificate(
  ca: CertificateAuthority,
  request: CertificateRequest & { readonly commonName: string; readonly algorithm?: KeyAlgorithm },
): Promise<{ readonly certPem: string; readonly keyPem: string }> {
  const key = await generatePrivateKey(request.algorithm ?? "P-256");
  const csr = { commonName: request.commonName, publicKey: publicKeyOf(key) };
  return { certPem: signCsr(ca, csr, request), keyPem: privateKeyToPem(key) };
}

interface CertificateParts {
  readonly issuer: Asn1Node;
  readonly issuerKey: KeyObject;
  readonly subject: Asn1Node;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Asn1Node[];
}

function certificate(parts: CertificateParts): string {
  const [notBefore, notAfter] = validityDates(parts.validity);
  const body = sequence(
    contextTag(0, [integer(Buffer.from([2]))]),
    integer(serialNumber()),
    signatureAlgorithm(parts.issuerKey),
    parts.issuer,
    sequence(time(notBefore), time(notAfter)),
    parts.subject,
    fromDer(publicKeyDer(parts.publicKey)),
    contextTag(3, [sequence(...parts.extensions)]),
  );
  return toPem("CERTIFICATE", signed(body, parts.issuerKey));
}

function validityDates({ notBefore, notAfter, seconds }: Validity): [Date, Date] {
  const start = notBefore ?? new Date(Date.now() - SLOW_CLOCK_MS);
  // A lifetime counts from now, not from the allowance for slow clocks.
  const from = notBefore?.getTime() ?? Date.now();
  return [start, notAfter ?? new Date(from + (seconds ?? 0) * 1000)];
}

/** 16 random bytes, positive and without leading zeros (RFC 5280, 4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes;
}

/** The issuer's name byte for byte as its own certificate has it: chains are compared that way. */
export function subjectOf(certPem: string): Asn1Node {
  const body = children(fromDer(new X509Certificate(certPem).raw))[0];
  const subject = children(body)[5];
  if (subject === undefined) throw new Error("the CA certificate has no subject");
  return subject;
}
