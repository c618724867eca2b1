import { createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { generate, type Packet, parser } from "mqtt-packet";
import { onTestFinished } from "vitest";
import { listenOn } from "../../cli/lab/listen.js";
import { createCa, issueCertificate } from "../../cli/pki/ca.js";

/** One connection of a client, for a script that answers as it likes. */
export interface Peer {
  /** Which connection this is, from 1. */
  readonly number: number;
  /** The client's next packet of this kind; others are dropped. Stays pending when the connection ends. */
  next(kind: Packet["cmd"]): Promise<Packet>;
  send(packet: Packet): void;
  /** A publication on the device's status topic. */
  publish(payload: unknown, flags?: { retain?: boolean; dup?: boolean }): void;
  /** CONNACK 0 and a granted subscription. */
  welcome(): Promise<void>;
  /** FIN, or RST. */
  hangUp(how?: "fin" | "rst"): void;
}

export interface ScriptedBroker {
  readonly uri: string;
  /** An operator's access that it takes. */
  readonly access: { uri: string; caPem: string; certPem: string; keyPem: string };
  connections(): number;
}

export const SCRIPTED_DEVICE = "dev-1";

let pki: Promise<{ caPem: string; server: Pem; operator: Pem }> | undefined;
type Pem = { certPem: string; keyPem: string };

async function makePki() {
  const ca = await createCa({ commonName: "CA" });
  const server = { usage: "server", commonName: "localhost", dns: ["localhost"] } as const;
  const operator = { usage: "client", commonName: "operator" } as const;
  return {
    caPem: ca.certPem,
    server: await issueCertificate(ca, server),
    operator: await issueCertificate(ca, operator),
  };
}

/** A broker over TLS that does what the script says, and nothing by itself. */
export async function scriptedBroker(script: (peer: Peer) => unknown): Promise<ScriptedBroker> {
  pki ??= makePki();
  const { caPem, server: identity, operator } = await pki;
  let connections = 0;
  const sockets = new Set<Socket>();
  const tls = { cert: identity.certPem, key: identity.keyPem, ca: caPem, requestCert: true };
  const server = createServer((tcp) => {
    sockets.add(tcp);
    const socket = new TLSSocket(tcp, { isServer: true, ...tls });
    for (const each of [tcp, socket]) each.on("error", () => {});
    connections += 1;
    void script(peerOf(socket, tcp, connections));
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const uri = `mqtts://localhost:${await listenOn(server)}`;
  return { uri, access: { uri, caPem, ...operator }, connections: () => connections };
}

function peerOf(socket: TLSSocket, tcp: Socket, number: number): Peer {
  const arrived: Packet[] = [];
  let wake = (): void => {};
  const reader = parser({ protocolVersion: 4 });
  reader.on("packet", (packet: Packet) => {
    arrived.push(packet);
    wake();
  });
  socket.on("data", (bytes) => reader.parse(bytes));
  const send = (packet: Packet): void => {
    if (socket.writable) socket.write(generate(packet));
  };
  const next: Peer["next"] = async (kind) => {
    for (;;) {
      const packet = arrived.shift();
      if (packet?.cmd === kind) return packet;
      if (!packet) await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  let messageId = 0;
  return {
    number,
    next,
    send,
    publish(payload, { retain = false, dup = false } = {}) {
      messageId += 1;
      const topic = `devices/${SCRIPTED_DEVICE}/status`;
      const text = typeof payload === "string" ? payload : JSON.stringify(payload);
      send({ cmd: "publish", topic, payload: text, qos: 1, messageId, retain, dup });
    },
    async welcome() {
      await next("connect");
      send({ cmd: "connack", returnCode: 0, sessionPresent: false });
      const { messageId: id } = await next("subscribe");
      send({ cmd: "suback", messageId: id ?? 0, granted: [1] });
    },
    hangUp(how = "fin") {
      if (how === "fin") socket.end();
      else tcp.resetAndDestroy();
    },
  };
}
