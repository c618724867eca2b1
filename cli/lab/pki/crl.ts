import { createPrivateKey } from "node:crypto";
import { integer, sequence, signatureAlgorithm, signed, time, toPem } from "../../pki/asn1.js";
import { type CertificateAuthority, SLOW_CLOCK_MS, subjectOf } from "./ca.js";

const VALID_MS = 365 * 86_400_000;

/**
 * A CA's list of the certificates that it takes back (RFC 5280, 5.1; version 1, which has no extensions).
 * @param serials hexadecimal, as node:crypto shows them
 */
export function revocationList(ca: CertificateAuthority, serials: readonly string[]): string {
  const issuerKey = createPrivateKey(ca.keyPem);
  const since = new Date(Date.now() - SLOW_CLOCK_MS);
  const entries = serials.map((serial) =>
    sequence(integer(Buffer.from(serial, "hex")), time(since)),
  );
  const body = sequence(
    signatureAlgorithm(issuerKey),
    subjectOf(ca.certPem),
    time(since),
    time(new Date(Date.now() + VALID_MS)),
    // An empty list must be absent.
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
  );
  return toPem("X509 CRL", signed(body, issuerKey));
}
