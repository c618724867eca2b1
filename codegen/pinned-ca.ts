import { X509Certificate } from "node:crypto";
import { type CertificateFacts, certificateFacts } from "./certificate-facts.js";
import { unreadablePart, uselessAsCa } from "./certificate-rules.js";
import { LIMITS } from "./limits.js";
import { judgeCertificates, pemSentence } from "./pem.js";
import { looksLikePem, type PemFault } from "./pem-content.js";

/** Reads a file that a manifest names: its content, or a sentence that tells why not. */
export type ReadFile = (path: string) => Uint8Array | string;

export type PinnedCa =
  | { readonly pem: string; readonly fault: undefined }
  | { readonly pem: undefined; readonly fault: string | undefined };

/**
 * The certificates behind `backend.ca`, which is PEM or the path of a file.
 * @param readFile without it no path is taken
 * @returns undefined for what is no text, which is the schema's to refuse
 */
export function readPinnedCa(value: unknown, readFile?: ReadFile): PinnedCa | undefined {
  if (typeof value !== "string") return undefined;
  if (value.trim() === "") return { pem: undefined, fault: undefined };
  if (isText(value)) return judge(new TextEncoder().encode(value));
  const content = readFile?.(value);
  return content === undefined || typeof content === "string"
    ? { pem: undefined, fault: content }
    : judge(content);
}

/** PEM that was pasted and damaged is no path, nor is base64 without its armor. */
function isText(value: string): boolean {
  return /BEGIN |[\r\n]/.test(value) || looksLikePem(value);
}

function judge(bytes: Uint8Array): PinnedCa {
  const verdict = judgeCertificates(bytes);
  if (!verdict.ok) return refuse(verdict.fault);
  const { pem, count } = verdict;
  const fault = refusedByDevice(certificatesIn(pem));
  if (fault !== undefined) return refuse(fault);
  if (pem.length <= LIMITS.pinnedCaMaxBytes) return { pem, fault: undefined };
  return refuse({
    found: `${count} certificates in ${pem.length} bytes of PEM`,
    remedy:
      "keep the CA that signed the backend's certificate, or leave backend.ca out to trust the public CAs",
  });
}

/** The certificates of a PEM text that the judge of PEM has written. */
export function certificatesIn(pem: string): (CertificateFacts | undefined)[] {
  return pem
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .map((block) => certificateFacts(new X509Certificate(block).raw));
}

/** One certificate that it cannot read, or none that could vouch for a server. */
function refusedByDevice(
  certificates: readonly (CertificateFacts | undefined)[],
): PemFault | undefined {
  const unreadable = certificates.map(unreadablePart).find((part) => part !== undefined);
  if (unreadable !== undefined)
    return {
      found: `a certificate with ${unreadable.part}, which the device's TLS library does not read`,
      remedy: unreadable.remedy,
    };
  const useless = certificates.map((facts) => facts && uselessAsCa(facts));
  const [first] = useless;
  if (first === undefined || useless.includes(undefined)) return undefined;
  return {
    found: `a certificate with ${first.part}, by which the device trusts no server`,
    remedy: first.remedy,
  };
}

function refuse(fault: PemFault): PinnedCa {
  return { pem: undefined, fault: pemSentence(fault) };
}
