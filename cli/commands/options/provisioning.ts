import type { CommandContext } from "../../context.js";
import type { BoardReach, Credentials } from "../../flow/board.js";
import { logWitness } from "../../flow/log-witness.js";
import type { Project } from "../../flow/project.js";
import type { ReportOptions } from "../../flow/stage-report.js";
import { secretsOfRun } from "../../secrets.js";
import { type BoardOptions, checkReachOptions, reachBoard } from "./board.js";
import { type BrokerOptions, checkBrokerOptions, NO_OPERATOR_NOTE } from "./broker.js";
import { type CredentialOptions, checkCredentials, readCredentials } from "./credentials.js";

/** The options of the commands that provision a board. */
export interface ProvisioningOptions
  extends BoardOptions,
    CredentialOptions,
    BrokerOptions,
    ReportOptions {}

/** Judges what flags and environment alone tell. @throws ProvError usage, input_missing */
export function checkProvisioning(options: ProvisioningOptions, env: NodeJS.ProcessEnv): void {
  checkReachOptions(options);
  checkBrokerOptions(options);
  checkCredentials(options, env);
}

export interface Provisioning {
  readonly credentials: Credentials;
  /** What no log may show. */
  readonly secrets: readonly string[];
  readonly reach: BoardReach;
}

/**
 * What the board is given, how it is reached and who watches; people are asked for what is missing.
 * @throws ProvError usage, input_missing, file_inaccessible, lab_not_running, wifi_no_adapter
 */
export async function readProvisioning(
  options: ProvisioningOptions,
  project: Project,
  context: CommandContext,
): Promise<Provisioning> {
  const { port } = options;
  const reach = await reachBoard(options, project, context);
  const credentials = await readCredentials(options, project.manifest, context);
  if (!reach.broker) context.out.note(NO_OPERATOR_NOTE);
  const { manifest } = project;
  const secrets = secretsOfRun({ env: context.env, manifest, credentials, broker: reach.broker });
  const log = port === undefined ? [] : [() => logWitness(port, secrets)];
  const witnesses = [...(reach.witnesses ?? []), ...log];
  return { credentials, secrets, reach: { ...reach, witnesses } };
}
