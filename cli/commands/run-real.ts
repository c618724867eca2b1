import type { CommandContext } from "../context.js";
import { ProvError } from "../errors.js";
import { waitForBoot } from "../flow/boot.js";
import { buildWithIdf } from "../flow/build-idf.js";
import { generateConfig } from "../flow/codegen.js";
import { confirmEfuses, flashBoard, refusePlaceholders } from "../flow/flash.js";
import { makeKeys } from "../flow/keys.js";
import { logWitness } from "../flow/log-witness.js";
import { type ProvisionedBoard, provisionBoard } from "../flow/provision-board.js";
import type { StageClock } from "../flow/stages.js";
import { reachBoard } from "./board-options.js";
import { brokerAccess, NO_OPERATOR_NOTE } from "./broker-options.js";
import { readCredentials } from "./credentials.js";
import type { Project } from "./project.js";
import type { RunOptions } from "./run-options.js";

const BOOT_TIMEOUT_MS = 30_000;
const JOIN_TIMEOUT_MS = 60_000;

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
  const credentials = await readCredentials(options, context);
  const reach = await reachBoard(options, project, context);
  const broker = brokerAccess(options, manifest.mqtt.uri);
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
  const secrets = [
    credentials.password,
    credentials.token ?? "",
    credentials.bearer ?? "",
    manifest.softAp.password,
  ];
  const flashed = await clock.run("flash", () =>
    flashBoard({
      image,
      port: options.port,
      chip: target,
      baud: options.baud,
      full: false,
      erase: false,
      signal,
      progress: out,
    }),
  );
  await clock.run("boot", () =>
    waitForBoot(flashed, { timeoutMs: BOOT_TIMEOUT_MS, signal, progress: out, secrets }),
  );
  return provisionBoard({
    manifest,
    credentials,
    wifi: reach.wifi,
    ...(reach.apSsid === undefined ? {} : { apSsid: reach.apSsid }),
    ...(broker ? { broker } : {}),
    witnesses: [() => logWitness(options.port, secrets)],
    joinTimeoutMs: JOIN_TIMEOUT_MS,
    timeoutMs: options.timeout * 1000,
    pollMs: reach.pollMs,
    clock,
    signal,
    progress: out,
  });
}
