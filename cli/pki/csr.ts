import { createPublicKey, type KeyObject, verify } from "node:crypto";
import {
  type Asn1Node,
  bitString,
  children,
  commonName,
  content,
  contextTag,
  fromDer,
  fromPem,
  hasType,
  integer,
  OID_COMMON_NAME,
  oidOf,
  sequence,
  signatureAlgorithm,
  signed,
  TYPE,
  toDer,
  toPem,
} from "./asn1.js";
import { publicKeyDer } from "./keys.js";

const LABEL = "CERTIFICATE REQUEST";
const MAX_PEM_BYTES = 8 * 1024;
/** F4, which every library makes; smaller ones have a history of padding attacks. */
const RSA_EXPONENT = 65_537n;
/** SubjectPublicKeyInfo of P-256 up to the coordinates: namedCurve (RFC 5480, 2.1.1) and an uncompressed point (2.2). */
const P256_SPKI = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

/** A certificate signing request whose every part has been checked. */
export interface Csr {
  readonly commonName: string;
  readonly publicKey: KeyObject;
}

export type CsrResult =
  | { readonly ok: true; readonly csr: Csr }
  | { readonly ok: false; readonly reason: string };

/** A PKCS#10 request (RFC 2986) whose subject is one CN. */
export function createCsr(privateKey: KeyObject, subject: string): string {
  const info = sequence(
    integer(Buffer.from([0])),
    commonName(subject),
    fromDer(publicKeyDer(privateKey)),
    contextTag(0, []),
  );
  return toPem(LABEL, signed(info, privateKey));
}

/**
 * Reads a request and checks all of it: structure, key type and size, signature, exactly one CN, and
 * that its bytes are the canonical DER of what was understood. Never throws.
 */
export function readCsr(pem: string): CsrResult {
  if (pem.length > MAX_PEM_BYTES) return refuse(`larger than ${MAX_PEM_BYTES} bytes`);
  const der = fromPem(LABEL, pem);
  if (der === undefined) return refuse(`not exactly one PEM block "${LABEL}"`);
  try {
    return checkRequest(der);
  } catch {
    return refuse("not valid DER");
  }
}

function checkRequest(der: Buffer): CsrResult {
  const [info, algorithm, signature] = children(fromDer(der));
  const [version, subject, spki, attributes] = children(info);
  if (!info || !subject || !spki || !attributes) return refuse("not a PKCS#10 structure");
  if (!hasType(version, TYPE.INTEGER) || !content(version).equals(Buffer.from([0]))) {
    return refuse("version is not 0");
  }
  const publicKey = createPublicKey({ key: toDer(spki), type: "spki", format: "der" });
  const fault = keyFault(publicKey, toDer(spki));
  if (fault !== undefined) return refuse(fault);
  const expected = signatureAlgorithm(publicKey);
  if (oidOf(children(algorithm)[0]) !== oidOf(children(expected)[0])) {
    return refuse("signature algorithm is not SHA-256 with the key's own type");
  }
  const bits = content(signature).subarray(1);
  if (!verify("sha256", toDer(info), publicKey, bits)) return refuse("signature does not verify");
  // The parser looks at no tags: only the re-encoding proves that nothing else was there.
  const canonical = toDer(
    sequence(rebuildInfo(subject, publicKey, attributes), expected, bitString(bits)),
  );
  if (!der.equals(canonical)) return refuse("not canonical DER");
  const name = soleCommonName(subject);
  return name === undefined
    ? refuse("subject has not exactly one CN of 1–64 bytes")
    : accept(name, publicKey);
}

function rebuildInfo(subject: Asn1Node, publicKey: KeyObject, attributes: Asn1Node): Asn1Node {
  const ownAttributes = contextTag(0, [...children(attributes)]);
  return sequence(
    integer(Buffer.from([0])),
    subject,
    fromDer(publicKeyDer(publicKey)),
    ownAttributes,
  );
}

/** OpenSSL signs for other keys too, in whatever form they came: better that the lab refuses one than a real CA, later. */
function keyFault(key: KeyObject, spki: Buffer): string | undefined {
  const details = key.asymmetricKeyDetails;
  const bits = details?.modulusLength ?? 0;
  if (key.asymmetricKeyType === "rsa" && bits >= 2048 && bits <= 4096)
    return details?.publicExponent === RSA_EXPONENT ? undefined : "RSA exponent is not 65537";
  if (key.asymmetricKeyType !== "ec" || details?.namedCurve !== "prime256v1")
    return "key is neither P-256 nor RSA of 2048–4096 bits";
  return spki.subarray(0, P256_SPKI.length).equals(P256_SPKI)
    ? undefined
    : "EC key is not an uncompressed point of a curve given by its name";
}

/** The text of the CN (UTF8String or PrintableString) when the subject holds exactly one. */
function soleCommonName(subject: Asn1Node): string | undefined {
  const pairs = children(subject).flatMap((set) => (hasType(set, TYPE.SET) ? children(set) : []));
  const names = pairs.filter((pair) => oidOf(children(pair)[0]) === OID_COMMON_NAME);
  const value = children(names[0])[1];
  if (names.length !== 1) return undefined;
  if (!hasType(value, TYPE.UTF8) && !hasType(value, TYPE.PRINTABLESTRING)) return undefined;
  const bytes = content(value);
  const text = bytes.toString("utf8");
  const sound = bytes.length >= 1 && bytes.length <= 64 && Buffer.from(text, "utf8").equals(bytes);
  return sound && !/\p{Cc}/u.test(text) ? text : undefined;
}

function accept(name: string, publicKey: KeyObject): CsrResult {
  return { ok: true, csr: { commonName: name, publicKey } };
}

function refuse(reason: string): CsrResult {
  return { ok: false, reason };
}
