import { readFileSync, writeFileSync } from "node:fs";
import type { CommandContext } from "../context.js";
import { ProvError, withDetails } from "../errors.js";
import type { BrokerAccess } from "../flow/broker-witness.js";
import { backendWitness, type Enrolled } from "../flow/event-witness.js";
import { renderJunit } from "../flow/junit.js";
import { logWitness } from "../flow/log-witness.js";
import type { Milestone, Witness } from "../flow/outcome.js";
import { type ProvisionedBoard, provisionBoard } from "../flow/provision-board.js";
import { createStageClock, type StageClock } from "../flow/stages.js";
import type { LabClient } from "../lab/client.js";
import type { CommandResult } from "../output.js";
import { type BoardOptions, reachBoard } from "./board-options.js";
import { type CredentialOptions, readCredentials } from "./credentials.js";
import { openProject, type Project } from "./project.js";

export interface ProvisionOptions extends BoardOptions, CredentialOptions {
  wait?: Milestone;
  timeout: number;
  port?: string;
  mqttCa?: string;
  mqttCert?: string;
  mqttKey?: string;
  junit?: string;
}

const JOIN_TIMEOUT_MS = 45_000;

/** `prov provision`: credentials in, evidence out. */
export function provisionCommand(
  options: ProvisionOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
    const project = await openProject(options, context);
    const clock = createStageClock();
    try {
      const board = await provision(project, options, context, clock);
      return describe(project, board, clock);
    } catch (error) {
      throw withDetails(error, { device: project.manifest.id, stages: clock.records });
    } finally {
      if (options.junit !== undefined) {
        writeFileSync(
          options.junit,
          renderJunit(`prov provision ${project.manifest.id}`, clock.records),
        );
      }
    }
  };
}

async function provision(
  project: Project,
  options: ProvisionOptions,
  context: CommandContext,
  clock: StageClock,
): Promise<ProvisionedBoard> {
  const { out, signal } = context;
  const credentials = await readCredentials(options, context);
  const secrets = [credentials.password, credentials.token ?? "", credentials.bearer ?? ""];
  const reach = await reachBoard(options, project, context);
  const broker = brokerAccess(options, project, reach.lab);
  if (!broker)
    out.note(
      "no operator certificate for the broker (--mqtt-ca, --mqtt-cert, --mqtt-key): the board's own word is the evidence",
    );
  const witnesses: (() => Witness)[] = [];
  const { lab } = reach;
  if (lab) witnesses.push(labBackend(lab, project.manifest.id));
  const { port } = options;
  if (port !== undefined) witnesses.push(() => logWitness(port, secrets));
  return provisionBoard({
    manifest: project.manifest,
    credentials,
    wifi: reach.wifi,
    joinTimeoutMs: Math.min(JOIN_TIMEOUT_MS, options.timeout * 1000),
    outcomeTimeoutMs: options.timeout * 1000,
    pollMs: reach.pollMs,
    clock,
    signal,
    progress: out,
    ...(reach.apSsid === undefined ? {} : { apSsid: reach.apSsid }),
    ...(broker ? { broker } : {}),
    witnesses,
    ...(options.wait ? { goal: options.wait } : {}),
  });
}

function brokerAccess(
  options: ProvisionOptions,
  project: Project,
  lab: LabClient | undefined,
): BrokerAccess | undefined {
  const read = (file: string): string => readFileSync(file, "utf8");
  if (lab) {
    const { operator, broker } = lab.info;
    return {
      uri: broker.uri,
      caPem: read(operator.caPath),
      certPem: read(operator.certPath),
      keyPem: read(operator.keyPath),
    };
  }
  const { mqttCa, mqttCert, mqttKey } = options;
  if (!mqttCert && !mqttKey && !mqttCa) return undefined;
  if (!mqttCert || !mqttKey || !mqttCa)
    throw new ProvError("usage", "--mqtt-ca, --mqtt-cert and --mqtt-key belong together");
  return {
    uri: project.manifest.mqtt.uri,
    caPem: read(mqttCa),
    certPem: read(mqttCert),
    keyPem: read(mqttKey),
  };
}

/** The lab's backend as a witness: only what it sees from now on counts. */
function labBackend(lab: LabClient, deviceId: string): () => ReturnType<typeof backendWitness> {
  return () =>
    backendWitness(async (signal): Promise<Enrolled> => {
      for await (const event of lab.events({ lines: 0, follow: true, signal })) {
        if (
          event.source === "backend" &&
          event.what === "sign-csr" &&
          event.outcome === "ok" &&
          event.deviceId === deviceId
        )
          return { detail: "signed the CSR" };
      }
      throw new Error("the lab's events ended");
    });
}

function describe(project: Project, board: ProvisionedBoard, clock: StageClock): CommandResult {
  const { outcome } = board;
  const evidence = outcome.evidence.map(({ witness, milestone, detail }) => ({
    witness,
    milestone,
    detail,
  }));
  const best = [...evidence].reverse().find((item) => item.milestone === outcome.reached);
  return {
    json: {
      device: project.manifest.id,
      reached: outcome.reached,
      already_online: board.wasOnline,
      attempt_id: board.attemptId,
      evidence,
      stages: clock.records,
      ...(outcome.mqtt ? { mqtt: outcome.mqtt } : {}),
    },
    text: `${project.manifest.id} ${board.wasOnline ? "was online already, nothing was changed" : "is online"}: ${outcome.reached}, seen by the ${best?.witness ?? "device"} (${best?.detail ?? ""})`,
  };
}
