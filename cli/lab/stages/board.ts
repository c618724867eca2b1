import { join } from "node:path";
import { phaseFrom } from "../../../codegen/states.js";
import type { WorkContext } from "../../context.js";
import { ProvError } from "../../errors.js";
import type { BoardSide } from "../../flow/board.js";
import type { BuiltImage } from "../../flow/build.js";
import { flashBoard } from "../../flow/flash.js";
import type { Project } from "../../flow/project.js";
import { DEFAULT_BOUND_S, POLL_MS } from "../../flow/timeouts.js";
import { asTask } from "../../terminal/progress.js";
import { deadline } from "../../time/deadline.js";
import { poll } from "../../time/wait.js";
import { labDir } from "../lab-info.js";
import type { Lab } from "../lab-types.js";
import { loaderChipOf } from "./bring-up.js";
import { buildForHost, type Sanitizer } from "./build-host.js";
import { labReach } from "./reach.js";

/** A pseudo-terminal has no line rate; the loader is told one all the same. */
const BAUD = 921_600;

/** Writes the image to the lab's board through its serial port, as to any other board. */
export async function flashVirtualBoard(
  lab: Lab,
  image: BuiltImage,
  context: WorkContext,
): Promise<void> {
  const { tty } = lab.info.board;
  if (tty === null) {
    context.out.warn(`no ROM loader for ${lab.info.board.chip}: the image is placed past it`);
    lab.board.placeImage(image.flasherArgs);
    return lab.board.powerOn();
  }
  await lab.board.powerOn();
  await flashBoard({
    image,
    port: tty,
    baud: BAUD,
    full: false,
    erase: false,
    signal: context.signal,
    progress: context.out,
  });
}

/** Its log says so, or, when the manifest wants less of a log than that, the broker. */
function isProvisioned(lab: Lab): boolean {
  const isOnline = lab.events
    .recent()
    .some(
      ({ source, what, outcome, deviceId }) =>
        source === "broker" &&
        what === "connect" &&
        outcome === "ok" &&
        lab.info.deviceIds.includes(deviceId ?? ""),
    );
  return isOnline || lab.board.log.recent().some((line) => phaseFrom(line) === "working");
}

/**
 * Waits until the board, which the flasher has started, is provisioned or can be: its AP is up.
 * @throws ProvError boot_timeout
 */
export async function bootVirtualBoard(
  lab: Lab,
  context: WorkContext,
  timeoutS: number = DEFAULT_BOUND_S.virtualBoot,
): Promise<void> {
  await asTask(context.out, "boot", async () => {
    const timeout = deadline(timeoutS * 1000);
    const signal = AbortSignal.any([context.signal, timeout]);
    try {
      const onTimeout = {
        code: "boot_timeout",
        message: "the board's AP did not come up",
      } as const;
      const isSettled = async () =>
        isProvisioned(lab) || lab.board.baseUrl() !== null ? true : undefined;
      await poll(isSettled, { intervalMs: POLL_MS.virtualBoot, signal, onTimeout });
    } catch (error) {
      context.signal.throwIfAborted();
      if (!timeout.aborted) throw error;
      const last = lab.board.log.recent(1)[0] ?? "none";
      throw new ProvError(
        "boot_timeout",
        `the board did not get to AP_MODE within ${timeoutS} s; its last line: ${last}`,
        { cause: new Error(lab.board.log.recent(40).join("\n")) },
      );
    }
  });
}

export interface LabBoardRequest {
  readonly project: Project;
  readonly sanitize?: Sanitizer | undefined;
  /** Bound on the boot, in seconds. */
  readonly timeoutS?: number | undefined;
}

/** The lab's board, with the lab's own firmware. */
export function labBoard(
  lab: Lab,
  { project, sanitize, timeoutS }: LabBoardRequest,
  context: WorkContext,
): BoardSide<Lab> {
  const { manifest, root } = project;
  const { info } = lab;
  // The chip decides which pin the BOOT button is on.
  const chip = loaderChipOf(manifest);
  return {
    manifest: { ...manifest, target: chip },
    lab: {
      dir: join(labDir(root, info.name), "firmware", "config"),
      overrides: {
        backendUrl: info.backend.url,
        backendCa: lab.caPem,
        mqttUri: info.broker.uri,
      },
    },
    build: (config) =>
      buildForHost({
        manifest,
        config,
        root,
        target: "host",
        chip,
        sanitize,
        clean: false,
        signal: context.signal,
        progress: context.out,
      }),
    confirm() {}, // It has no eFuses.
    async flash(image) {
      await flashVirtualBoard(lab, image, context);
      return lab;
    },
    async boot(flashed) {
      await bootVirtualBoard(flashed, context, timeoutS);
      const { events } = flashed;
      return labReach(info, manifest.id, (matches, signal) => events.waitFor(matches, { signal }));
    },
  };
}
