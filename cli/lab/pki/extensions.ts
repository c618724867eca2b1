import type { KeyObject } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import {
  type Asn1Node,
  bitString,
  boolean,
  contextBytes,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  toDer,
} from "../../pki/asn1.js";
import { keyIdentifier } from "../../pki/keys.js";

/* X.509 v3 extensions (RFC 5280, 4.2.1), each as a complete Extension node. */

const OID = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** A CA that signs end entities only. */
export function caExtensions(key: KeyObject): Asn1Node[] {
  return [
    extension(OID.basicConstraints, sequence(boolean(true), integer(Buffer.from([0]))), "critical"),
    // keyCertSign is bit 5, cRLSign bit 6; one unused bit.
    extension(OID.keyUsage, bitString(Buffer.from([0x06]), 1), "critical"),
    subjectKeyIdentifier(key),
  ];
}

/** A TLS client or server under the issuer. */
export function endEntityExtensions(
  usage: "client" | "server",
  key: KeyObject,
  issuerKey: KeyObject,
  names: { readonly dns: readonly string[]; readonly ip: readonly string[] },
): Asn1Node[] {
  const purpose = usage === "server" ? OID.serverAuth : OID.clientAuth;
  const altNames = [
    ...names.dns.map((name) => contextBytes(2, Buffer.from(name, "latin1"))),
    ...names.ip.map((address) => contextBytes(7, addressBytes(address))),
  ];
  return [
    // DER leaves out defaults: an empty sequence is `cA FALSE`.
    extension(OID.basicConstraints, sequence(), "critical"),
    // digitalSignature is bit 0; seven unused bits.
    extension(OID.keyUsage, bitString(Buffer.from([0x80]), 7), "critical"),
    extension(OID.extKeyUsage, sequence(objectIdentifier(purpose))),
    subjectKeyIdentifier(key),
    extension(OID.authorityKeyIdentifier, sequence(contextBytes(0, keyIdentifier(issuerKey)))),
    ...(altNames.length > 0 ? [extension(OID.subjectAltName, sequence(...altNames))] : []),
  ];
}

function subjectKeyIdentifier(key: KeyObject): Asn1Node {
  return extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(key)));
}

function extension(oid: string, body: Asn1Node, critical?: "critical"): Asn1Node {
  const value = octetString(toDer(body));
  if (critical === undefined) return sequence(objectIdentifier(oid), value);
  return sequence(objectIdentifier(oid), boolean(true), value);
}

/** 4 or 16 bytes in network order. Throws a RangeError when it is no address. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  if (!isIPv6(address) || address.includes("%"))
    throw new RangeError(`not an IP address: ${address}`);
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const left = head.split(":").filter(Boolean);
  const right = (tail ?? "").split(":").filter(Boolean);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  const groups = [...left, ...zeros, ...right].map((group) => group.padStart(4, "0"));
  return Buffer.from(groups.join(""), "hex");
}
