import { randomUUID } from "node:crypto";
import type { DeviceManifest } from "../../codegen/manifest.js";
import type { Milestone } from "../../codegen/states.js";
import type { Progress } from "../terminal/progress.js";
import { deadline } from "../time/deadline.js";
import type { BoardReach, Credentials } from "./board.js";
import type { StageClock } from "./stages.js";
import type { Bounds } from "./timeouts.js";

/** What is wanted of a board, whichever it is. */
export interface ChainGoal extends Bounds {
  readonly credentials: Credentials;
  /** Default: the furthest that can be observed. */
  readonly goal?: Milestone | undefined;
  /** When the board's AP has been silent for so long, the host goes back to its own network; default `AP_GONE_MS`. */
  readonly apGoneMs?: number;
  readonly clock: StageClock;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface ProvisionBoardRequest extends BoardReach, ChainGoal {
  readonly manifest: DeviceManifest;
}

/** One run over the board's AP: what it is known by, and when it has to be over. */
export interface Attempt extends ProvisionBoardRequest {
  readonly id: string;
  /** `performance.now()` at its end. */
  readonly endsAt: number;
  /** Aborts at its end. */
  readonly inTime: AbortSignal;
}

/** Time was up before the credentials were sent. */
export const TOO_LATE = {
  code: "ap_unreachable",
  message: "the board answered too slowly: time was up, and no credentials were sent",
} as const;

export function beginAttempt(request: ProvisionBoardRequest): Attempt {
  return {
    ...request,
    id: randomUUID(),
    endsAt: performance.now() + request.timeoutMs,
    inTime: deadline(request.timeoutMs, request.signal),
  };
}

/** Puts the host's WiFi back; it does so once, however often it is asked. */
export async function leaveAp({ wifi, progress }: ProvisionBoardRequest): Promise<void> {
  const report = await wifi.leave();
  if (report.changed && report.restored)
    progress.detail(`host WiFi restored: ${report.network ?? "not connected, as before"}`);
  if (!report.restored) progress.warn(report.message);
}
