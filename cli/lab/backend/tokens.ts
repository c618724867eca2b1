import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 32 random bytes in base64url. */
const TOKEN_LENGTH = 43;

/** How a presented provisioning token stands. */
export type TokenVerdict =
  | { readonly kind: "valid"; readonly redeem: (answer: string) => void }
  /** The same request came again: give the same answer. */
  | { readonly kind: "repeated"; readonly answer: string }
  | { readonly kind: "unknown" | "spent" | "expired" | "foreign" };

interface Record {
  readonly hash: Buffer;
  readonly deviceId: string;
  readonly expiresAt: number;
  spent: { readonly fingerprint: string; readonly answer: string; readonly until: number } | null;
}

export type TokenStore = ReturnType<typeof createTokenStore>;

/**
 * Single-use tokens bound to a device id. A token is spent when a certificate has been made, not when
 * the request comes in, so a bad CSR does not cost it. As long as it lives, the same CSR gets the same
 * answer for it: when the reply is lost on the way, or of no use, the device has no certificate and no
 * other token, and would be stranded otherwise. That gives an eavesdropper nothing, since the
 * certificate is public and useless without the device's key. A token has lived when its time is up,
 * or when the device has been seen with the certificate.
 */
export function createTokenStore({
  lifetimeMs = 24 * 3_600_000,
  /** A token that is spent shortly before its time is up lives on for so long: the device tries again after its pauses. */
  leastRepeatMs = 600_000,
  now = Date.now,
} = {}) {
  const records: Record[] = [];

  // Every record is compared, in constant time: neither the position nor a common prefix shows.
  const find = (token: string): Record | undefined => {
    const hash = hashToken(token);
    let found: Record | undefined;
    for (const record of records) if (timingSafeEqual(record.hash, hash)) found = record;
    return found;
  };

  return {
    /** A new single-use token for this device, of so many characters; only its hash is kept. */
    issue(deviceId: string, length = TOKEN_LENGTH): string {
      const token = randomBytes(length).toString("base64url").slice(0, length);
      records.push({
        hash: hashToken(token),
        deviceId,
        expiresAt: now() + lifetimeMs,
        spent: null,
      });
      return token;
    },
    /** @param fingerprint identifies the request that the token pays for (the CSR's hash) */
    check(token: string, deviceId: string, fingerprint: string): TokenVerdict {
      const record = find(token);
      if (record === undefined) return { kind: "unknown" };
      if (record.deviceId !== deviceId) return { kind: "foreign" };
      if (record.spent !== null) {
        const isRepeat = record.spent.fingerprint === fingerprint && now() < record.spent.until;
        return isRepeat ? { kind: "repeated", answer: record.spent.answer } : { kind: "spent" };
      }
      if (now() >= record.expiresAt) return { kind: "expired" };
      const redeem = (answer: string): void => {
        record.spent = {
          fingerprint,
          answer,
          until: Math.max(record.expiresAt, now() + leastRepeatMs),
        };
      };
      return { kind: "valid", redeem };
    },
    /** The device has been seen with its certificate: nobody needs the answers to its tokens again. */
    settle(deviceId: string): void {
      for (const record of records) {
        if (record.deviceId === deviceId && record.spent !== null)
          record.spent = { ...record.spent, until: 0 };
      }
    },
    /** Whether this is a provisioning token at all, whatever its state. */
    knows(token: string): boolean {
      return find(token) !== undefined;
    },
  };
}

function hashToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
