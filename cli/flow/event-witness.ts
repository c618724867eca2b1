import type { Witness } from "./outcome.js";

/** The device was seen to enrol: who saw it, and the words for the report. */
export interface Enrolled {
  readonly detail: string;
}

/**
 * The backend's word that it signed the device's CSR.
 * @param enrolled resolves when it has; rejects or stays pending otherwise
 */
export function backendWitness(enrolled: (signal: AbortSignal) => Promise<Enrolled>): Witness {
  return {
    name: "backend",
    async watch(report, signal) {
      const { detail } = await enrolled(signal);
      report({
        kind: "evidence",
        evidence: { witness: "backend", milestone: "certificate", detail },
      });
    },
  };
}
