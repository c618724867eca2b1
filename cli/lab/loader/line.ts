import { damage, type LoaderFaults } from "./faults.js";

/**
 * One direction of the line. Each byte takes 10 bit times (start, eight data, stop). Delivers each piece when its last
 * byte would have arrived; at once when `baud()` is undefined.
 */
function createPacer(baud: () => number | undefined, deliver: (bytes: Uint8Array) => void) {
  let busyUntilMs = 0;
  let pending: { bytes: Uint8Array; atMs: number }[] = [];
  let timer: NodeJS.Timeout | undefined;

  const drain = (): void => {
    timer = undefined;
    for (let next = pending[0]; next; next = pending[0]) {
      const waitMs = next.atMs - performance.now();
      // setTimeout cannot aim below a millisecond; half of one early is nearer than one late.
      if (waitMs > 0.5) {
        timer = setTimeout(drain, waitMs);
        return;
      }
      pending.shift();
      deliver(next.bytes);
    }
  };

  return {
    push(bytes: Uint8Array) {
      const rate = baud();
      if (rate === undefined && pending.length === 0) return deliver(bytes);
      const startMs = Math.max(performance.now(), busyUntilMs);
      busyUntilMs = startMs + (rate === undefined ? 0 : (bytes.length * 10_000) / rate);
      pending.push({ bytes, atMs: busyUntilMs });
      if (timer === undefined) drain();
    },
    /** Forgets what is still on its way. */
    clear(): void {
      clearTimeout(timer);
      timer = undefined;
      pending = [];
      busyUntilMs = 0;
    },
  };
}

/** Where the line's bytes to the host go: a pty, a TCP client … */
export interface LineEnd {
  send(bytes: Uint8Array): void;
  /** Fault: the cable is pulled. */
  vanish(): void;
}

export type Line = ReturnType<typeof createLine>;

/** The line between the chip and every port that stands for it. */
export function createLine(options: {
  throttle: boolean;
  faults: LoaderFaults;
  toChip(bytes: Uint8Array): void;
}) {
  const { faults } = options;
  const ends = new Set<LineEnd>();
  let baud = 115_200;
  let hostBytes = 0;
  const paced = (): number | undefined => (options.throttle ? baud : undefined);
  const isUnreadable = (): boolean => faults.maxBaud !== undefined && baud > faults.maxBaud;
  const inbound = createPacer(paced, options.toChip);
  const outbound = createPacer(paced, (bytes) => {
    for (const end of ends) end.send(bytes);
  });

  const countDown = (length: number): boolean => {
    if (faults.vanishAfterBytes === undefined) return false;
    faults.vanishAfterBytes -= length;
    if (faults.vanishAfterBytes > 0) return false;
    faults.vanishAfterBytes = undefined;
    for (const end of [...ends]) end.vanish();
    return true;
  };

  return {
    attach(end: LineEnd): () => void {
      ends.add(end);
      return () => ends.delete(end);
    },
    fromHost(bytes: Uint8Array): void {
      if (countDown(bytes.length)) return;
      const arrived = damage(bytes, faults, hostBytes);
      hostBytes += bytes.length;
      inbound.push(isUnreadable() ? arrived.map((byte) => byte ^ 0x5a) : arrived);
    },
    toHost(bytes: Uint8Array): void {
      outbound.push(isUnreadable() ? bytes.map((byte) => byte ^ 0x5a) : bytes);
    },
    setBaud(rate: number): void {
      baud = rate;
    },
    close(): void {
      inbound.clear();
      outbound.clear();
      ends.clear();
    },
  };
}
