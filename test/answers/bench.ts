import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { tail } from "../attack/board-log.js";
import { buildNvsTools, readRecords } from "../attack/records.js";
import { type Credentials, caOf, openRig, type Rig } from "../attack/rig.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer } from "../helpers/longer.js";
import { type Backend, startBackend } from "./backend.js";
import { type Broker, startBroker } from "./broker.js";
import { type Material, makeMaterial } from "./material.js";
import type { Row, Seen, Sent } from "./row.js";
import { json, type Wire } from "./wire.js";

const WAIT_MS = 40_000;
const CERTIFICATE_KEYS = ["crt", "crt_new", "enrol"];

/** Two useless answers are enough for a name. An answer that is not on its way has to be waited for. */
const PATIENCE = {
  CONFIG_PROV_BACKEND_MAX_ATTEMPTS: 2,
  CONFIG_PROV_BACKEND_TIMEOUT_MS: 3_000,
} as const;

const VERDICT = /prov: error (\S+) ?(.*)$/;
/** One line for each answer of the backend. */
const ANSWERED = /[IW] \(\d+\) backend: (?!reported|the report|ca_certificate: PEM block)/;

/** A virtual board with a backend and a broker that do what a row says. */
export interface Bench {
  /** Sends what the row says to a board that knows nothing. */
  look(row: Row): Promise<Seen>;
  stop(): Promise<void>;
}

/** @param name the folder below .cache/attack: one bench at a time may use it */
export async function openBench(name: string): Promise<Bench> {
  await buildNvsTools();
  const backend = await startBackend();
  const broker = await startBroker();
  const dir = mkdtempSync(join(tmpdir(), "prov-answers-"));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  process.once("exit", remove);
  const rig = await openRig(name, {
    sdkconfig: PATIENCE,
    backend: { url: backend.url },
    mqtt: { uri: broker.uri },
  });
  const stop = async (): Promise<void> => {
    await rig.stop();
    await backend.stop();
    await broker.stop();
    remove();
  };
  try {
    backend.show(await localhostIdentity(caOf(rig.lab)));
    const material = await makeMaterial(dir, rig.deviceKey);
    const world = { rig, backend, broker, material };
    return { look: (row) => look(world, row), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface World {
  readonly rig: Rig;
  readonly backend: Backend;
  readonly broker: Broker;
  readonly material: Material;
}

async function look(world: World, { script, from }: Row): Promise<Seen> {
  const { rig, backend, broker, material } = world;
  const credentials = rig.credentials(0);
  const sent = await script({ ...material, token: credentials.token });
  await rig.board.powerOff();
  rig.eraseNvs();
  if (from === "online") {
    broker.stand(await material.place({}));
    backend.answer([json(200, material.good)]);
    await rig.powerOn();
    await provision(rig, rig.credentials(0));
  }
  broker.stand(await material.place("certificate" in sent ? sent : {}));
  backend.answer(answersOf(sent));
  if (from === "nothing") await rig.powerOn();
  const lines = await provision(rig, credentials);
  const verdict = await settle(rig, lines);
  await rig.board.powerOff();
  const records = await readRecords(rig.board.flash.path);
  return {
    ...verdict,
    asked: String(askedUntil(lines)),
    token: tokenState(records.get("enrol")?.[0], credentials.token),
    nvs: CERTIFICATE_KEYS.filter((key) => records.has(key)).join(" "),
    lines,
    leaks: lines.some((line) => line.includes(credentials.token)),
  };
}

function tokenState(stored: string | undefined, token: string): string {
  if (stored === token) return "kept";
  return stored === "" ? "spent" : "lost";
}

function answersOf(sent: Sent): readonly Wire[] {
  if ("certificate" in sent) {
    const { certificate, ca } = sent;
    return [json(200, { certificate: { content: certificate }, ca_certificate: { content: ca } })];
  }
  return "pieces" in sent ? [sent] : sent;
}

const isEnd = (line: string): boolean => /prov: (error |state \S+ -> MQTT_CONNECTED)/.test(line);

/** Gives the board its credentials, and waits until it is online or says why not. @returns what it said */
async function provision(rig: Rig, credentials: Credentials): Promise<string[]> {
  const { log } = rig.board;
  const lines: string[] = [];
  const forget = log.subscribe((line) => lines.push(stripVTControlCharacters(line)));
  const end = log.waitFor(isEnd, {
    futureOnly: true,
    signal: AbortSignal.timeout(longer(WAIT_MS)),
  });
  end.catch(() => {});
  try {
    const answer = await rig.provision(credentials);
    if (answer?.status !== 200) throw new Error(`not provisioned: ${JSON.stringify(answer)}`);
    await end;
    return lines;
  } catch (cause) {
    throw new Error(`neither online nor a word for why not; it said\n${tail(rig.board)}`, {
      cause,
    });
  } finally {
    forget();
  }
}

/** What the board tells a client, once it is what its log has said. */
async function settle(rig: Rig, lines: readonly string[]) {
  const end = lines.find(isEnd) ?? "";
  const [, code, words = ""] = VERDICT.exec(end) ?? [];
  if (code?.startsWith("broker")) return { verdict: code, sentence: words };
  for (const late = AbortSignal.timeout(longer(WAIT_MS)); ; await delay(5)) {
    const { state, error } = (await rig.get("/status"))?.body ?? {};
    if (code === undefined && state === "MQTT_CONNECTED")
      return { verdict: "online", sentence: "" };
    if (code !== undefined && isFailure(error) && error.code === code)
      return { verdict: code, sentence: /^[^(]*\((.*)\)$/.exec(error.message)?.[1] ?? "" };
    late.throwIfAborted();
  }
}

function isFailure(value: unknown): value is { code: string; message: string } {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}

function askedUntil(lines: readonly string[]): number {
  const end = lines.findIndex(isEnd);
  return lines.slice(0, end).filter((line) => ANSWERED.test(line)).length;
}
