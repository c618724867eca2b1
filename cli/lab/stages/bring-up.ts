import { type Chip, DEFAULT_LOADER_CHIP, isLoaderChip } from "../../../codegen/chips.js";
import type { DeviceManifest } from "../../../codegen/manifest.js";
import type { WorkContext } from "../../context.js";
import { ProvError } from "../../errors.js";
import type { Project } from "../../flow/project.js";
import { optional } from "../../optional.js";
import { startLab } from "../lab.js";
import { labDir } from "../lab-info.js";
import type { Lab } from "../lab-types.js";
import type { CertificateDates } from "../pki/authority.js";
import { chipPlayedBy, type Sanitizer } from "./build-host.js";

export interface BringUpRequest {
  readonly project: Project;
  readonly name: string;
  readonly broker: "embedded" | "mosquitto";
  readonly sanitize?: Sanitizer | undefined;
  /** Go on with the board's flash as the last run left it; otherwise it is a new, empty board. */
  readonly keepFlash?: boolean;
  /** Default: a year. */
  readonly certificateDates?: CertificateDates | undefined;
}

/** A report ends the firmware's process, which the board then logs as a crash. */
const SANITIZER_ENVIRONMENT: Readonly<Record<Sanitizer, Record<string, string>>> = {
  address: { ASAN_OPTIONS: "halt_on_error=1:exitcode=99:detect_leaks=0" },
  undefined: { UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1:exitcode=99" },
  thread: { TSAN_OPTIONS: "halt_on_error=1:exitcode=99:second_deadlock_stack=1" },
};

/** Starts a lab whose board is still off. @throws ProvError lab_busy, lab_failed, tool_missing */
export async function bringUpLab(
  request: BringUpRequest,
  { out }: Pick<WorkContext, "out">,
): Promise<Lab> {
  const { project, name, broker, sanitize, certificateDates } = request;
  const lab = await startLab({
    root: labDir(project.root, name),
    deviceIds: [project.manifest.id],
    broker,
    chip: loaderChipOf(project.manifest),
    ...optional({
      certificateDates,
      firmwareEnvironment: sanitize && SANITIZER_ENVIRONMENT[sanitize],
    }),
  });
  try {
    if (!request.keepFlash) lab.board.flash.erase(0, lab.board.flash.size);
  } catch (error) {
    await lab.stop();
    throw error;
  }
  out.note(
    `lab "${name}": ${lab.info.backend.url} (backend) and ${lab.info.broker.uri} (${broker} broker) with the lab's CA replace the manifest's`,
  );
  return lab;
}

/** The manifest's chip, or the default one where the virtual board does not speak its ROM loader. */
export function loaderChipOf(manifest: DeviceManifest): Chip {
  const chip = chipPlayedBy(manifest);
  return isLoaderChip(chip) ? chip : DEFAULT_LOADER_CHIP;
}

/** Two runs at once get two labs: the first name that no other process holds. */
export async function bringUpFreeLab(
  request: Omit<BringUpRequest, "name">,
  context: Pick<WorkContext, "out">,
): Promise<Lab> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? "run" : `run-${number}`;
    try {
      return await bringUpLab({ ...request, name }, context);
    } catch (error) {
      const isBusy = error instanceof ProvError && error.code === "lab_busy";
      if (!isBusy || number === MOST_RUNS_AT_ONCE) throw error;
    }
  }
}

const MOST_RUNS_AT_ONCE = 32;
