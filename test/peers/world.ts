import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type PeerCertificate, TLSSocket } from "node:tls";
import { connectAsync, type MqttClient } from "mqtt";
import { OPERATOR } from "../../cli/lab/broker/topic-rules.js";
import { issueCertificate } from "../../cli/lab/pki/ca.js";
import { revocationList } from "../../cli/lab/pki/crl.js";
import { findFreePort, listenOn } from "../../cli/lab/server/listen.js";
import { nextLine } from "../attack/board-log.js";
import { caOf, DEVICE_ID, openRig, type Rig } from "../attack/rig.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer, longerSeconds } from "../helpers/longer.js";
import { type Outcome, prov } from "../helpers/prov.js";
import { type Place, writePrivate } from "./peer.js";

const WAIT_MS = 30_000;

/** One status message, as a client of the broker gets it. */
export interface Message {
  readonly payload: Record<string, unknown>;
  readonly retain: boolean;
}

export interface Listener {
  /** The next one that is wanted. */
  next(isWanted: (message: Message) => boolean): Promise<Message>;
  close(): Promise<void>;
}

/** A virtual board, an operator and a thief, all of whom go to the same port for their broker. */
export interface World {
  readonly uri: string;
  readonly rig: Rig;
  /** A new folder for the broker that comes next, and what it needs to know. */
  place(): Place;
  /** `prov provision` on a board that knows nothing yet. */
  provision(options: { asOperator: boolean; timeoutS: number }): Promise<Provisioned>;
  /** An operator's subscription to the device's status. */
  listen(): Promise<Listener>;
  /** A client that has the device's name and a good certificate for it; connected. */
  impostor(): Promise<MqttClient>;
  /** Stands in for the broker, which must be down, until the device has shown its certificate. @returns a list with it */
  revoke(): Promise<string>;
  stop(): Promise<void>;
}

export interface Provisioned {
  readonly exit: number | null;
  readonly document: {
    readonly proof?: string;
    readonly error?: { readonly code: string; readonly message: string };
  };
}

