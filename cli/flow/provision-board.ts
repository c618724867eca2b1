import { type Attempt, beginAttempt, leaveAp, type ProvisionBoardRequest } from "./attempt.js";
import type { ChainResult } from "./board.js";
import { brokerUriOf, confirmAtBroker } from "./broker-proof.js";
import { callWitnesses, enrol, goOnline } from "./enrol.js";
import { onlineAlready } from "./online-already.js";
import { provision } from "./provision.js";
import { joinOrFindOnline } from "./reach.js";
import { scanNetworks } from "./scan.js";

/**
 * The second half of the chain: joins the board's AP, checks who answers, hands over the credentials and waits for
 * evidence of the outcome. The host's WiFi is put back on every way out.
 * @throws ProvError of the join, provision, enrol and mqtt stages
 */
export async function provisionBoard(request: ProvisionBoardRequest): Promise<ChainResult> {
  const attempt = beginAttempt(request);
  const board = await overItsAp(attempt).finally(() => leaveAp(request));
  const outcome = await confirmAtBroker(attempt, board.outcome);
  for (const { witness, reason } of outcome.unheard)
    request.progress.warn(`the ${witness} was no witness: ${reason}`);
  return { ...board, outcome };
}

async function overItsAp(attempt: Attempt): Promise<ChainResult> {
  const { clock, goal = "mqtt" } = attempt;
  const joined = await clock.run("join", async () => {
    const found = await joinOrFindOnline({
      ...attempt,
      timeoutMs: Math.min(attempt.joinTimeoutMs, attempt.timeoutMs),
      lookMs: attempt.timeoutMs,
    });
    return "api" in found ? found : onlineAlready(attempt, found);
  });
  if (!("api" in joined)) return joined;
  const scanned = await clock.run("scan", () => scanNetworks(joined, attempt));
  const provisioned = await clock.run("provision", () => provision(scanned, attempt));
  const hearing = callWitnesses(provisioned, attempt);
  try {
    const enrolled = await clock.run("enrol", () => enrol(provisioned, hearing, attempt));
    const { attemptId, networks, outcome } =
      goal === "mqtt"
        ? await clock.run("mqtt", () => goOnline(enrolled, hearing, attempt))
        : enrolled;
    return { attemptId, brokerUri: brokerUriOf(attempt), networks, outcome };
  } finally {
    await hearing.close();
  }
}
