import type { CertificateFacts, Extension, KeyFacts } from "./certificate-facts.js";
import { derValues, dottedOid, insideDer } from "./der.js";
import { CURVES, type Curve } from "./tls-offer.js";

/*
 * What mbedTLS makes of a certificate, the strictest of the releases that ESP-IDF 5.0 to 6.1 have: x509_crt.c, x509.c,
 * oid.c and pkparse.c of its library. The sentences complete "it holds a certificate with …".
 */

/** What is wrong with a certificate, and what to take instead of a CA that has it. */
export interface Flaw {
  readonly part: string;
  readonly remedy: string;
}

const SOUND_KEY = "use a CA whose key is RSA of 2048 to 4096 bits, or ECDSA on P-256";
const WITHOUT_IT = "use a CA without it";
const ISSUER = "name the CA that signed the backend's certificate";

/** Hash of each signature that it knows by its OID (oid.c, oid_sig_alg). SHA-224 is not built any more in ESP-IDF 6. */
const SIGNATURES: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.4": "MD5",
  "1.2.840.113549.1.1.5": "SHA-1",
  "1.3.14.3.2.29": "SHA-1",
  "1.2.840.113549.1.1.11": "SHA-256",
  "1.2.840.113549.1.1.12": "SHA-384",
  "1.2.840.113549.1.1.13": "SHA-512",
  // RSASSA-PSS names its hash in its parameters.
  "1.2.840.113549.1.1.10": "PSS",
  "1.2.840.10045.4.1": "SHA-1",
  "1.2.840.10045.4.3.2": "SHA-256",
  "1.2.840.10045.4.3.3": "SHA-384",
  "1.2.840.10045.4.3.4": "SHA-512",
};
const WEAK_HASHES = ["MD5", "SHA-1"];

/** Signatures that people meet, where the OID would say nothing to them. */
const OTHER_SIGNATURES: Readonly<Record<string, string>> = {
  "1.3.101.112": "ed25519",
  "1.3.101.113": "ed448",
  "1.2.840.113549.1.1.2": "MD2 with RSA",
  "1.2.840.113549.1.1.14": "SHA-224 with RSA",
  "1.2.840.10045.4.3.1": "SHA-224 with ECDSA",
  "2.16.840.1.101.3.4.3.2": "SHA-256 with DSA",
};

/** BIT STRING, UTF8String, PrintableString, T61String, IA5String, UniversalString, BMPString. */
const NAME_TAGS = [0x03, 0x0c, 0x13, 0x14, 0x16, 0x1c, 0x1e];

const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const POLICIES = "2.5.29.32";
const ANY_POLICY = "2.5.29.32.0";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const SUBJECT_ALT_NAME = "2.5.29.17";
const NETSCAPE_TYPE = "2.16.840.1.113730.1.1";
/** What it has a parser for. */
const PARSED = [
  BASIC_CONSTRAINTS,
  KEY_USAGE,
  POLICIES,
  EXTENDED_KEY_USAGE,
  SUBJECT_ALT_NAME,
  NETSCAPE_TYPE,
];
const EXTENSION_NAMES: Readonly<Record<string, string>> = {
  "2.5.29.14": "subjectKeyIdentifier",
  "2.5.29.18": "issuerAltName",
  "2.5.29.30": "nameConstraints",
  [POLICIES]: "certificatePolicies",
  "2.5.29.33": "policyMappings",
  "2.5.29.35": "authorityKeyIdentifier",
  "2.5.29.36": "policyConstraints",
  "2.5.29.54": "inhibitAnyPolicy",
  "1.3.6.1.5.5.7.1.24": "tlsfeature (must-staple)",
};

/** The bit in the first byte of keyUsage. */
const KEY_CERT_SIGN = 0x04;

export const RSA_BITS = { least: 2048, most: 4096, readable: 8192 } as const;

/** What of a certificate it cannot read: of several CAs it passes over that one, of a server's chain it refuses all. */
export function unreadablePart(facts: CertificateFacts | undefined): Flaw | undefined {
  if (facts === undefined) return { part: "a form that is not DER", remedy: WITHOUT_IT };
  const key = unreadableKey(facts);
  if (key !== undefined) return { part: key, remedy: SOUND_KEY };
  const form = unreadableForm(facts);
  return form === undefined ? undefined : { part: form, remedy: WITHOUT_IT };
}

function unreadableKey({ key, signature }: CertificateFacts): string | undefined {
  if (key.type !== "rsa" && key.type !== "ec") return `a key of the type ${key.type}`;
  if (key.isCurveExplicit) return "a key whose curve is given by parameters";
  if (key.isCompressed) return "a key whose point is compressed";
  if ((key.rsaBits ?? 0) > RSA_BITS.readable) return `an RSA key of ${key.rsaBits} bits`;
  if (key.type === "ec" && !curveOf(key)?.isForCertificates)
    return `a key on the curve ${key.curve}`;
  if (!Object.hasOwn(SIGNATURES, signature))
    return `a signature of the type ${OTHER_SIGNATURES[signature] ?? signature}`;
  return undefined;
}

