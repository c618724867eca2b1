import type { ChainResult } from "./board.js";
import type { Evidence, Outcome } from "./outcome.js";

/** Whose word the result rests on: the weakest says the least. */
type Proof = "broker_delivered" | "device_word" | "backend_word";

/** The evidence as reports show it; the message that may belong to it has a place of its own. */
export function evidenceOf({ evidence }: Outcome): Omit<Evidence, "mqtt">[] {
  return evidence.map(({ witness, milestone, detail }) => ({ witness, milestone, detail }));
}

/** The strongest evidence for how far the device came: what the broker delivered, or else the last word. */
function bestOf({ reached, evidence }: Outcome): Evidence | undefined {
  const last = [...evidence].reverse();
  return (
    last.find(({ milestone, mqtt }) => milestone === reached && mqtt) ??
    last.find(({ milestone }) => milestone === reached)
  );
}

function proofOf({ witness, mqtt }: Evidence): Proof {
  if (mqtt) return "broker_delivered";
  return witness === "backend" ? "backend_word" : "device_word";
}

/** What every report tells of a board and its outcome. */
export function boardReport({ outcome, alreadyOnline }: ChainResult): Record<string, unknown> {
  const best = bestOf(outcome);
  return {
    already_online: alreadyOnline !== undefined,
    ...(alreadyOnline ? { not_used: alreadyOnline.notUsed } : {}),
    reached: outcome.reached,
    ...(best ? { proof: proofOf(best), proof_by: best.witness } : {}),
    evidence: evidenceOf(outcome),
    ...(outcome.unheard.length > 0 ? { unheard: outcome.unheard } : {}),
    ...(outcome.mqtt ? { mqtt: outcome.mqtt } : {}),
  };
}

const WORDS: Readonly<Record<Proof, string>> = {
  broker_delivered: "delivered by the broker",
  device_word: "by the device's own word",
  backend_word: "by the backend's word",
};

/** The last word on how far the device came, for people. */
export function bestEvidence(outcome: Outcome): string {
  const best = bestOf(outcome);
  if (!best) return outcome.reached;
  return `${outcome.reached}, ${WORDS[proofOf(best)]} (${best.witness}: ${best.detail})`;
}
