/**
 * Every bound and every pace of the chain that a person or an option can feel. What a protocol or a
 * chip prescribes stands beside the code that speaks to it.
 */

/** Where no --timeout says otherwise, in seconds. */
export const DEFAULT_BOUND_S = {
  /** Of a real board's boot, and of the virtual one's. */
  boot: 30,
  virtualBoot: 20,
  /** On finding and joining the AP: a device without one is not waited for as long as one that works. */
  join: 45,
  /** On all of it, from looking for the AP to the proof. */
  all: 120,
} as const;

/** Encrypting the whole flash takes about a minute (ESP-IDF, "Flash Encryption"); burning eFuses takes seconds. */
export const FIRST_BOOT_MS = { encrypting: 180_000, burning: 20_000 } as const;

/** A host follows the board's AP to another channel within seconds. */
export const AP_GONE_MS = 20_000;
/** How long no AP is seen before people are told what that may mean, where nobody can look. */
export const WONDER_MS = 5_000;
/** However late it is, witnesses are asked once. */
export const LAST_LOOK_MS = 1_000;
/** A status message may be late by so much. */
export const STATUS_GRACE_MS = 5_000;

/** Pauses between two looks. */
export const POLL_MS = {
  /** For an AP, and for the first answer on it. */
  join: 250,
  /** At a board's status, over the air. */
  radio: 500,
  /** The same on loopback, which has no air time to save. */
  loopback: 50,
  /** At the lab's board while it boots. */
  virtualBoot: 20,
} as const;

export interface Bounds {
  /** On finding and joining the board's AP. */
  readonly joinTimeoutMs: number;
  /** On all of it. */
  readonly timeoutMs: number;
}

/** What --timeout, in seconds, means: it raises and lowers both. */
export function boundsOf(timeoutS: number | undefined): Bounds {
  return {
    joinTimeoutMs: (timeoutS ?? DEFAULT_BOUND_S.join) * 1000,
    timeoutMs: (timeoutS ?? DEFAULT_BOUND_S.all) * 1000,
  };
}
