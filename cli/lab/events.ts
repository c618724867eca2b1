import { z } from "zod";
import { optional } from "../optional.js";

/** One thing that the lab saw. It is evidence, and it may be printed: it never holds a secret. */
export const labEventSchema = z
  .object({
    /** ISO 8601 */
    at: z.string(),
    source: z.enum(["backend", "broker", "board"]),
    /** Who it was about, as far as that was proven (or, on a refusal, claimed). */
    deviceId: z.string().nullable(),
    /** `sign-csr`, `connect`, `publish`, `power_on` … */
    what: z.string(),
    /** `ok`, or the code of the refusal or fault. */
    outcome: z.string(),
    /** Topic, address, exit status …: whatever helps the reader. */
    detail: z.string().exactOptional(),
  })
  .readonly();
export type LabEvent = z.infer<typeof labEventSchema>;

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
  return { at, source, deviceId, what, outcome, ...optional({ detail }) };
}

/** Whether the backend signed a CSR of this device. */
export function isSigned({ source, what, outcome, deviceId }: LabEvent, id: string): boolean {
  return source === "backend" && what === "sign-csr" && outcome === "ok" && deviceId === id;
}
