import type { ChainGoal } from "./attempt.js";
import type { BoardSide, ChainResult, FirmwareSource } from "./board.js";
import type { BuiltImage } from "./build.js";
import { generateConfig } from "./codegen.js";
import { makeKeys } from "./keys.js";
import { onlineAlready, onlineByItsLog } from "./online-already.js";
import type { Project } from "./project.js";
import { provisionBoard } from "./provision-board.js";
import type { StageClock } from "./stages.js";

/** keys → codegen → build. @param onWarning told what the configuration may come to regret */
export async function buildFirmware(
  { root, manifest, workspace }: Project,
  source: FirmwareSource,
  clock: StageClock,
  onWarning: (text: string) => void = () => {},
): Promise<BuiltImage> {
  const identity = await clock.run("keys", () => makeKeys(root, manifest, false));
  const config = await clock.run("codegen", async () =>
    generateConfig(source.manifest, identity, workspace, source.lab ? { lab: source.lab } : {}),
  );
  for (const warning of config.warnings) onWarning(warning);
  return clock.run("build", () => source.build(config));
}

/**
 * The whole chain: keys → codegen → build → flash → boot → join → scan → provision → enrol → mqtt. Each stage takes the
 * result of the one before; a board that is online after its boot skips those in between.
 * @throws ProvError of any stage
 */
export async function runChain<Flashed>(
  project: Project,
  board: BoardSide<Flashed>,
  goal: ChainGoal,
): Promise<ChainResult> {
  const { clock } = goal;
  const image = await buildFirmware(project, board, clock);
  board.confirm(image);
  const flashed = await clock.run("flash", () => board.flash(image));
  const booted = await clock.run("boot", () => board.boot(flashed));
  const request = { ...goal, ...booted, manifest: project.manifest };
  if (booted.phase !== "online") return provisionBoard(request);
  return clock.run("mqtt", async () =>
    onlineAlready(request, await onlineByItsLog(request, booted.network, goal.timeoutMs)),
  );
}
