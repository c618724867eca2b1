import { createServer, type Socket } from "node:net";
import { TLSSocket, type TLSSocketOptions } from "node:tls";
import { generate, type Packet, parser } from "mqtt-packet";
import { onTestFinished } from "vitest";
import { type CertificateAuthority, createCa, issueCertificate } from "../../cli/lab/pki/ca.js";
import { listenOn } from "../../cli/lab/server/listen.js";
import { localhostIdentity } from "./localhost.js";
import { served } from "./served.js";

type PacketOf<Kind extends Packet["cmd"]> = Extract<Packet, { cmd: Kind }>;

function isOf<Kind extends Packet["cmd"]>(packet: Packet, kind: Kind): packet is PacketOf<Kind> {
  return packet.cmd === kind;
}

/** One connection of a client, for a script that answers as it likes. */
export interface Peer {
  /** Which connection this is, from 1. */
  readonly number: number;
  /** The client's next packet of this kind; others are dropped. Stays pending when the connection ends. */
  next<Kind extends Packet["cmd"]>(kind: Kind): Promise<PacketOf<Kind>>;
  /** The client's next packet, whichever it is. */
  any(): Promise<Packet>;
  send(packet: Packet): void;
  /** As they are, be they MQTT or not. */
  sendBytes(bytes: Buffer): void;
  /** A publication on the device's status topic. */
  publish(payload: unknown, flags?: { retain?: boolean; dup?: boolean }, deviceId?: string): void;
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

/** The same without TLS, for a test that answers each connection itself, in the order in which they come. */
export async function plainBroker(): Promise<{ uri: string; connection(): Promise<Peer> }> {
  const peers: Peer[] = [];
  let wake = (): void => {};
  let connections = 0;
  const server = createServer((tcp) => {
    tcp.on("error", () => {});
    connections += 1;
    peers.push(peerOf(tcp, tcp, connections));
    wake();
  });
  const connection = async (): Promise<Peer> => {
    for (;;) {
      const peer = peers.shift();
      if (peer) return peer;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return { uri: `mqtt://localhost:${await served(server)}`, connection };
}

export const SCRIPTED_DEVICE = "dev-1";

let ownCa: Promise<CertificateAuthority> | undefined;

export interface ScriptedBrokerOptions {
  /** Who signs its certificate and knows the clients'; default its own. */
  readonly ca?: CertificateAuthority;
  /** Default: any free one. */
  readonly port?: number;
}

/** A broker over TLS that does what the script says, and nothing by itself. */
export async function scriptedBroker(
  script: (peer: Peer) => unknown,
  options: ScriptedBrokerOptions = {},
): Promise<ScriptedBroker> {
  ownCa ??= createCa({ commonName: "CA" });
  const ca = options.ca ?? (await ownCa);
  const caPem = ca.certPem;
  const identity = await localhostIdentity(ca);
  const operator = await issueCertificate(ca, { usage: "client", commonName: "operator" });
  let connections = 0;
  const sockets = new Set<Socket>();
  const tls: TLSSocketOptions = {
    cert: identity.certPem,
    key: identity.keyPem,
    ca: caPem,
    requestCert: true,
  };
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
  const { port } = options;
  const uri = `mqtts://localhost:${await listenOn(server, port, { exact: port !== undefined })}`;
  return { uri, access: { uri, caPem, ...operator }, connections: () => connections };
}

function peerOf(socket: Socket, tcp: Socket, number: number): Peer {
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
  const any = async (): Promise<Packet> => {
    for (;;) {
      const packet = arrived.shift();
      if (packet) return packet;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const next: Peer["next"] = async (kind) => {
    for (;;) {
      const packet = await any();
      if (isOf(packet, kind)) return packet;
    }
  };
  let messageId = 0;
  return {
    number,
    next,
    any,
    send,
    sendBytes: (bytes) => void socket.write(bytes),
    publish(payload, { retain = false, dup = false } = {}, deviceId = SCRIPTED_DEVICE) {
      messageId += 1;
      const topic = `devices/${deviceId}/status`;
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
