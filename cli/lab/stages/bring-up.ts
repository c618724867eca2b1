import { join } from "node:path";
import { type Chip, isLoaderChip } from "../../../codegen/chips.js";
import type { DeviceManifest } from "../../../codegen/manifest.js";
import type { Workspace } from "../../config/workspace.js";
import type { CommandContext } from "../../context.js";
import { ProvError } from "../../errors.js";
import type { BuiltImage } from "../../flow/build.js";
import { generateConfig } from "../../flow/codegen.js";
import { makeKeys } from "../../flow/keys.js";
import type { StageClock } from "../../flow/stages.js";
import { startLab } from "../lab.js";
import { labDir } from "../lab-info.js";
import type { Lab } from "../lab-types.js";
import { buildForHost, DEFAULT_VIRTUAL_CHIP, type Sanitizer } from "./build-host.js";

export interface BringUpRequest {
  /** `root` is the folder of the manifest. */
  readonly project: {
    readonly manifest: DeviceManifest;
    readonly root: string;
    readonly workspace: Workspace;
  };
  readonly name: string;
  readonly broker: "embedded" | "mosquitto";
  readonly sanitize?: Sanitizer;
  /** Go on with the board's flash as the last run left it; otherwise it is a new, empty board. */
  readonly keepFlash?: boolean;
  /** Of device certificates; default a year. */
  readonly certificateLifetimeMs?: number;
  readonly clock: StageClock;
  readonly context: CommandContext;
}

export interface PreparedLab {
  readonly lab: Lab;
  readonly image: BuiltImage;
}

/** A report ends the firmware's process, which the board then logs as a crash. */
const SANITIZER_ENVIRONMENT: Readonly<Record<Sanitizer, Record<string, string>>> = {
  address: { ASAN_OPTIONS: "halt_on_error=1:exitcode=99:detect_leaks=0" },
  undefined: { UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1:exitcode=99" },
  thread: { TSAN_OPTIONS: "halt_on_error=1:exitcode=99:second_deadlock_stack=1" },
};

/** Starts a lab whose board is still off, and builds the firmware that reports to it. */
export async function bringUpLab(request: BringUpRequest): Promise<PreparedLab> {
  const { project, clock, context, sanitize } = request;
  const { manifest, root, workspace } = project;
  const { out, signal } = context;
  const chip = virtualChip(manifest.target === "host" ? DEFAULT_VIRTUAL_CHIP : manifest.target);
  const lab = await startLab({
    root: labDir(root, request.name),
    deviceIds: [manifest.id],
    broker: request.broker,
    chip,
    ...(request.certificateLifetimeMs
      ? { certificateLifetimeMs: request.certificateLifetimeMs }
      : {}),
    ...(sanitize ? { firmwareEnvironment: SANITIZER_ENVIRONMENT[sanitize] } : {}),
  });
  try {
    if (!request.keepFlash) lab.board.flash.erase(0, lab.board.flash.size);
    out.note(
      `lab "${request.name}": ${lab.info.backend.url} (backend) and ${lab.info.broker.uri} (${request.broker} broker) with the lab's CA replace the manifest's`,
    );
    const identity = await clock.run("keys", () => makeKeys(root, manifest, false));
    const config = await clock.run("codegen", async () =>
      // The chip decides which pin the BOOT button is on.
      generateConfig({ ...manifest, target: chip }, identity, workspace, {
        lab: {
          dir: join(labDir(root, request.name), "firmware", "config"),
          overrides: {
            backendUrl: lab.info.backend.url,
            backendCa: lab.caPem,
            mqttUri: lab.info.broker.uri,
          },
        },
      }),
    );
    const image = await clock.run("build", () =>
      buildForHost({
        manifest,
        config,
        root,
        target: "host",
        chip,
        clean: false,
        signal,
        progress: out,
        ...(sanitize ? { sanitize } : {}),
      }),
    );
    return { lab, image };
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

/** A run that ended well is still a failure when the firmware crashed on the way. */
export function refuseCrashes(lab: Lab): void {
  const crash = lab.events.recent().find((event) => event.what === "crash");
  if (!crash) return;
  const log = join(lab.info.airDir, "..", "board");
  throw new ProvError(
    "lab_failed",
    `the virtual board's firmware crashed: ${crash.detail ?? crash.outcome} (board files: ${log})`,
    { cause: new Error(lab.board.log.recent(60).join("\n")) },
  );
}

function virtualChip(chip: Chip): Chip {
  return isLoaderChip(chip) ? chip : DEFAULT_VIRTUAL_CHIP;
}
