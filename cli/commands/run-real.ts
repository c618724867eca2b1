import type { CommandContext } from "../context.js";
import { ProvError } from "../errors.js";
import { bootBoard } from "../flow/boot-board.js";
import { buildWithIdf } from "../flow/build-idf.js";
import { generateConfig } from "../flow/codegen.js";
import { confirmEfuses, flashBoard, refusePlaceholders } from "../flow/flash.js";
import { makeKeys } from "../flow/keys.js";
import { logWitness } from "../flow/log-witness.js";
import { onlineAlready, onlineByItsLog } from "../flow/online-already.js";
import type { Project } from "../flow/project.js";
import { provisionBoard } from "../flow/provision-board.js";
import type { ProvisionedBoard } from "../flow/provisioned.js";
import type { StageClock } from "../flow/stages.js";
import { secretsOfRun } from "../secrets.js";
import { DEFAULT_FLASH_BAUD } from "../serial/link.js";
import { AP_GONE_MS, boundsOf, reachBoard } from "./options/board.js";
import { brokerAccess, NO_OPERATOR_NOTE } from "./options/broker.js";
import { readCredentials } from "./options/credentials.js";
import type { RunOptions } from "./options/run.js";

/** The whole chain on a real board at `port`. */
export async function runOnRealBoard(
  project: Project,
  options: RunOptions & { port: string },
  context: CommandContext,
  clock: StageClock,
): Promise<ProvisionedBoard> {
  const { manifest, root, workspace } = project;
  const { out, signal } = context;
  const target = manifest.target;
  if (target === "host")
    throw new ProvError(
      "usage",
      "the manifest's target is `host`; name the chip of the board on the port",
    );
  refusePlaceholders(manifest);
  confirmEfuses(manifest, options.yesBurnEfuses ?? false);
  const broker = brokerAccess(options, manifest.mqtt.uri, context.env);
  const credentials = await readCredentials(options, manifest, context);
  const reach = await reachBoard(options, project, context);
  if (!broker) out.note(NO_OPERATOR_NOTE);
  const identity = await clock.run("keys", () => makeKeys(root, manifest, false));
  const config = await clock.run("codegen", async () =>
    generateConfig(manifest, identity, workspace),
  );
  const image = await clock.run("build", () =>
    buildWithIdf({
      manifest,
      config,
      root,
      target,
      clean: false,
      signal,
      progress: out,
      env: context.env,
    }),
  );
  // The build may have more to say than the manifest: an option of old, or one that another one selects.
  for (const step of confirmEfuses(manifest, options.yesBurnEfuses ?? false, image)) out.warn(step);
  const secrets = secretsOfRun({ env: context.env, manifest, credentials, broker });
  const flashed = await clock.run("flash", () =>
    flashBoard({
      image,
      port: options.port,
      chip: target,
      baud: options.baud ?? DEFAULT_FLASH_BAUD,
      full: false,
      erase: false,
      signal,
      progress: out,
    }),
  );
  const { timeout } = options;
  const bounds = boundsOf(timeout);
  const booted = await clock.run("boot", () =>
    bootBoard(flashed.port, manifest, context, secrets, timeout && timeout * 1000),
  );
  const common = {
    manifest,
    credentials,
    port: options.port,
    signal,
    progress: out,
    ...(broker ? { broker } : {}),
  };
  if (booted?.state === "MQTT_CONNECTED")
    return clock.run("mqtt", async () =>
      onlineAlready(common, await onlineByItsLog(common, booted.network, bounds.timeoutMs)),
    );
  if (booted?.state === "WIFI_CONNECTING")
    out.warn(
      `it has credentials, but did not get online; \`prov reset --scope all --port ${options.port}\` makes it forget them`,
    );
  return provisionBoard({
    ...common,
    wifi: reach.wifi,
    ...(reach.apSsid === undefined ? {} : { apSsid: reach.apSsid }),
    witnesses: [() => logWitness(options.port, secrets)],
    ...bounds,
    apGoneMs: AP_GONE_MS,
    pollMs: reach.pollMs,
    clock,
  });
}
