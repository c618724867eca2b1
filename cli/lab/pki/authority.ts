import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { readIfPresent, replaceFile } from "../../files/files.js";
import type { Csr } from "../../pki/csr.js";
import { OPERATOR, SPECTATOR } from "../broker/topic-rules.js";
import type { TlsIdentity } from "../server/server-identity.js";
import {
  type CertificateAuthority,
  createCa,
  issueCertificate,
  SLOW_CLOCK_MS,
  signCsr,
} from "./ca.js";
import { revocationList } from "./crl.js";

const HOUR_MS = 3_600_000;

export const SERVER_FLAWS = ["untrusted", "expired", "wrong_host"] as const;
export type ServerFlaw = (typeof SERVER_FLAWS)[number];
export type CertificateFlaw = "foreign_key" | "foreign_name" | "foreign_ca" | "expired";

/** When a device's certificate ends, from its issue on, and how long before that it seems to have begun. */
export interface CertificateDates {
  readonly lifetimeMs: number;
  /** Default: a little, for clocks that are slow. A device renews in the last third of both together. */
  readonly ageMs?: number;
}

export type LabAuthority = ReturnType<typeof authorityOf>;

/** The CA kept in `dir`; a new one (key 0600) when there is none that can be used. */
export async function openAuthority(dir: string): Promise<LabAuthority> {
  const certFile = join(dir, "ca.pem");
  const keyFile = join(dir, "ca-key.pem");
  const kept = usableCa(readIfPresent(certFile), readIfPresent(keyFile));
  const ca = kept ?? (await createCa({ commonName: "prov lab CA" }));
  if (kept === null) {
    replaceFile(keyFile, ca.keyPem);
    replaceFile(certFile, ca.certPem);
  }
  return authorityOf(ca, await createCa({ commonName: "prov lab CA" }));
}

/** The lab's own CA and everything that it signs, good and (for tests of the other side) bad. */
function authorityOf(ca: CertificateAuthority, foreignCa: CertificateAuthority) {
  const serials: string[] = [];
  return {
    caPem: ca.certPem,
    /** A CA of the same name that signed nothing of the lab's. */
    foreignCaPem: foreignCa.certPem,
    /** For localhost and 127.0.0.1, unless flawed. */
    issueServer(flaw?: ServerFlaw): Promise<TlsIdentity> {
      const isElsewhere = flaw === "wrong_host";
      return issueCertificate(flaw === "untrusted" ? foreignCa : ca, {
        usage: "server",
        commonName: isElsewhere ? "elsewhere.invalid" : "localhost",
        dns: [isElsewhere ? "elsewhere.invalid" : "localhost"],
        ip: [isElsewhere ? "192.0.2.1" : "127.0.0.1"],
        ...(flaw === "expired" ? longGone() : {}),
      });
    },
    /** The identity that may read every device's topics. */
    issueOperator: () => issueCertificate(ca, { usage: "client", commonName: OPERATOR }),
    /** The identity that may do no more than that. */
    issueSpectator: () => issueCertificate(ca, { usage: "client", commonName: SPECTATOR }),
    /** A client certificate for a checked CSR, unless flawed. */
    signDevice(
      csr: Csr,
      { dates, flaw }: { dates: CertificateDates; flaw: CertificateFlaw | null },
    ): string {
      const publicKey = flaw === "foreign_key" ? somebodysKey() : csr.publicKey;
      const commonName =
        flaw === "foreign_name" ? `not-${csr.commonName}`.slice(0, 64) : csr.commonName;
      const validity = flaw === "expired" ? longGone() : validFor(dates);
      const signer = flaw === "foreign_ca" ? foreignCa : ca;
      const certPem = signCsr(signer, { commonName, publicKey }, { usage: "client", ...validity });
      serials.push(new X509Certificate(certPem).serialNumber);
      return certPem;
    },
    /** The list that takes back every client certificate signed so far. */
    revokeDevices: () => revocationList(ca, serials),
  };
}

/** Dated back for clocks that are slow, but unasked never by much of the lifetime: devices renew by its thirds. */
function validFor({ lifetimeMs, ageMs }: CertificateDates) {
  const now = Date.now();
  const backMs = ageMs ?? Math.min(SLOW_CLOCK_MS, lifetimeMs / 10);
  return { notBefore: new Date(now - backMs), notAfter: new Date(now + lifetimeMs) };
}

function longGone() {
  const now = Date.now();
  return { notBefore: new Date(now - 2 * HOUR_MS), notAfter: new Date(now - HOUR_MS) };
}

function somebodysKey() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
}

function usableCa(certPem?: string, keyPem?: string): CertificateAuthority | null {
  if (certPem === undefined || keyPem === undefined) return null;
  try {
    const certificate = new X509Certificate(certPem);
    const isCurrent = Date.parse(certificate.validTo) > Date.now() + 24 * HOUR_MS;
    const isOwn = certificate.checkPrivateKey(createPrivateKey(keyPem));
    return isCurrent && isOwn ? { certPem, keyPem } : null;
  } catch {
    return null; // damaged: a lab's CA is worth nothing, a new one is made
  }
}
