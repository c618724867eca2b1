import type { CommandContext, GlobalOptions } from "../context.js";
import { openProject } from "../flow/project.js";
import { createStageClock } from "../flow/stages.js";
import { labInstructions } from "../lab/instructions.js";
import { bootVirtualBoard, flashVirtualBoard } from "../lab/stages/board.js";
import { bringUpLab } from "../lab/stages/bring-up.js";
import type { Sanitizer } from "../lab/stages/build-host.js";
import type { CommandResult } from "../terminal/output.js";

export interface LabUpOptions extends GlobalOptions {
  name: string;
  broker: "embedded" | "mosquitto";
  sanitize?: Sanitizer;
  keep?: boolean;
  certificateSeconds?: number;
  /** Seconds; bound on the boot. */
  timeout?: number;
}

/** `prov lab up`: a lab in the foreground, until Ctrl-C. */
export function labUpCommand(
  options: LabUpOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
    const project = await openProject(options, context);
    const { out, signal } = context;
    const { lab, image } = await bringUpLab({
      project,
      name: options.name,
      broker: options.broker,
      clock: createStageClock(),
      context,
      keepFlash: options.keep ?? false,
      ...(options.sanitize ? { sanitize: options.sanitize } : {}),
      ...(options.certificateSeconds
        ? { certificateLifetimeMs: options.certificateSeconds * 1000 }
        : {}),
    });
    try {
      lab.board.log.subscribe((line) => out.note(out.paint("dim", line)));
      await flashVirtualBoard(lab, image, context);
      await bootVirtualBoard(lab, context, options.timeout);
      const baseUrl = lab.board.baseUrl();
      if (out.options.json) out.document({ lab: lab.info, baseUrl });
      else
        out.print(
          labInstructions({
            name: options.name,
            deviceId: project.manifest.id,
            info: lab.info,
            networks: lab.air().networks,
            baseUrl,
          }),
        );
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      return { json: null, text: "" };
    } finally {
      await lab.stop();
    }
  };
}
