import { X509Certificate } from "node:crypto";
import { LIMITS } from "./limits.js";
import { judgeCertificates, pemSentence } from "./pem.js";
import { looksLikePem } from "./pem-content.js";

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
  if (!verdict.ok) return { pem: undefined, fault: pemSentence(verdict.fault) };
  const { pem, count } = verdict;
  const foreign = unreadable(pem);
  if (foreign !== undefined)
    return {
      pem: undefined,
      fault: pemSentence({
        found: `a certificate with ${foreign}, which the device's TLS library does not read`,
        remedy: "use a CA whose key is RSA or ECDSA",
      }),
    };
  if (pem.length <= LIMITS.pinnedCaMaxBytes) return { pem, fault: undefined };
  const found = `${count} certificates in ${pem.length} bytes of PEM`;
  const remedy =
    "keep the CA that signed the backend's certificate, or leave backend.ca out to trust the public CAs";
  return { pem: undefined, fault: pemSentence({ found, remedy }) };
}

/** What mbedTLS finds no algorithm for (library/oid.c, oid_pk_alg and oid_sig_alg): it refuses the whole file. */
function unreadable(pem: string): string | undefined {
  for (const block of pem.split(/(?<=-----END CERTIFICATE-----\n)/)) {
    const certificate = new X509Certificate(block);
    const type = certificate.publicKey.asymmetricKeyType ?? "unknown";
    if (type !== "rsa" && type !== "ec") return `a key of the type ${type}`;
    const signature = EDWARDS.find(({ oid }) => certificate.raw.includes(oid));
    if (signature) return `a signature of the type ${signature.name}`;
  }
  return undefined;
}

/** RFC 8410, 3: id-Ed25519 and id-Ed448, in DER. */
const EDWARDS = [
  { name: "ed25519", oid: Buffer.from("06032b6570", "hex") },
  { name: "ed448", oid: Buffer.from("06032b6571", "hex") },
] as const;
