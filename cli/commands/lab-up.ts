import { DEFAULT_BOUND_S } from "../flow/timeouts.js";
import type { Sanitizer } from "../lab/stages/build-host.js";
import type { Verb } from "../verb.js";
import { type LabOptions, whichBroker, whichLab, whichSanitizer } from "./options/lab.js";
import { positiveInteger, seconds } from "./options/values.js";

interface LabUpOptions extends LabOptions {
  broker: "embedded" | "mosquitto";
  sanitize?: Sanitizer;
  keep?: boolean;
  certificateSeconds?: number;
  certificateAgeSeconds?: number;
  /** Seconds; bound on the boot. */
  timeout?: number;
}

/** `prov lab up`: a lab in the foreground, until Ctrl-C. */
export const labUp: Verb<LabUpOptions> = {
  name: "up",
  summary: "start a lab in the foreground and print how to drive it",
  options: (command) =>
    command
      .option(
        "--timeout <seconds>",
        `bound on the board's boot; default ${DEFAULT_BOUND_S.virtualBoot}`,
        seconds,
      )
      .option("--keep", "go on with the board's flash as the last `lab up` left it")
      .option(
        "--certificate-seconds <seconds>",
        "lifetime of device certificates; default a year",
        positiveInteger,
      )
      .option(
        "--certificate-age-seconds <seconds>",
        "how long ago they seem to have begun: a device renews in the last third of age and lifetime",
        positiveInteger,
      )
      .addOption(whichLab())
      .addOption(whichBroker("which broker").default("embedded"))
      .addOption(whichSanitizer("build the firmware with a sanitizer")),
  async action(options, context) {
    const { buildFirmware } = await import("../flow/chain.js");
    const { openProject } = await import("../flow/project.js");
    const { createStageClock } = await import("../flow/stages.js");
    const { labInstructions } = await import("../lab/instructions.js");
    const { labBoard } = await import("../lab/stages/board.js");
    const { bringUpLab } = await import("../lab/stages/bring-up.js");
    const project = await openProject(options, context);
    const { out, signal } = context;
    const { name, broker, sanitize, timeout: timeoutS } = options;
    const lab = await bringUpLab(
      {
        ...{ project, name, broker, sanitize, keepFlash: options.keep ?? false },
        certificateDates: datesOf(options),
      },
      context,
    );
    try {
      const board = labBoard(lab, { project, sanitize, timeoutS }, context);
      const image = await buildFirmware(project, board, createStageClock());
      lab.board.log.subscribe((line) => out.note(out.paint("dim", line)));
      await board.boot(await board.flash(image));
      const baseUrl = lab.board.baseUrl();
      if (out.options.json) out.document({ lab: lab.info, baseUrl });
      else
        out.print(
          labInstructions({
            name,
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
  },
};

const YEAR_MS = 365 * 86_400_000;

function datesOf({ certificateSeconds, certificateAgeSeconds }: LabUpOptions) {
  if (certificateSeconds === undefined && certificateAgeSeconds === undefined) return undefined;
  const lifetimeMs = certificateSeconds === undefined ? YEAR_MS : certificateSeconds * 1000;
  return {
    lifetimeMs,
    ...(certificateAgeSeconds === undefined ? {} : { ageMs: certificateAgeSeconds * 1000 }),
  };
}
