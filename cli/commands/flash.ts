import { join } from "node:path";
import type { Chip, Target } from "../../codegen/chips.js";
import type { CommandContext, GlobalOptions } from "../context.js";
import { openApWarnings } from "../device/ap-password.js";
import { ProvError } from "../errors.js";
import { confirmEfuses, type FlashedBoard, flashBoard, refusePlaceholders } from "../flow/flash.js";
import { openProject, type Project } from "../flow/project.js";
import { toStageError } from "../flow/stage-error.js";
import { DEFAULT_VIRTUAL_CHIP } from "../lab/stages/build-host.js";
import { canAsk } from "../secrets.js";
import { readFlasherArgs } from "../serial/flasher-args.js";
import { chooseOnlyPort, distinctPorts, listPorts, type PortInfo } from "../serial/ports.js";
import { type CommandResult, toProvError } from "../terminal/output.js";
import { renderTable } from "../terminal/table.js";
import { parseTarget } from "./build.js";

export interface FlashOptions extends GlobalOptions {
  port?: string[];
  all?: boolean;
  target?: string;
  baud: number;
  full?: boolean;
  erase?: boolean;
  yesBurnEfuses?: boolean;
}

/** `prov flash`: the device's image onto one board or several at once. */
export function flashCommand(
  options: FlashOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
    if (options.all && options.port !== undefined)
      throw new ProvError("usage", "--all and --port exclude each other");
    const given = parseTarget(options.target);
    const project = await openProject(options, context);
    const target = given ?? project.manifest.target;
    const image = imageOf(project, target);
    if (target !== "host") {
      refusePlaceholders(project.manifest);
      const steps = confirmEfuses(project.manifest, options.yesBurnEfuses ?? false, image);
      for (const warning of [...openApWarnings(project.manifest), ...steps])
        context.out.warn(warning);
    }
    // Whatever is wrong with it is wrong for every port, and said once.
    readFlasherArgs(image.flasherArgs);
    const ports = await choosePorts(options, context);
    const request = {
      image,
      baud: options.baud,
      full: options.full ?? false,
      erase: options.erase ?? false,
      chip: chipOf(project, target),
      signal: context.signal,
      progress: context.out,
    };
    const results = await Promise.allSettled(ports.map((port) => flashBoard({ ...request, port })));
    return describe(project.manifest.id, ports, results, context);
  };
}

function imageOf(project: Project, target: string): { elf: string; flasherArgs: string } {
  const dir = join(project.workspace.buildDir, target);
  return { elf: join(dir, "prov_firmware.elf"), flasherArgs: join(dir, "flasher_args.json") };
}

function chipOf(project: Project, target: Target): Chip {
  const { manifest } = project;
  if (target !== "host") return target;
  return manifest.target === "host" ? DEFAULT_VIRTUAL_CHIP : manifest.target;
}

async function choosePorts(options: FlashOptions, context: CommandContext): Promise<string[]> {
  if (options.port !== undefined) return distinctPorts(options.port);
  const ports = await listPorts();
  if (options.all) {
    const boards = ports.filter((port) => port.isEspressif).map((port) => port.path);
    if (boards.length === 0)
      throw new ProvError("port_not_found", "no Espressif device is connected");
    return boards;
  }
  return [await choosePort(ports, context)];
}

/** The only Espressif device; on a terminal, people are asked when there is a choice. */
export async function choosePort(
  ports: readonly PortInfo[],
  context: CommandContext,
): Promise<string> {
  try {
    const only = chooseOnlyPort(ports);
    context.out.note(`using ${only.path} (${only.name})`);
    return only.path;
  } catch (error) {
    const { json, movement } = context.out.options;
    const askable = canAsk() && !json && movement;
    if (!(error instanceof ProvError) || error.code !== "port_ambiguous" || !askable) throw error;
    const { default: select } = await import("@inquirer/select");
    const choices = ports.map((port) => ({ value: port.path, name: `${port.path}  ${port.name}` }));
    return select(
      { message: "Which board?", choices },
      { output: process.stderr, signal: context.signal },
    );
  }
}

/** What went wrong with one port of several; most errors name it already. */
function ofPort({ port, error }: { port: string; error: ProvError }): string {
  return error.message.includes(port) ? error.message : `${port}: ${error.message}`;
}

function describe(
  deviceId: string,
  ports: readonly string[],
  results: readonly PromiseSettledResult<FlashedBoard>[],
  context: CommandContext,
): CommandResult {
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
