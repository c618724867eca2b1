import type { Chip } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import type { WorkContext } from "../context.js";
import { ProvError } from "../errors.js";
import type { BoardReach, BoardSide } from "./board.js";
import { bootBoard } from "./boot-board.js";
import { buildWithIdf } from "./build-idf.js";
import { confirmEfuses, type FlashedBoard, flashBoard, refusePlaceholders } from "./flash.js";
import type { Project } from "./project.js";

/** What can be known of a run on a real board before anything is asked or touched. */
export interface RealRun {
  readonly chip: Chip;
  readonly isConfirmed: boolean;
}

/**
 * Whether a manifest's firmware may go onto a real board.
 * @param isConfirmed the first boot may change the chip for good
 * @throws ProvError usage, manifest_placeholder, efuses_unconfirmed
 */
export function judgeRealRun(manifest: DeviceManifest, isConfirmed: boolean): RealRun {
  if (manifest.target === "host")
    throw new ProvError(
      "usage",
      "the manifest's target is `host`; name the chip of the board on the port",
    );
  refusePlaceholders(manifest);
  confirmEfuses(manifest, isConfirmed);
  return { chip: manifest.target, isConfirmed };
}

export interface RealBoardRequest extends RealRun {
  readonly project: Project;
  readonly port: string;
  readonly baud: number;
  /** Bound on the boot, in seconds. */
  readonly timeoutS?: number | undefined;
  /** What the log may not show. */
  readonly secrets: readonly string[];
  readonly reach: BoardReach;
}

/** The board on a serial port, with firmware from ESP-IDF. */
export function realBoard(
  request: RealBoardRequest,
  { out, signal, env }: WorkContext,
): BoardSide<FlashedBoard> {
  const { project, port, chip, reach } = request;
  const { manifest, root } = project;
  const common = { signal, progress: out };
  return {
    manifest,
    build: (config) =>
      buildWithIdf({ ...common, manifest, config, root, target: chip, clean: false, env }),
    confirm(image) {
      // The build may have more to say than the manifest: an option of old, or one that another one selects.
      for (const step of confirmEfuses(manifest, request.isConfirmed, image)) out.warn(step);
    },
    flash: (image) =>
      flashBoard({ ...common, image, port, chip, baud: request.baud, full: false, erase: false }),
    async boot(flashed) {
      const { timeoutS, secrets } = request;
      const booted = await bootBoard(flashed.port, manifest, { out, signal }, secrets, timeoutS);
      if (booted.phase === "working")
        out.warn(
          `it has credentials, but did not get online; \`prov reset --scope all --port ${port}\` makes it forget them`,
        );
      return { ...reach, ...booted };
    },
  };
}
