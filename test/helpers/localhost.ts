import { type CertificateAuthority, issueCertificate } from "../../cli/lab/pki/ca.js";

/** A certificate for a server on this machine, and its key. */
export function localhostIdentity(
  ca: CertificateAuthority,
  more: Partial<Parameters<typeof issueCertificate>[1]> = {},
) {
  return issueCertificate(ca, {
    usage: "server",
    commonName: "localhost",
    dns: ["localhost"],
    ...more,
  });
}
