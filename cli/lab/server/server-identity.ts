import type { SecureContextOptions } from "node:tls";

/** A PEM certificate and its key. */
export interface TlsIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

/** What keeps a server from agreeing with a client of TLS 1.2 whose key is ECDSA or RSA. */
export const HANDSHAKE_FLAWS = [
  "tls13_only",
  "no_common_cipher",
  "no_common_signature",
  "no_certificate",
] as const;
export type HandshakeFlaw = (typeof HANDSHAKE_FLAWS)[number];

/** What a server shows to its clients, and which of theirs it no longer takes. */
export interface ServerIdentity extends TlsIdentity {
  readonly crlPem?: string;
  readonly flaw?: HandshakeFlaw;
}

/** The same as node wants it. */
export function secureContextOf(identity: ServerIdentity, caPem: string): SecureContextOptions {
  const { certPem, keyPem, crlPem, flaw } = identity;
  return {
    ...(flaw === "no_certificate" ? {} : { cert: certPem, key: keyPem }),
    ca: caPem,
    minVersion: flaw === "tls13_only" ? "TLSv1.3" : "TLSv1.2",
    ...(flaw === undefined || flaw === "tls13_only" ? {} : { maxVersion: "TLSv1.2" }),
    ...(flaw === "no_common_cipher" ? { ciphers: NO_COMMON_CIPHER } : {}),
    ...(flaw === "no_common_signature" ? { sigalgs: "ed448" } : {}),
    ...(crlPem === undefined ? {} : { crl: crlPem }),
  };
}

/** Wants an RSA key of the server, whose own is ECDSA. */
export const NO_COMMON_CIPHER = "AES256-GCM-SHA384";