function unreadableForm(facts: CertificateFacts): string | undefined {
  const { issuer, subject, version } = facts;
  if (!facts.isSignatureNamedOnce) return "two names for its signature's algorithm that differ";
  if (version > 3) return `the version ${version}`;
  const tag = [...issuer.tags, ...subject.tags].find((each) => !NAME_TAGS.includes(each));
  if (tag !== undefined) return `a name whose text is of the ASN.1 type ${tag}`;
  if (issuer.tags.length === 0) return "an issuer without a name";
  if (!facts.times.every((time) => /^(\d\d)?\d{10}(\d\d)?Z?$/.test(time)))
    return "a date in a form that RFC 5280 forbids";
  if (version < 3 && facts.extensions.length > 0) return `the version ${version} and extensions`;
  return unreadableExtension(facts.extensions);
}

function unreadableExtension(extensions: readonly Extension[]): string | undefined {
  const oids = extensions.map(({ oid }) => oid);
  const twice = oids.find((oid, index) => PARSED.includes(oid) && oids.indexOf(oid) !== index);
  if (twice !== undefined) return `two extensions ${extensionName(twice)}`;
  const broken = extensions.find(
    (extension) => PARSED.includes(extension.oid) && !isDer(extension),
  );
  if (broken !== undefined) return `an extension ${extensionName(broken.oid)} that is not DER`;
  const foreign = extensions.find(
    ({ oid, isCritical, value }) =>
      isCritical && (oid === POLICIES ? !isAnyPolicy(value) : !PARSED.includes(oid)),
  );
  return foreign && `the critical extension ${extensionName(foreign.oid)}`;
}

function extensionName(oid: string): string {
  return EXTENSION_NAMES[oid] ?? oid;
}

/** As far as its parsers look: into sequences, of which policies are some more, and at the bits of others. */
function isDer({ oid, value }: Extension): boolean {
  try {
    const inside = [KEY_USAGE, NETSCAPE_TYPE].includes(oid) ? derValues(value) : insideDer(value);
    return oid !== POLICIES || inside.every(({ body }) => derValues(body).length > 0);
  } catch {
    return false;
  }
}

/** The one policy that it knows. */
function isAnyPolicy(value: Buffer): boolean {
  const policies = insideDer(value).map(({ body }) => derValues(body)[0]?.body);
  return policies.every((oid) => oid !== undefined && dottedOid(oid) === ANY_POLICY);
}

/** Of a key on an elliptic curve that it may have. */
export function curveOf({ curve }: KeyFacts): Curve | undefined {
  return CURVES.find(({ openssl }) => openssl === curve);
}

/** A key that its default profile trusts nothing by. */
export function weakKey({ key }: CertificateFacts): string | undefined {
  // 4096 are what the PSA of ESP-IDF 6 takes (PSA_VENDOR_RSA_MAX_KEY_BITS).
  const { rsaBits = RSA_BITS.least } = key;
  const isWeak = rsaBits < RSA_BITS.least || rsaBits > RSA_BITS.most;
  return isWeak ? `an RSA key of ${rsaBits} bits` : undefined;
}

/** A signature that its default profile does not trust, where it is checked: in all but what is pinned. */
export function weakHash({ signature }: CertificateFacts): string | undefined {
  const hash = SIGNATURES[signature] ?? "";
  return WEAK_HASHES.includes(hash) ? `a signature with ${hash}` : undefined;
}

/**
 * Why it trusts nobody by a pinned certificate that it can read: neither whom its key has signed for
 * (x509_crt_check_parent), nor its owner (x509_crt_check_ee_locally_trusted).
 */
export function uselessAsCa(facts: CertificateFacts): Flaw | undefined {
  const weak = weakKey(facts);
  if (weak !== undefined) return { part: weak, remedy: SOUND_KEY };
  if (facts.version < 3) return undefined;
  if (!isCa(facts)) {
    const isSelfIssued = facts.issuer.raw.equals(facts.subject.raw);
    const part = isSelfIssued ? weakHash(facts) : "no mark that it is a CA's (basicConstraints)";
    return part === undefined ? undefined : { part, remedy: ISSUER };
  }
  return maySign(facts)
    ? undefined
    : { part: "a key that may not sign certificates (keyUsage)", remedy: ISSUER };
}

/** What in the chain that a server shows, its own certificate first, keeps a device from trusting it. */
export function refusedInChain(
  chain: readonly (CertificateFacts | undefined)[],
  allSuites: boolean,
): string | undefined {
  const flaws = chain.map((facts, index) => {
    const unreadable = unreadablePart(facts);
    if (unreadable !== undefined || facts === undefined) return unreadable?.part;
    const curve = curveOf(facts.key);
    const isRoot = index > 0 && index === chain.length - 1;
    return (
      (curve?.isNarrowed && !allSuites ? `a key on the curve ${curve.name}` : undefined) ??
      weakKey(facts) ??
      (isRoot ? undefined : weakHash(facts))
    );
  });
  return flaws.find((flaw) => flaw !== undefined);
}

/** Its parser takes a number for the boolean, too. */
function isCa(facts: CertificateFacts): boolean {
  const value = extensionValue(facts, BASIC_CONSTRAINTS);
  const [flag] = value === undefined ? [] : insideDer(value);
  return flag?.body.some((byte) => byte !== 0) ?? false;
}

function maySign(facts: CertificateFacts): boolean {
  const value = extensionValue(facts, KEY_USAGE);
  const [bits] = value === undefined ? [] : derValues(value);
  return bits === undefined || ((bits.body[1] ?? 0) & KEY_CERT_SIGN) !== 0;
}

function extensionValue({ extensions }: CertificateFacts, wanted: string): Buffer | undefined {
  return extensions.find(({ oid }) => oid === wanted)?.value;
}
