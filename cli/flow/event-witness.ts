import type { Witness } from "./outcome.js";

/**
 * The backend's word that it signed the device's CSR.
 * @param enrolled resolves when it has; rejects or stays pending otherwise
 */
export function backendWitness(enrolled: (signal: AbortSignal) => Promise<unknown>): Witness {
  return {
    name: "backend",
    speaksFor: "backend",
    async watch(report, signal) {
      await enrolled(signal);
      report({
        kind: "evidence",
        evidence: { witness: "backend", milestone: "certificate", detail: "signed the CSR" },
      });
    },
  };
}
