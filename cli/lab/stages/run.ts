import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { WorkContext } from "../../context.js";
import { ProvError } from "../../errors.js";
import type { ChainResult } from "../../flow/board.js";
import { runChain } from "../../flow/chain.js";
import type { Project } from "../../flow/project.js";
import type { StageClock } from "../../flow/stages.js";
import { boundsOf } from "../../flow/timeouts.js";
import { listPorts } from "../../serial/ports.js";
import type { Lab } from "../lab-types.js";
import { labBoard } from "./board.js";
import { bringUpFreeLab } from "./bring-up.js";
import type { Sanitizer } from "./build-host.js";

export interface LabRun {
  readonly broker: "embedded" | "mosquitto";
  readonly sanitize?: Sanitizer | undefined;
  /** Bound on the boot, and on all that comes after it, in seconds. */
  readonly timeoutS?: number | undefined;
}

/**
 * The whole chain on the virtual board of a lab of its own, which ends with it.
 * @throws ProvError of any stage, lab_failed when the firmware crashed on the way
 */
export async function runInLab(
  project: Project,
  { broker, sanitize, timeoutS }: LabRun,
  context: WorkContext,
  clock: StageClock,
): Promise<ChainResult> {
  const { out, signal } = context;
  const { id } = project.manifest;
  await mentionRealBoards(out);
  const lab = await bringUpFreeLab({ project, broker, sanitize }, context);
  try {
    lab.board.log.subscribe((line) => out.detail(`board: ${line}`));
    const result = await runChain(
      project,
      labBoard(lab, { project, sanitize, timeoutS }, context),
      {
        credentials: {
          ...homeNetwork(lab),
          token: lab.issueToken(id),
          bearer: randomBytes(16).toString("hex"),
        },
        ...boundsOf(timeoutS),
        clock,
        signal,
        progress: out,
      },
    );
    refuseCrashes(lab);
    if (!result.outcome.mqtt)
      throw new ProvError("status_timeout", "the broker delivered no status message");
    return result;
  } finally {
    await lab.stop();
  }
}

/** Nothing that was merely found is ever flashed; but whoever has a board plugged in may want to know. */
async function mentionRealBoards(out: WorkContext["out"]): Promise<void> {
  const boards = (await listPorts()).filter((port) => port.isEspressif);
  for (const board of boards)
    out.note(
      `seen, and left alone: ${board.name} on ${board.path} (use it with --port ${board.path})`,
    );
}

function homeNetwork(lab: Lab): { ssid: string; password: string } {
  const network = lab.air().networks.find((each) => each.psk !== null);
  if (!network?.psk) throw new ProvError("lab_failed", "the lab's air holds no secured network");
  return { ssid: network.ssid, password: network.psk };
}

/** A run that ended well is still a failure when the firmware crashed on the way. */
function refuseCrashes(lab: Lab): void {
  const crash = lab.events.recent().find((event) => event.what === "crash");
  if (!crash) return;
  const log = join(lab.info.airDir, "..", "board");
  throw new ProvError(
    "lab_failed",
    `the virtual board's firmware crashed: ${crash.detail ?? crash.outcome} (board files: ${log})`,
    { cause: new Error(lab.board.log.recent(60).join("\n")) },
  );
}
