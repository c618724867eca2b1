import type { Chip } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { placeholderFields } from "../../codegen/manifest-fields.js";
import { irreversibleSteps, irreversibleStepsOfImage } from "../../codegen/security.js";
import { ProvError } from "../errors.js";
import { readIfPresent } from "../files/files.js";
import { type FlashReport, type FlashStage, flashDevice } from "../serial/flasher.js";
import { readFlasherArgs } from "../serial/flasher-args.js";
import { asTask, type Progress } from "../terminal/progress.js";
import { type BuiltImage, sdkconfigBeside } from "./build.js";
import { createWriteSpeed } from "./write-speed.js";

/** A board that holds the image and has been started. */
export interface FlashedBoard {
  readonly port: string;
  readonly image: Pick<BuiltImage, "elf" | "flasherArgs">;
  readonly report: FlashReport;
}

export interface FlashBoardRequest {
  readonly image: Pick<BuiltImage, "elf" | "flasherArgs">;
  readonly port: string;
  /** The chip that must be there; undefined: the one the build is for. */
  readonly chip?: Chip;
  readonly baud: number;
  readonly full: boolean;
  readonly erase: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Where each stage of flashing lies on the way from 0 to 1; writing takes nearly all of it. */
const SPAN: Readonly<Record<FlashStage, readonly [from: number, to: number]>> = {
  connect: [0, 0.02],
  erase: [0.02, 0.04],
  compare: [0.04, 0.08],
  write: [0.08, 0.96],
  verify: [0.96, 0.99],
  reset: [0.99, 1],
};

/**
 * Writes an image to one board and starts it.
 * @throws ProvError of the flash stage
 */
export async function flashBoard(request: FlashBoardRequest): Promise<FlashedBoard> {
  const { image, port, progress, signal } = request;
  const flasherArgs = readFlasherArgs(image.flasherArgs);
  const speed = createWriteSpeed();
  const report = await asTask(progress, `flash ${port}`, (task) =>
    flashDevice({
      port,
      flasherArgs,
      baud: request.baud,
      full: request.full,
      erase: request.erase,
      signal,
      ...(request.chip ? { target: request.chip } : {}),
      onNote: (text) => progress.note(text),
      onProgress: (state) => {
        const { stage, done, total, region } = state;
        const [from, to] = SPAN[stage];
        const fraction = from + (to - from) * (total > 0 ? done / total : 0);
        const what = region ? `${stage} ${region}` : stage;
        const perSecond = speed(state);
        task.update({ fraction, text: perSecond === undefined ? what : `${what}, ${perSecond}` });
      },
    }),
  );
  return { port, image, report };
}

/**
 * The first boot of a hardened device changes the chip for good; nobody does that by accident. An image that
 * is there already counts by what it was built with: the manifest may have changed since.
 * @returns what the first boot will do for good
 * @throws ProvError efuses_unconfirmed
 */
export function confirmEfuses(
  manifest: DeviceManifest,
  isConfirmed: boolean,
  image?: Pick<BuiltImage, "flasherArgs">,
): readonly string[] {
  const built = image === undefined ? undefined : readIfPresent(sdkconfigBeside(image.flasherArgs));
  const steps = [
    ...new Set([
      ...irreversibleSteps(manifest),
      ...(built === undefined ? [] : irreversibleStepsOfImage(built)),
    ]),
  ];
  if (steps.length === 0 || isConfirmed) return steps;
  throw new ProvError(
    "efuses_unconfirmed",
    `this firmware changes the chip for good:\n${steps.map((step) => `  ${step}`).join("\n")}`,
  );
}

/**
 * A board must not be sent out into the world with the defaults' addresses.
 * @throws ProvError manifest_placeholder
 */
export function refusePlaceholders(manifest: DeviceManifest): void {
  const fields = placeholderFields(manifest);
  if (fields.length === 0) return;
  throw new ProvError("manifest_placeholder", `${fields.join(" and ")} still hold a placeholder`);
}
