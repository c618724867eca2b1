/** One thing that the lab saw. It is evidence, and it may be printed: it never holds a secret. */
export interface LabEvent {
  /** ISO 8601 */
  readonly at: string;
  readonly source: "backend" | "broker" | "board";
  /** Who it was about, as far as that was proven (or, on a refusal, claimed). */
  readonly deviceId: string | null;
  /** `sign-csr`, `connect`, `publish`, `power_on` … */
  readonly what: string;
  /** `ok`, or the code of the refusal or fault. */
  readonly outcome: string;
  /** Topic, address, exit status …: whatever helps the reader. */
  readonly detail?: string;
}

export type EventSink = (event: LabEvent) => void;

/** An event that happened now. */
export function labEvent(
  source: LabEvent["source"],
  deviceId: string | null,
  what: string,
  outcome: string,
  detail?: string,
): LabEvent {
  const at = new Date().toISOString();
  return detail === undefined
    ? { at, source, deviceId, what, outcome }
    : { at, source, deviceId, what, outcome, detail };
}

/** Whether the backend signed a CSR of this device. */
export function isSigned({ source, what, outcome, deviceId }: LabEvent, id: string): boolean {
  return source === "backend" && what === "sign-csr" && outcome === "ok" && deviceId === id;
}
