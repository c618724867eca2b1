import type { CommandContext, GlobalOptions } from "../context.js";
import { ProvError } from "../errors.js";
import type { FlashedBoard } from "../flow/flash.js";
import { DEFAULT_FLASH_BAUD } from "../serial/link.js";
import { toProvError } from "../system-error.js";
import type { CommandResult } from "../terminal/output.js";
import type { Verb } from "../verb.js";
import { collectPorts, positiveInteger } from "./options/values.js";

interface FlashOptions extends GlobalOptions {
  port?: string[];
  all?: boolean;
  target?: string;
  baud: number;
  full?: boolean;
  erase?: boolean;
  yesBurnEfuses?: boolean;
}

/** `prov flash`: the device's image onto one board or several at once. */
export const flash: Verb<FlashOptions> = {
  name: "flash",
  summary: "write to a board what differs, verify it by MD5, start it",
  options: (command) =>
    command
      .option(
        "--port <port>",
        "serial port, socket://host:port or rfc2217://host:port; repeat for several",
        collectPorts,
      )
      .option("--all", "every Espressif board that is connected")
      .option("--target <chip>", "which build to flash; default: the manifest's target")
      .option("--baud <rate>", "line rate while writing", positiveInteger, DEFAULT_FLASH_BAUD)
      .option("--full", "write everything, not only what differs")
      .option("--erase", "erase the whole flash first (settings and certificates too)")
      .option(
        "--yes-burn-efuses",
        "yes, a hardened device's first boot may change the chip for good",
      ),
  async action(options, context) {
    const { openApWarnings } = await import("../device/ap-password.js");
    const { builtImage } = await import("../flow/build.js");
    const { confirmEfuses, flashBoard, refusePlaceholders } = await import("../flow/flash.js");
    const { openProject } = await import("../flow/project.js");
    const { readFlasherArgs } = await import("../serial/flasher-args.js");
    const { choosePorts } = await import("./options/ports.js");
    const { parseTarget } = await import("./options/target.js");
    if (options.all && options.port !== undefined)
      throw new ProvError("usage", "--all and --port exclude each other");
    const given = parseTarget(options.target);
    const { manifest, workspace } = await openProject(options, context);
    const target = given ?? manifest.target;
    const image = builtImage(workspace, target);
    if (target !== "host") {
      refusePlaceholders(manifest);
      const steps = confirmEfuses(manifest, options.yesBurnEfuses ?? false, image);
      for (const warning of [...openApWarnings(manifest), ...steps]) context.out.warn(warning);
    }
    // Whatever is wrong with it is wrong for every port, and said once.
    readFlasherArgs(image.flasherArgs);
    const ports = await choosePorts(options, context);
    const request = {
      image,
      baud: options.baud,
      full: options.full ?? false,
      erase: options.erase ?? false,
      chip:
        target === "host"
          ? (await import("../lab/stages/build-host.js")).chipPlayedBy(manifest)
          : target,
      signal: context.signal,
      progress: context.out,
    };
    const results = await Promise.allSettled(ports.map((port) => flashBoard({ ...request, port })));
    return describe(manifest.id, ports, results, context);
  },
};

/** What went wrong with one port of several; most errors name it already. */
function ofPort({ port, error }: { port: string; error: ProvError }): string {
  return error.message.includes(port) ? error.message : `${port}: ${error.message}`;
}

async function describe(
  deviceId: string,
  ports: readonly string[],
  results: readonly PromiseSettledResult<FlashedBoard>[],
  context: CommandContext,
): Promise<CommandResult> {
  const { toStageError } = await import("../flow/stage-error.js");
  const { renderTable } = await import("../terminal/table.js");
  const done = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failures = results.flatMap((result, index) =>
    result.status === "rejected"
      ? [{ port: ports[index] ?? "", error: toProvError(result.reason, false) }]
      : [],
  );
  for (const each of failures.slice(1)) context.out.warn(ofPort(each));
  const boards = done.map(({ report }) => report);
  const [first] = failures;
  if (first) {
    const { code, message, hint, cause } = first.error;
    const failed = failures.map(({ port, error }) => ({ port, ...toStageError(error) }));
    throw new ProvError(code, ports.length > 1 ? ofPort(first) : message, {
      hint,
      cause,
      details: { device: deviceId, boards, failed },
    });
  }
  const rows = boards.flatMap((report) =>
    report.regions.map((region) => [
      report.port,
      region.name,
      `0x${region.offset.toString(16)}`,
      String(region.size),
      String(region.written),
      String(region.skipped),
    ]),
  );
  return {
    json: { device: deviceId, boards },
    text: [
      renderTable(
        ["PORT", "REGION", "OFFSET", "BYTES", "WRITTEN", "UNCHANGED"],
        rows,
        context.out.columns,
      ),
      ...boards.map(
        (report) =>
          `${report.port}: ${report.chip} ${report.mac}, verified and started in ${(report.ms / 1000).toFixed(1)} s`,
      ),
    ].join("\n"),
  };
}
