import type { CommandContext } from "../context.js";
import { ProvError } from "../errors.js";
import type { ChainResult } from "../flow/board.js";
import { bestEvidence, boardReport } from "../flow/evidence.js";
import type { Project } from "../flow/project.js";
import type { StageClock, StageRecord } from "../flow/stages.js";
import { boundsOf, DEFAULT_BOUND_S } from "../flow/timeouts.js";
import type { LabRun } from "../lab/stages/run.js";
import { DEFAULT_FLASH_BAUD } from "../serial/link.js";
import type { CommandResult } from "../terminal/output.js";
import type { Verb } from "../verb.js";
import { WHOLE_BOUND, withProvisioningOptions, withReachOptions } from "./options/groups.js";
import { whichBroker, whichSanitizer } from "./options/lab.js";
import type { ProvisioningOptions } from "./options/provisioning.js";
import { port, positiveInteger, seconds } from "./options/values.js";

interface RunOptions extends ProvisioningOptions, Partial<Pick<LabRun, "broker" | "sanitize">> {
  baud?: number;
  yesBurnEfuses?: boolean;
}

const { boot, virtualBoot } = DEFAULT_BOUND_S;

/** `prov run`: the whole chain. On the virtual board unless --port names a real one. */
export const run: Verb<RunOptions> = {
  name: "run",
  summary: "everything: keys, build, flash, boot, join, scan, provision, enrol, MQTT proof",
  options: (command) =>
    withProvisioningOptions(withReachOptions(command))
      .option("--port <port>", "a real board; without it the virtual board is used", port)
      .addOption(whichBroker("the lab's broker; default embedded"))
      .addOption(whichSanitizer("build the virtual board's firmware with a sanitizer"))
      .option(
        "--timeout <seconds>",
        `bound on the boot, and on everything after it; default ${boot} (virtual board: ${virtualBoot}) and ${WHOLE_BOUND}`,
        seconds,
      )
      .option("--yes-burn-efuses", "with --port: as for `prov flash`")
      .option(
        "--baud <rate>",
        `with --port: line rate while writing; default ${DEFAULT_FLASH_BAUD}`,
        positiveInteger,
      ),
  async action(options, context) {
    const { withStageReport } = await import("../flow/stage-report.js");
    const { checkProvisioning } = await import("./options/provisioning.js");
    const { port } = options;
    return withStageReport("prov run", options, context, {
      check: () => {
        if (port === undefined) return refuseRealBoardOptions(options);
        refuseVirtualBoardOptions(options);
        checkProvisioning(options, context.env);
      },
      work: async (project, clock) => {
        const board =
          port === undefined
            ? await runOnVirtualBoard(project, options, context, clock)
            : await runOnRealBoard(project, { ...options, port }, context, clock);
        return describe(project, board, clock.records, context);
      },
    });
  },
};

/** In the order in which one is complained of. */
const OF_A_REAL_BOARD = [
  ...(["ssid", "password", "passwordStdin", "open", "bearer", "token"] as const),
  ...(["url", "ap", "iface", "baud", "yesBurnEfuses", "wifi"] as const),
  ...(["mqttCa", "mqttCert", "mqttKey", "mqttUsername", "mqttPassword"] as const),
];

/** Whoever names their own network means their own board, and is not to get a yes for the virtual one. */
function refuseRealBoardOptions(options: RunOptions): void {
  const name = OF_A_REAL_BOARD.find((each) =>
    each === "wifi" ? options.wifi !== "auto" : options[each] !== undefined,
  );
  if (name === undefined) return;
  const words = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const flag = options[name] === false ? `--no-${words}` : `--${words}`;
  throw new ProvError("usage", `${flag} is for a real board, and no --port names one`);
}

/** A real board has its own broker, and its firmware no sanitizer. */
function refuseVirtualBoardOptions({ broker, sanitize }: RunOptions): void {
  const name = broker === undefined ? sanitize && "sanitize" : "broker";
  if (name)
    throw new ProvError("usage", `--${name} is for the virtual board, and --port names a real one`);
}

async function runOnVirtualBoard(
  project: Project,
  { broker = "embedded", sanitize, timeout: timeoutS }: RunOptions,
  context: CommandContext,
  clock: StageClock,
): Promise<ChainResult> {
  const { runInLab } = await import("../lab/stages/run.js");
  return runInLab(project, { broker, sanitize, timeoutS }, context, clock);
}

async function runOnRealBoard(
  project: Project,
  options: RunOptions & { port: string },
  context: CommandContext,
  clock: StageClock,
): Promise<ChainResult> {
  const { runChain } = await import("../flow/chain.js");
  const { judgeRealRun, realBoard } = await import("../flow/real-board.js");
  const { readProvisioning } = await import("./options/provisioning.js");
  const { port, baud = DEFAULT_FLASH_BAUD, timeout: timeoutS } = options;
  const run = judgeRealRun(project.manifest, options.yesBurnEfuses ?? false);
  const { credentials, secrets, reach } = await readProvisioning(options, project, context);
  const board = realBoard({ ...run, project, port, baud, timeoutS, secrets, reach }, context);
  const { signal, out: progress } = context;
  return runChain(project, board, { credentials, ...boundsOf(timeoutS), clock, signal, progress });
}

async function describe(
  project: Project,
  board: ChainResult,
  stages: readonly StageRecord[],
  { out }: CommandContext,
): Promise<CommandResult> {
  const { renderTable } = await import("../terminal/table.js");
  const { outcome } = board;
  const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const rows = stages.map(({ name, ok, ms }) => [name, ok ? "ok" : "failed", inSeconds(ms)]);
  const total = stages.reduce((sum, stage) => sum + stage.ms, 0);
  return {
    json: {
      device: project.manifest.id,
      ...boardReport(board),
      stages: stages.map(({ name, ok, ms }) => ({ name, ok, ms })),
    },
    text: [
      renderTable(
        ["STAGE", "RESULT", "TIME"],
        [...rows, ["total", "", inSeconds(total)]],
        out.columns,
      ),
      "",
      `device ${project.manifest.id} ${board.alreadyOnline ? "was online already" : "is online"}: ${bestEvidence(outcome)}`,
      ...(outcome.mqtt
        ? [
            `broker ${board.brokerUri}, topic ${outcome.mqtt.topic}`,
            `status ${JSON.stringify(outcome.mqtt.payload)}`,
          ]
        : []),
    ].join("\n"),
  };
}