export async function openWorld(): Promise<World> {
  const port = await findFreePort();
  const uri = `mqtts://localhost:${port}`;
  // The device's own patience is as short as a loaded machine allows.
  const sdkconfig = { CONFIG_PROV_MQTT_ACK_TIMEOUT_MS: 3_000 };
  const rig = await openRig("peers", { sdkconfig, mqtt: { uri } });
  const dir = mkdtempSync(join(tmpdir(), "prov-peers-"));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  process.once("exit", remove);
  const stop = async (): Promise<void> => {
    await rig.stop();
    remove();
  };
  try {
    return { ...(await describe(rig, dir, port, uri)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function describe(
  rig: Rig,
  dir: string,
  port: number,
  uri: string,
): Promise<Omit<World, "stop">> {
  const ca = caOf(rig.lab);
  const client = (commonName: string) => issueCertificate(ca, { usage: "client", commonName });
  const server = await localhostIdentity(ca);
  const operator = await client(OPERATOR);
  const device = await client(DEVICE_ID);
  const connect = (identity: typeof operator, clientId: string): Promise<MqttClient> =>
    connectAsync(uri, {
      ...{ ca: ca.certPem, cert: identity.certPem, key: identity.keyPem },
      ...{ clientId, protocolVersion: 4, reconnectPeriod: 0 },
    });
  const project = join(dir, "project");
  const operatorOptions = writeProject(project, { rig, uri, operator, caPem: ca.certPem });
  return {
    uri,
    rig,
    place: () => {
      const own = mkdtempSync(join(dir, "broker-"));
      return { port, dir: own, deviceId: DEVICE_ID, operator: OPERATOR, ca, server };
    },
    async provision({ asOperator, timeoutS }) {
      const { board } = rig;
      await board.powerOff();
      rig.eraseNvs();
      await rig.powerOn();
      const url = (await rig.apUp()) ?? "";
      const { ssid, password, token } = rig.credentials(0);
      const more = asOperator ? operatorOptions : [];
      const args = ["--url", url, "--ssid", ssid, "--timeout", longerSeconds(timeoutS), "--json"];
      return read(
        await prov(["provision", ...args, "--no-input", ...more], {
          cwd: project,
          env: { PROV_WIFI_PASSWORD: password, PROV_TOKEN: token },
        }),
      );
    },
    // Each has an id of its own: a broker may not have done with the last one yet.
    listen: async () =>
      listenWith(await connect(operator, `listener-${randomUUID()}`.slice(0, 23))),
    impostor: () => connect(device, DEVICE_ID),
    async revoke() {
      const serial = await serialOfNextClient(port, { ...server, caPem: ca.certPem });
      return revocationList(ca, [serial]);
    },
  };
}

/** @returns the options that make the operator a witness */
function writeProject(
  project: string,
  {
    rig,
    uri,
    operator,
    caPem,
  }: { rig: Rig; uri: string; operator: { certPem: string; keyPem: string }; caPem: string },
): string[] {
  mkdirSync(project, { recursive: true });
  const write = (name: string, text: string): string => writePrivate(project, name, text);
  const ca = write("ca.pem", caPem);
  const device = {
    id: DEVICE_ID,
    target: "esp32c3",
    backend: { url: rig.lab.backend.url, ca },
    mqtt: { uri, statusIntervalSeconds: 1 },
  };
  const manifest = `export default defineDevice(${JSON.stringify(device)});\n`;
  write("device.config.ts", `import { defineDevice } from "prov";\n\n${manifest}`);
  return [
    ...["--mqtt-ca", ca, "--mqtt-cert", write("operator.pem", operator.certPem)],
    ...["--mqtt-key", write("operator-key.pem", operator.keyPem)],
  ];
}

function read({ code, stdout, stderr }: Outcome): Provisioned {
  try {
    return { exit: code, document: JSON.parse(stdout) };
  } catch {
    throw new Error(`prov ended with ${code} and printed no JSON: ${stderr}`);
  }
}

async function listenWith(client: MqttClient): Promise<Listener> {
  const arrived: Message[] = [];
  let wake = (): void => {};
  client.on("message", (_topic, bytes, { retain }) => {
    arrived.push({ payload: JSON.parse(String(bytes)), retain });
    wake();
  });
  client.on("error", () => {});
  await client.subscribeAsync(`devices/${DEVICE_ID}/status`, { qos: 1 });
  return {
    async next(isWanted) {
      const waitMs = longer(WAIT_MS);
      const deadline = AbortSignal.timeout(waitMs);
      deadline.addEventListener("abort", () => wake());
      for (;;) {
        const message = arrived.shift();
        if (message && isWanted(message)) return message;
        if (message) continue;
        if (deadline.aborted) throw new Error(`no such message within ${waitMs} ms`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    close: async () => {
      await client.endAsync(true);
    },
  };
}

/** Listens where the broker did, looks at the first certificate and hangs up. */
async function serialOfNextClient(
  port: number,
  { certPem, keyPem, caPem }: { certPem: string; keyPem: string; caPem: string },
): Promise<string> {
  const server = createServer({ cert: certPem, key: keyPem, ca: caPem, requestCert: true });
  server.on("tlsClientError", () => {});
  await listenOn(server, port, { exact: true });
  try {
    const signal = AbortSignal.timeout(longer(WAIT_MS));
    const [socket] = await once(server, "secureConnection", { signal });
    if (!(socket instanceof TLSSocket)) throw new Error("no TLS connection");
    socket.on("error", () => {});
    const certificate: PeerCertificate = socket.getPeerCertificate();
    socket.destroy();
    return certificate.serialNumber;
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** The next line of the device's log that matches; whoever asks may fail before it comes. */
export function deviceSays(world: World, pattern: RegExp): Promise<string> {
  const line = nextLine(world.rig.board, pattern);
  line.catch(() => {});
  return line;
}
