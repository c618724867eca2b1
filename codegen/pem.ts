import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  DAMAGED,
  foundKind,
  type PemBlock,
  type PemFault,
  type PemKind,
  readPem,
} from "./pem-content.js";

const KEYS: readonly PemKind[] = ["key", "encryptedKey", "sshKey"];

/** One judge for all PEM that comes from people: the text that every program reads, or what came instead. */
export type PemVerdict =
  | { readonly ok: true; readonly pem: string; readonly count: number }
  | { readonly ok: false; readonly fault: PemFault };

/**
 * Certificates and nothing else.
 * @param options `key`: whether a private key may lie beside them, as in a client's combined file
 * @returns their PEM in lines of 64 characters, without what was around it
 */
export function judgeCertificates(
  bytes: Uint8Array,
  options: { readonly key?: "allowed" } = {},
): PemVerdict {
  const content = readPem(bytes, "certificate");
  if (!content.ok) return content;
  const isPassedOver = ({ kind }: PemBlock): boolean =>
    options.key === "allowed" && (KEYS.includes(kind) || kind === "parameters");
  const blocks = content.blocks.filter((block) => !isPassedOver(block));
  const certificates = blocks.filter(({ kind }) => kind === "certificate");
  const others = blocks.filter(({ kind }) => kind !== "certificate");
  // Of several that do not belong there a key is the one to be told of.
  const other = others.find(({ kind }) => KEYS.includes(kind)) ?? others[0];
  if (certificates.length === 0) return refuse(foundKind(other?.kind ?? "key", "certificate"));
  if (other !== undefined)
    return refuse({
      found: `${foundKind(other.kind, "certificate").found} beside ${counted(certificates.length)}`,
      remedy: "take it out, and leave the certificates",
    });
  const pems = certificates.flatMap((block) => certificatePem(block) ?? []);
  if (pems.length < certificates.length)
    return refuse({ found: unreadable(certificates), remedy: DAMAGED });
  return { ok: true, pem: pems.join(""), count: pems.length };
}

/** One private key without a passphrase; a certificate may lie beside it. */
export function judgePrivateKey(bytes: Uint8Array): PemVerdict {
  const content = readPem(bytes, "private key");
  if (!content.ok) return content;
  const keys = content.blocks.filter(({ kind }) => KEYS.includes(kind));
  const [key, second] = keys;
  if (key === undefined) {
    const kind = content.blocks.find(({ kind }) => kind !== "parameters")?.kind ?? "parameters";
    return refuse(foundKind(kind, "private key"));
  }
  if (second !== undefined)
    return refuse({
      found: `${keys.length} private keys`,
      remedy: "keep only the one that is meant",
    });
  if (key.kind !== "key") return refuse(foundKind(key.kind, "private key"));
  const pem = blockPem(key);
  try {
    createPrivateKey(pem);
  } catch {
    return refuse({ found: "a private key that cannot be read", remedy: DAMAGED });
  }
  return { ok: true, pem, count: 1 };
}

/** The end of a message that names the file. */
export function pemSentence({ found, remedy }: PemFault): string {
  return `it holds ${found}; ${remedy}`;
}

/** From the bytes that the base64 stands for, which have to be a certificate and nothing more. */
function certificatePem({ body }: PemBlock): string | undefined {
  const base64 = body.replace(/\s+/g, "");
  const der = Buffer.from(base64, "base64");
  if (der.toString("base64") !== base64) return undefined;
  try {
    const certificate = new X509Certificate(der);
    return certificate.raw.equals(der) ? certificate.toString() : undefined;
  } catch {
    return undefined;
  }
}

function blockPem({ label, body }: PemBlock): string {
  const lines = body.split(/[\r\n]+/).map((line) => line.trim());
  return [`-----BEGIN ${label}-----`, ...lines.filter(Boolean), `-----END ${label}-----`, ""].join(
    "\n",
  );
}

function counted(certificates: number): string {
  return certificates === 1 ? "a certificate" : `${certificates} certificates`;
}

function unreadable(certificates: readonly PemBlock[]): string {
  if (certificates.length === 1) return "a certificate that cannot be read";
  const index = certificates.findIndex((block) => certificatePem(block) === undefined);
  return `${certificates.length} certificates, of which number ${index + 1} cannot be read`;
}

function refuse(fault: PemFault): PemVerdict {
  return { ok: false, fault };
}
