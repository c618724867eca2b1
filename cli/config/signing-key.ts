import { createPrivateKey, type KeyObject } from "node:crypto";
import { signingKeyOf } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { judgePrivateKey, pemSentence } from "../../codegen/pem.js";
import { readNamedFile } from "./named-file.js";

/**
 * Why the key that is to sign a device's firmware cannot do so; undefined when it can, or is not needed.
 * Nothing of the file is ever part of the message.
 */
export function signingKeyFault({ target, security }: DeviceManifest): string | undefined {
  const path = security.secureBoot;
  if (path === false) return undefined;
  const kind = signingKeyOf(target);
  const key = readKey(path);
  if (typeof key !== "string" && isOfKind(key, kind)) return undefined;
  const got = typeof key === "string" ? key : `${path}: it holds another kind of key`;
  return `security.secureBoot: expected a PEM file with an unencrypted ${kind} private key for the ${target}, got ${got}`;
}

/** The key as ESP-IDF's tools will read it, or why they will not. */
function readKey(path: string): KeyObject | string {
  const content = readNamedFile(path);
  if (typeof content === "string") return content;
  try {
    return createPrivateKey(content);
  } catch {
    const verdict = judgePrivateKey(content);
    const why = verdict.ok
      ? "its lines do not begin where they should; take out the white space or byte order mark before them"
      : pemSentence(verdict.fault);
    return `${path}: ${why}`;
  }
}

function isOfKind(key: KeyObject, kind: ReturnType<typeof signingKeyOf>): boolean {
  const details = key.asymmetricKeyDetails;
  return kind === "P-256"
    ? key.asymmetricKeyType === "ec" && details?.namedCurve === "prime256v1"
    : key.asymmetricKeyType === "rsa" && details?.modulusLength === 3072;
}
