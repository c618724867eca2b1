import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { startMosquitto } from "../../cli/lab/broker/mosquitto.js";
import { OPERATOR } from "../../cli/lab/broker/topic-rules.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { createCsr } from "../../cli/pki/csr.js";
import { generatePrivateKey, privateKeyToPem } from "../../cli/pki/keys.js";
import { DEVICE_FAILURES } from "../../codegen/failures.js";
import type { KeyAlgorithm } from "../../codegen/manifest.js";
import { nextLine, tail } from "../attack/board-log.js";
import { caOf, DEVICE_ID, openRig, type Rig } from "../attack/rig.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer } from "../helpers/longer.js";
import { type PkiBackend, startPkiBackend } from "./backend.js";
import { type Way, wayAt } from "./client-chain.js";
import { type Answer, certificatesOf, chainOf, derBytes, type Pki, type Use } from "./pki.js";

const WAIT_MS = 30_000;

/** How a board came online. */
export interface Enrolment {
  /** What it showed to the broker, its own certificate first. */
  readonly sent: readonly X509Certificate[];
  /** Of the certificates that the PKI gave it, each once. */
  readonly givenBytes: number;
  /** From the answer to POST /provision to the first status message. */
  readonly onlineMs: number;
}

/** A virtual board, a backend that asks a PKI, and a way to the PKI's broker. */
export interface World {
  /** A board that knows nothing yet becomes a device of this PKI. @throws why it did not */
  enrol(pki: Pki): Promise<Enrolment>;
  stop(): Promise<void>;
}

/** @param name the folder below .cache/attack: one world at a time may use it */
export async function openWorld(name: string, algorithm: KeyAlgorithm): Promise<World> {
  const [backendPort, brokerPort] = [await findFreePort(), await findFreePort()];
  const rig = await openRig(name, {
    key: { algorithm },
    backend: { url: `https://localhost:${backendPort}` },
    mqtt: { uri: `mqtts://localhost:${brokerPort}` },
  });
  const dir = mkdtempSync(join(tmpdir(), "prov-pki-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  try {
    const way = await wayAt(brokerPort);
    const backend = await startPkiBackend(await localhostIdentity(caOf(rig.lab)), backendPort);
    return {
      enrol: (pki) => enrol({ rig, way, backend, dir: mkdtempSync(join(dir, "broker-")) }, pki),
      async stop() {
        way.close();
        await backend.stop();
        await rig.stop();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rig.stop();
    throw error;
  }
}

interface Site {
  readonly rig: Rig;
  readonly way: Way;
  readonly backend: PkiBackend;
  /** Empty, for the broker. */
  readonly dir: string;
}

async function enrol({ rig, way, backend, dir }: Site, pki: Pki): Promise<Enrolment> {
  const server = await identityOf(pki, "server", "localhost");
  const operator = await identityOf(pki, "client", OPERATOR);
  const broker = await startMosquitto(dir, { caPem: pki.rootPem, server });
  way.to(broker.port);
  const connect = (): Promise<MqttClient> =>
    connectAsync(`mqtts://localhost:${broker.port}`, {
      ...{ ca: pki.rootPem, cert: operator.certPem, key: operator.keyPem },
      ...{ protocolVersion: 4, reconnectPeriod: 0 },
    });
  try {
    await rig.board.powerOff();
    rig.eraseNvs();
    const witness = await connect();
    const online = nextConnected(witness, false);
    const failure = failureOf(rig);
    await rig.powerOn();
    const credentials = rig.credentials(0);
    const answered = backend.ask(pki, credentials.token);
    const saved = await rig.provision(credentials);
    if (saved?.status !== 200) throw new Error(`POST /provision: ${saved?.status}`);
    const since = performance.now();
    const answer = await Promise.race([answered, failure]);
    await Promise.race([online, failure]);
    const onlineMs = Math.round(performance.now() - since);
    await witness.endAsync(true);
    // Who comes later gets what the broker keeps.
    const late = await connect();
    await nextConnected(late, true);
    await late.endAsync(true);
    checkShown(way.shown(), pki);
    return { sent: way.shown(), givenBytes: derBytes(certificatesOf(answer)), onlineMs };
  } finally {
    await rig.board.powerOff();
    await broker.stop();
  }
}

/** A key with a certificate of the PKI, for others than the device. */
async function identityOf(pki: Pki, use: Use, name: string) {
  const key = await generatePrivateKey("P-256");
  const answer: Answer = await pki.sign(createCsr(key, name), use);
  return { certPem: chainOf(answer), keyPem: privateKeyToPem(key) };
}

/** The device's next word that it is online: a message that the broker kept, or one that comes now. */
function nextConnected(client: MqttClient, isKept: boolean): Promise<void> {
  const heard = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no ${isKept ? "retained " : ""}status message`)),
      longer(WAIT_MS),
    );
    client.on("error", () => {});
    client.on("message", (_topic, bytes, { retain }) => {
      if (retain !== isKept || JSON.parse(String(bytes)).status !== "connected") return;
      clearTimeout(timer);
      resolve();
    });
    client.subscribeAsync(`devices/${DEVICE_ID}/status`, { qos: 1 }).catch(reject);
  });
  heard.catch(() => {});
  return heard;
}

/** Rejects with the first failure that the device reports. */
function failureOf({ board }: Rig): Promise<never> {
  const pattern = new RegExp(`: (?:error )?((?:${Object.keys(DEVICE_FAILURES).join("|")})\\b.*)`);
  const failure = nextLine(board, pattern).then((line): never => {
    throw new Error(`${pattern.exec(line)?.[1] ?? line}\n${tail(board)}`);
  });
  failure.catch(() => {});
  return failure;
}

/** The chain leads, link by link, from the device to the root, which the broker has. */
function checkShown(shown: readonly X509Certificate[], { rootPem }: Pki): void {
  const root = new X509Certificate(rootPem);
  const names = shown.map(({ subject }) => subject.replaceAll("\n", "/")).join(", ");
  const isWhole = [...shown, root].every(
    (each, index, all) => index === 0 || all[index - 1]?.verify(each.publicKey),
  );
  const isRootLeftOut = shown.every(({ fingerprint256 }) => fingerprint256 !== root.fingerprint256);
  if (shown.length === 0 || !isWhole || !isRootLeftOut) throw new Error(`it showed ${names}`);
  if (!new RegExp(`(?:^|\\n)CN=${DEVICE_ID}$`).test(shown[0]?.subject ?? ""))
    throw new Error(`its first certificate is not its own: ${names}`);
}
