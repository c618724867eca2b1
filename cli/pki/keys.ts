import { createHash, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import type { KeyAlgorithm } from "../../codegen/manifest.js";
import { children, content, fromDer } from "./asn1.js";

/** Makes a private key. RSA takes a while (some 150 ms and more), so it runs off the main thread. */
export function generatePrivateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, _publicKey: KeyObject, privateKey: KeyObject): void => {
      if (error) reject(error);
      else resolve(privateKey);
    };
    if (algorithm === "P-256") generateKeyPair("ec", { namedCurve: "P-256" }, done);
    else generateKeyPair("rsa", { modulusLength: 2048 }, done);
  });
}

/** PKCS#8, the one form that OpenSSL and mbedTLS 2.28 to 4 read for both algorithms. */
export function privateKeyToPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Which of prov's algorithms a key is for, or undefined when it is for neither. */
export function keyAlgorithm(key: KeyObject): KeyAlgorithm | undefined {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === "ec" && details?.namedCurve === "prime256v1") return "P-256";
  if (key.asymmetricKeyType === "rsa" && details?.modulusLength === 2048) return "RSA-2048";
  return undefined;
}

export function publicKeyOf(key: KeyObject): KeyObject {
  return key.type === "private" ? createPublicKey(key) : key;
}

/** DER of the SubjectPublicKeyInfo; equal exactly when the keys are. */
export function publicKeyDer(key: KeyObject): Buffer {
  return publicKeyOf(key).export({ type: "spki", format: "der" });
}

/** SHA-1 of the public key's bits: the subject key identifier (RFC 5280, 4.2.1.2, method 1). */
export function keyIdentifier(key: KeyObject): Buffer {
  const bits = content(children(fromDer(publicKeyDer(key)))[1]);
  return createHash("sha1").update(bits.subarray(1)).digest();
}
