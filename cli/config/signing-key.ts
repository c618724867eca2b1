import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { signingKeyKind } from "../../codegen/security.js";

/**
 * Why the key that is to sign a device's firmware cannot do so; undefined when it can, or is not needed.
 * Nothing of the file is ever part of the message.
 */
export function signingKeyFault({ target, security }: DeviceManifest): string | undefined {
  const path = security.secureBoot;
  if (path === false) return undefined;
  const kind = signingKeyKind(target);
  const key = readKey(path);
  if (key !== undefined && isOfKind(key, kind)) return undefined;
  const got = key === undefined ? "no readable key" : "another kind of key";
  return `security.secureBoot: expected a PEM file with an unencrypted ${kind} private key for the ${target}, got ${got} at ${path}`;
}

function readKey(path: string): KeyObject | undefined {
  try {
    return createPrivateKey(readFileSync(path));
  } catch {
    return undefined;
  }
}

function isOfKind(key: KeyObject, kind: ReturnType<typeof signingKeyKind>): boolean {
  const details = key.asymmetricKeyDetails;
  return kind === "P-256"
    ? key.asymmetricKeyType === "ec" && details?.namedCurve === "prime256v1"
    : key.asymmetricKeyType === "rsa" && details?.modulusLength === 3072;
}
