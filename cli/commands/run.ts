import { randomBytes } from "node:crypto";
import type { CommandContext } from "../context.js";
import { ProvError } from "../errors.js";
import { backendWitness } from "../flow/event-witness.js";
import { bestEvidence, boardReport } from "../flow/evidence.js";
import type { Project } from "../flow/project.js";
import { provisionBoard } from "../flow/provision-board.js";
import type { ProvisionedBoard } from "../flow/provisioned.js";
import { withStageReport } from "../flow/stage-report.js";
import type { StageClock, StageRecord } from "../flow/stages.js";
import { virtualWifi } from "../lab/air/virtual-wifi.js";
import { isSigned } from "../lab/events.js";
import type { Lab } from "../lab/lab-types.js";
import { bootVirtualBoard, flashVirtualBoard } from "../lab/stages/board.js";
import { bringUpLab, refuseCrashes } from "../lab/stages/bring-up.js";
import type { CommandResult } from "../terminal/output.js";
import { renderTable } from "../terminal/table.js";
import { AP_GONE_MS, boundsOf, checkReachOptions } from "./options/board.js";
import { checkBrokerOptions } from "./options/broker.js";
import { checkCredentials } from "./options/credentials.js";
import type { RunOptions } from "./options/run.js";
import { runOnRealBoard } from "./run-real.js";

const POLL_MS = 50;
const MOST_RUNS_AT_ONCE = 32;

/** `prov run`: the whole chain. On the virtual board unless --port names a real one. */
export function runCommand(
  options: RunOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return (context) =>
    withStageReport("prov run", options, context, {
      check: () => {
        if (options.port === undefined) return refuseRealBoardOptions(options);
        refuseVirtualBoardOptions(options);
        checkReachOptions(options);
        checkBrokerOptions(options);
        checkCredentials(options, context.env);
      },
      work: async (project, clock) => {
        const { port } = options;
        const board =
          port === undefined
            ? await runOnVirtualBoard(project, options, context, clock)
            : await runOnRealBoard(project, { ...options, port }, context, clock);
        return describe(project, board, clock.records, context);
      },
    });
}

/** Whoever names their own network means their own board, and is not to get a yes for the virtual one. */
function refuseRealBoardOptions(options: RunOptions): void {
  const { ssid, password, passwordStdin, open, token, bearer } = options;
  const {
    url,
    ap,
    iface,
    baud,
    yesBurnEfuses,
    mqttCa,
    mqttCert,
    mqttKey,
    mqttUsername,
    mqttPassword,
  } = options;
  const given = {
    ...{ ssid, password, "password-stdin": passwordStdin, open, bearer },
    ...(token === false ? { "no-token": token } : { token }),
    ...{ url, ap, iface, baud, "yes-burn-efuses": yesBurnEfuses },
    ...(options.wifi === "auto" ? {} : { wifi: options.wifi }),
    ...{ "mqtt-ca": mqttCa, "mqtt-cert": mqttCert, "mqtt-key": mqttKey },
    ...{ "mqtt-username": mqttUsername, "mqtt-password": mqttPassword },
  };
  const [name] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined)
    throw new ProvError("usage", `--${name} is for a real board, and no --port names one`);
}

/** A real board has its own broker, and its firmware no sanitizer. */
function refuseVirtualBoardOptions({ broker, sanitize }: RunOptions): void {
  const name = broker === undefined ? sanitize && "sanitize" : "broker";
  if (name)
    throw new ProvError("usage", `--${name} is for the virtual board, and --port names a real one`);
}

async function runOnVirtualBoard(
  project: Project,
  options: RunOptions,
  context: CommandContext,
  clock: StageClock,
): Promise<ProvisionedBoard> {
  const { out, signal } = context;
  await mentionRealBoards(out);
  const { lab, image } = await bringUpFreeLab({
    project,
    broker: options.broker ?? "embedded",
    clock,
    context,
    ...(options.sanitize ? { sanitize: options.sanitize } : {}),
  });
  try {
    lab.board.log.subscribe((line) => out.detail(`board: ${line}`));
    await clock.run("flash", () => flashVirtualBoard(lab, image, context));
    await clock.run("boot", () => bootVirtualBoard(lab, context, options.timeout));
    const home = homeNetwork(lab);
    const signed = (signal: AbortSignal) =>
      lab.events.waitFor((event) => isSigned(event, project.manifest.id), { signal });
    const result = await provisionBoard({
      manifest: project.manifest,
      credentials: {
        ...home,
        token: lab.issueToken(project.manifest.id),
        bearer: randomBytes(16).toString("hex"),
      },
      wifi: virtualWifi(lab.info.airDir),
      broker: { uri: lab.info.broker.uri, caPem: lab.caPem, ...lab.operator },
      witnesses: [() => backendWitness(signed)],
      ...boundsOf(options.timeout),
      apGoneMs: AP_GONE_MS,
      pollMs: POLL_MS,
      clock,
      signal,
      progress: out,
    });
    refuseCrashes(lab);
    if (!result.outcome.mqtt)
      throw new ProvError("status_timeout", "the broker delivered no status message");
    return result;
  } finally {
    await lab.stop();
  }
}

/** Nothing that was merely found is ever flashed; but whoever has a board plugged in may want to know. */
async function mentionRealBoards(out: CommandContext["out"]): Promise<void> {
  const { listPorts } = await import("../serial/ports.js");
  const boards = (await listPorts()).filter((port) => port.isEspressif);
  for (const board of boards)
    out.note(
      `seen, and left alone: ${board.name} on ${board.path} (use it with --port ${board.path})`,
    );
}

/** Two runs at once get two labs: the first name that no other process holds. */
async function bringUpFreeLab(
  request: Omit<Parameters<typeof bringUpLab>[0], "name">,
): ReturnType<typeof bringUpLab> {
  for (let number = 1; number < MOST_RUNS_AT_ONCE; number += 1) {
    try {
      return await bringUpLab({ ...request, name: labName(number) });
    } catch (error) {
      if (!(error instanceof ProvError) || error.code !== "lab_busy") throw error;
    }
  }
  return bringUpLab({ ...request, name: labName(MOST_RUNS_AT_ONCE) });
}

function labName(number: number): string {
  return number === 1 ? "run" : `run-${number}`;
}

function homeNetwork(lab: Lab): { ssid: string; password: string } {
  const network = lab.air().networks.find((each) => each.psk !== null);
  if (!network?.psk) throw new ProvError("lab_failed", "the lab's air holds no secured network");
  return { ssid: network.ssid, password: network.psk };
}

function describe(
  project: Project,
  board: ProvisionedBoard,
  stages: readonly StageRecord[],
  { out }: CommandContext,
): CommandResult {
  const { outcome } = board;
  const rows = stages.map((stage) => [
    stage.name,
    stage.ok ? "ok" : "failed",
    `${(stage.ms / 1000).toFixed(2)} s`,
  ]);
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
        [...rows, ["total", "", `${(total / 1000).toFixed(2)} s`]],
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
