import type { Evidence, Outcome } from "../flow/outcome.js";

/** The evidence as reports show it; the message that may belong to it has a place of its own. */
function evidenceOf({ evidence }: Outcome): Omit<Evidence, "mqtt">[] {
  return evidence.map(({ witness, milestone, detail }) => ({ witness, milestone, detail }));
}

/** What every report tells of an outcome. */
export function outcomeReport(outcome: Outcome): Record<string, unknown> {
  return {
    reached: outcome.reached,
    evidence: evidenceOf(outcome),
    ...(outcome.unheard.length > 0 ? { unheard: outcome.unheard } : {}),
    ...(outcome.mqtt ? { mqtt: outcome.mqtt } : {}),
  };
}

/** The last word on how far the device came, for people. */
export function bestEvidence({ reached, evidence }: Outcome): string {
  const best = [...evidence].reverse().find(({ milestone }) => milestone === reached);
  return `${reached}, seen by the ${best?.witness ?? "device"} (${best?.detail ?? ""})`;
}
