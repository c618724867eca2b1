import type { Milestone } from "../../codegen/states.js";
import type { CommandContext } from "../context.js";
import { backendWitness } from "../flow/event-witness.js";
import { bestEvidence, boardReport } from "../flow/evidence.js";
import { logWitness } from "../flow/log-witness.js";
import type { Witness } from "../flow/outcome.js";
import type { Project } from "../flow/project.js";
import { provisionBoard } from "../flow/provision-board.js";
import type { ProvisionedBoard } from "../flow/provisioned.js";
import { type ReportOptions, withStageReport } from "../flow/stage-report.js";
import type { StageClock } from "../flow/stages.js";
import { isSigned, type LabEvent } from "../lab/events.js";
import { secretsOfRun } from "../secrets.js";
import type { CommandResult } from "../terminal/output.js";
import {
  AP_GONE_MS,
  type BoardOptions,
  boundsOf,
  checkReachOptions,
  reachBoard,
} from "./options/board.js";
import {
  type BrokerOptions,
  brokerAccess,
  checkBrokerOptions,
  labBroker,
  NO_OPERATOR_NOTE,
} from "./options/broker.js";
import {
  type CredentialOptions,
  checkCredentials,
  readCredentials,
} from "./options/credentials.js";

export interface ProvisionOptions
  extends BoardOptions,
    CredentialOptions,
    BrokerOptions,
    ReportOptions {
  wait?: Milestone;
  port?: string;
}

/** `prov provision`: credentials in, evidence out. */
export function provisionCommand(
  options: ProvisionOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return (context) =>
    withStageReport("prov provision", options, context, {
      check: () => {
        checkReachOptions(options);
        checkBrokerOptions(options);
        checkCredentials(options, context.env);
      },
      work: async (project, clock) =>
        describe(project, await provision(project, options, context, clock), clock),
    });
}

async function provision(
  project: Project,
  options: ProvisionOptions,
  context: CommandContext,
  clock: StageClock,
): Promise<ProvisionedBoard> {
  const { out, signal } = context;
  const operator =
    options.lab === undefined
      ? brokerAccess(options, project.manifest.mqtt.uri, context.env)
      : undefined;
  const credentials = await readCredentials(options, project.manifest, context);
  const reach = await reachBoard(options, project, context);
  const { lab } = reach;
  const broker = lab ? labBroker(lab) : operator;
  if (!broker) out.note(NO_OPERATOR_NOTE);
  const witnesses: (() => Witness)[] = [];
  const isOurs = (event: LabEvent) => isSigned(event, project.manifest.id);
  if (lab) witnesses.push(() => backendWitness((signal) => lab.nextEvent(isOurs, signal)));
  const { port } = options;
  const { manifest } = project;
  const secrets = secretsOfRun({ env: context.env, manifest, credentials, broker });
  if (port !== undefined) witnesses.push(() => logWitness(port, secrets));
  return provisionBoard({
    manifest: project.manifest,
    credentials,
    wifi: reach.wifi,
    ...boundsOf(options.timeout),
    apGoneMs: AP_GONE_MS,
    pollMs: reach.pollMs,
    clock,
    signal,
    progress: out,
    ...(reach.apSsid === undefined ? {} : { apSsid: reach.apSsid }),
    ...(reach.port === undefined ? {} : { port: reach.port }),
    ...(broker ? { broker } : {}),
    witnesses,
    ...(options.wait ? { goal: options.wait } : {}),
  });
}

function describe(project: Project, board: ProvisionedBoard, clock: StageClock): CommandResult {
  const { id } = project.manifest;
  const state = board.alreadyOnline ? "was online already, nothing was changed" : "is online";
  return {
    json: {
      device: id,
      ...(board.attemptId === undefined ? {} : { attempt_id: board.attemptId }),
      ...boardReport(board),
      stages: clock.records,
    },
    text: `${id} ${state}: ${bestEvidence(board.outcome)}`,
  };
}
