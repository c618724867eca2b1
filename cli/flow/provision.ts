import { ProvError } from "../errors.js";
import { asTask } from "../terminal/progress.js";
import { abortError, abortsAs } from "../time/wait.js";
import { type Attempt, TOO_LATE } from "./attempt.js";
import type { ProvisionedBoard, ScannedBoard } from "./board.js";

const NO_REPLY = { code: "ap_unreachable", message: "no reply in time" } as const;

/**
 * Hands the credentials over.
 * @throws ProvError of the provision stage, ap_unreachable when time was up before they were sent
 */
export async function provision(board: ScannedBoard, attempt: Attempt): Promise<ProvisionedBoard> {
  const { credentials, manifest, signal, progress, id, inTime } = attempt;
  await asTask(progress, "provision", async () => {
    if (inTime.aborted) throw abortError(inTime, TOO_LATE);
    try {
      const body = {
        ...credentials,
        deviceId: manifest.id,
        attemptId: id,
        timeSeconds: Math.floor(Date.now() / 1000),
      };
      await abortsAs(inTime, NO_REPLY, () => board.api.provision(body, inTime));
    } catch (error) {
      // The reply may be lost after the board has acted; whether it did, the witnesses will tell.
      if (!(error instanceof ProvError) || error.code !== "ap_unreachable") throw error;
      signal.throwIfAborted();
      progress.warn(`no reply to POST /provision (${error.message}); looking for the outcome`);
    }
  });
  return { ...board, attemptId: id };
}
