import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { onTestFinished } from "vitest";
import { MOSQUITTO_PLACES } from "../../cli/lab/broker/mosquitto.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { spawnBound, stopChild } from "../../cli/processes/child.js";
import { buildMochi } from "../peers/mochi.js";
import { writePrivate } from "../peers/peer.js";
import { longer } from "./longer.js";
import { temporaryDir } from "./project.js";
import { served } from "./served.js";

/** A broker on 127.0.0.1, without TLS, that lets everybody do everything. */
export interface OpenBroker {
  readonly uri: string;
  /** What it has said so far. */
  log(): string;
}

const START_MS = 20_000;
const STOP_MS = 5_000;

export async function openAedes(): Promise<OpenBroker> {
  const aedes = await Aedes.createBroker();
  const said: string[] = [];
  aedes.on("clientError", (_client, error) => void said.push(`Error: ${error.message}`));
  aedes.on("connectionError", (_client, error) => void said.push(`Error: ${error.message}`));
  onTestFinished(() => aedes.close());
  const port = await served(createServer((socket) => void aedes.handle(socket)));
  return { uri: `mqtt://127.0.0.1:${port}`, log: () => said.join("\n") };
}

export async function openMosquitto(): Promise<OpenBroker> {
  const port = await findFreePort();
  const configuration = [
    ...(process.getuid?.() === 0 ? ["user root"] : []),
    ...[
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "log_dest stderr",
      "log_type all",
      "",
    ],
  ];
  const file = writePrivate(temporaryDir(), "mosquitto.conf", configuration.join("\n"));
  const program = MOSQUITTO_PLACES.find((path) => existsSync(path)) ?? "mosquitto";
  return start(program, ["-c", file], / running$/m, port);
}

/** @returns undefined where it cannot be had, which is said */
export async function openMochi(): Promise<OpenBroker | undefined> {
  const built = buildMochi();
  if ("missing" in built) {
    process.stderr.write(`skipped: mochi cannot be had (${built.missing})\n`);
    return undefined;
  }
  const port = await findFreePort();
  return start(built.program, ["-address", `127.0.0.1:${port}`], /^ready$/m, port);
}

async function start(
  command: string,
  args: string[],
  ready: RegExp,
  port: number,
): Promise<OpenBroker> {
  const child = spawnBound(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => stopChild(child, STOP_MS));
  let log = "";
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${command}: ${log}`)), longer(START_MS));
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        log += String(chunk);
        if (!ready.test(log)) return;
        clearTimeout(timer);
        resolve();
      });
  });
  return { uri: `mqtt://127.0.0.1:${port}`, log: () => log };
}
