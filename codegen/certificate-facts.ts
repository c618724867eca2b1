import { X509Certificate } from "node:crypto";
import { type DerValue, derValues, dottedOid, insideDer, TAG } from "./der.js";

/** RFC 5280, 4.1: of the parts of a certificate those that its reader decides by. */
export interface CertificateFacts {
  /** 1, 2 or 3. */
  readonly version: number;
  readonly issuer: NameFacts;
  readonly subject: NameFacts;
  /** notBefore and notAfter as they are written. */
  readonly times: readonly string[];
  readonly signature: string;
  /** Whether both places that name the signature's algorithm say the same. */
  readonly isSignatureNamedOnce: boolean;
  readonly key: KeyFacts;
  readonly extensions: readonly Extension[];
}

export interface NameFacts {
  readonly raw: Buffer;
  /** The ASN.1 types of its texts. */
  readonly tags: readonly number[];
}

export interface KeyFacts {
  /** As Node.js calls it: "rsa", "ec", "ed25519" …; or the algorithm's OID. */
  readonly type: string;
  readonly rsaBits?: number | undefined;
  /** OpenSSL's name of it. */
  readonly curve?: string | undefined;
  /** Whether its parameters stand in the place of the curve's name, which RFC 5480, 2.1.1 forbids. */
  readonly isCurveExplicit: boolean;
  readonly isCompressed: boolean;
}

export interface Extension {
  readonly oid: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
}

const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/** @returns undefined for what is no certificate in DER, of which OpenSSL takes some */
export function certificateFacts(der: Buffer): CertificateFacts | undefined {
  try {
    return factsOf(der);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** @throws RangeError */
function factsOf(der: Buffer): CertificateFacts {
  const [tbs, outerAlgorithm] = insideDer(der);
  const parts = derValues(tbs?.body ?? Buffer.alloc(0));
  const isVersioned = parts[0]?.tag === VERSION;
  const [, algorithm, issuer, validity, subject, key] = parts.slice(isVersioned ? 1 : 0);
  if (!outerAlgorithm || !algorithm || !issuer || !validity || !subject || !key)
    throw new RangeError("a certificate lacks a part");
  const version = isVersioned ? derValues(parts[0]?.body ?? Buffer.alloc(0))[0]?.body : undefined;
  return {
    version: 1 + (version?.readUInt8() ?? 0),
    issuer: nameFacts(issuer),
    subject: nameFacts(subject),
    times: derValues(validity.body).map(({ body }) => body.toString("latin1")),
    signature: oidIn(algorithm),
    isSignatureNamedOnce: algorithm.raw.equals(outerAlgorithm.raw),
    key: keyFacts(der, key),
    extensions: parts.filter(({ tag }) => tag === EXTENSIONS).flatMap(extensionsIn),
  };
}

function nameFacts({ raw, body }: DerValue): NameFacts {
  const attributes = derValues(body).flatMap((set) => derValues(set.body));
  const texts = attributes.flatMap((attribute) => derValues(attribute.body).slice(1));
  return { raw, tags: texts.map(({ tag }) => tag) };
}

function keyFacts(der: Buffer, info: DerValue): KeyFacts {
  const [algorithm, point] = derValues(info.body);
  // RFC 5480, 2.2: behind the number of unused bits stands 4 for both coordinates, 2 or 3 for one.
  const isCompressed = point !== undefined && [2, 3].includes(point.body[1] ?? 0);
  const parameters = algorithm && derValues(algorithm.body)[1];
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = new X509Certificate(der).publicKey;
    return {
      type: asymmetricKeyType ?? oidIn(algorithm),
      rsaBits: asymmetricKeyDetails?.modulusLength,
      curve: asymmetricKeyDetails?.namedCurve,
      isCurveExplicit: asymmetricKeyType === "ec" && parameters?.tag !== TAG.oid,
      isCompressed: asymmetricKeyType === "ec" && isCompressed,
    };
  } catch {
    return { type: oidIn(algorithm), isCurveExplicit: false, isCompressed: false };
  }
}

function extensionsIn(wrapped: DerValue): Extension[] {
  return insideDer(wrapped.body).map(({ body }) => {
    const values = derValues(body);
    return {
      oid: dottedOid(values[0]?.body ?? Buffer.alloc(0)),
      isCritical: values.some(({ tag, body: flag }) => tag === TAG.boolean && flag[0] !== 0),
      value: values.find(({ tag }) => tag === TAG.octetString)?.body ?? Buffer.alloc(0),
    };
  });
}

/** The algorithm in an AlgorithmIdentifier. */
function oidIn(algorithm: DerValue | undefined): string {
  const oid = algorithm && derValues(algorithm.body)[0];
  return oid?.tag === TAG.oid ? dottedOid(oid.body) : "unknown";
}
