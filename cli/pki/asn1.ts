import type { KeyObject } from "node:crypto";
import { sign } from "node:crypto";
import forge from "node-forge";

/*
 * node-forge builds and parses DER here and nothing else: its own keys and signatures are RSA only.
 */

export type Asn1Node = forge.asn1.Asn1;

const { asn1 } = forge;
const UNIVERSAL = asn1.Class.UNIVERSAL;

export const OID_COMMON_NAME = "2.5.4.3";
const SIGNATURE_OIDS = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  rsaWithSha256: "1.2.840.113549.1.1.11",
} as const;

export function sequence(...values: Asn1Node[]): Asn1Node {
  return asn1.create(UNIVERSAL, asn1.Type.SEQUENCE, true, values);
}

/** An INTEGER from its big-endian two's complement bytes. */
export function integer(bytes: Buffer): Asn1Node {
  return asn1.create(UNIVERSAL, asn1.Type.INTEGER, false, bytes.toString("latin1"));
}

export function octetString(bytes: Buffer): Asn1Node {
  return asn1.create(UNIVERSAL, asn1.Type.OCTETSTRING, false, bytes.toString("latin1"));
}

export function contextTag(tag: number, values: Asn1Node[]): Asn1Node {
  // The typings know universal types only; forge itself takes any tag number.
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, true, values);
}

/** A primitive node under a context-specific tag: an IMPLICIT field. */
export function contextBytes(tag: number, bytes: Buffer): Asn1Node {
  const text = bytes.toString("latin1");
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, false, text);
}

export function bitString(bytes: Buffer, unusedBits = 0): Asn1Node {
  const text = String.fromCharCode(unusedBits) + bytes.toString("latin1");
  return asn1.create(UNIVERSAL, asn1.Type.BITSTRING, false, text);
}

export function boolean(value: boolean): Asn1Node {
  return asn1.create(UNIVERSAL, asn1.Type.BOOLEAN, false, value ? "\xff" : "\0");
}

export function objectIdentifier(dotted: string): Asn1Node {
  return asn1.create(UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(dotted).getBytes());
}

/** UTCTime up to 2049 and GeneralizedTime from then on (RFC 5280, 4.1.2.5); whole seconds. */
export function time(date: Date): Asn1Node {
  if (date.getUTCFullYear() < 2050) {
    return asn1.create(UNIVERSAL, asn1.Type.UTCTIME, false, asn1.dateToUtcTime(date));
  }
  return asn1.create(UNIVERSAL, asn1.Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date));
}

/** A name of one CN, as UTF8String (RFC 5280, 4.1.2.4). */
export function commonName(text: string): Asn1Node {
  const oid = objectIdentifier(OID_COMMON_NAME);
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  const value = asn1.create(UNIVERSAL, asn1.Type.UTF8, false, bytes);
  return sequence(asn1.create(UNIVERSAL, asn1.Type.SET, true, [sequence(oid, value)]));
}

/** The signature algorithm for a key of ours; RSA wants a NULL parameter, ECDSA none (RFC 5758, RFC 4055). */
export function signatureAlgorithm(key: KeyObject): Asn1Node {
  const ec = key.asymmetricKeyType === "ec";
  const name = ec ? SIGNATURE_OIDS.ecdsaWithSha256 : SIGNATURE_OIDS.rsaWithSha256;
  const oid = objectIdentifier(name);
  return ec ? sequence(oid) : sequence(oid, asn1.create(UNIVERSAL, asn1.Type.NULL, false, ""));
}

/** `SEQUENCE { body, algorithm, signature }`, the shape of both certificates and CSRs. */
export function signed(body: Asn1Node, privateKey: KeyObject): Buffer {
  const signature = sign("sha256", toDer(body), privateKey);
  return toDer(sequence(body, signatureAlgorithm(privateKey), bitString(signature)));
}

export function toDer(node: Asn1Node): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), "latin1");
}

/** Parses DER; checks lengths but no tags, so whoever needs certainty compares a re-encoding. Throws on bad input. */
export function fromDer(der: Buffer): Asn1Node {
  // The typings lack `decodeBitStrings`, without which a BIT STRING that looks like DER is taken apart.
  const options = { strict: true, decodeBitStrings: false } as unknown as boolean;
  return asn1.fromDer(der.toString("latin1"), options);
}

/** The child nodes of a constructed node; none for a primitive one. */
export function children(node: Asn1Node | undefined): readonly Asn1Node[] {
  return node !== undefined && Array.isArray(node.value) ? node.value : [];
}

/** The content bytes of a primitive node; none for a constructed one. */
export function content(node: Asn1Node | undefined): Buffer {
  return typeof node?.value === "string" ? Buffer.from(node.value, "latin1") : Buffer.alloc(0);
}

export function hasType(node: Asn1Node | undefined, type: forge.asn1.Type): node is Asn1Node {
  return node?.tagClass === UNIVERSAL && node.type === type;
}

export const TYPE = asn1.Type;

/** The dotted form of an OBJECT IDENTIFIER node, or undefined. */
export function oidOf(node: Asn1Node | undefined): string | undefined {
  if (!hasType(node, asn1.Type.OID) || typeof node.value !== "string" || node.value === "")
    return undefined;
  return asn1.derToOid(node.value);
}

export function toPem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The DER of the one block of this label; undefined when there is none, several, or bad base64. */
export function fromPem(label: string, pem: string): Buffer | undefined {
  const [, base64] =
    new RegExp(`^\\s*-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----\\s*$`).exec(
      pem,
    ) ?? [];
  if (base64 === undefined) return undefined;
  const compact = base64.replace(/\s+/g, "");
  const der = Buffer.from(compact, "base64");
  return der.toString("base64") === compact ? der : undefined;
}
