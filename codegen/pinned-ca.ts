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
  if (pem.length <= LIMITS.pinnedCaMaxBytes) return { pem, fault: undefined };
  const found = `${count} certificates in ${pem.length} bytes of PEM`;
  const remedy =
    "keep the CA that signed the backend's certificate, or leave backend.ca out to trust the public CAs";
  return { pem: undefined, fault: pemSentence({ found, remedy }) };
}
