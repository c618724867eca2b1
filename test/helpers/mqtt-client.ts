import type { IConnectPacket, Packet } from "mqtt-packet";
import { type Program, startProgram, type Variant } from "./host-port.js";
import { type Peer, plainBroker } from "./scripted-broker.js";

/** Of what a client reports: connections and their ends. */
export const ENDS = /^(before|connected|error|disconnected)/;

export interface Client extends Program {
  /** Gives an order. @returns what the client answers, without the answer's first word */
  ask(order: string, answer: RegExp): Promise<string>;
  /** Lets it go. @returns all that it reported; @throws when it has not ended well */
  end(): Promise<string[]>;
}

/** The program test/firmware/host-port/mqtt.c. */
export function startClient(variant: Variant, env: Record<string, string>): Client {
  const program = startProgram("mqtt", variant, { env });
  return {
    ...program,
    async ask(order, answer) {
      program.write(order);
      const line = await program.next(answer);
      return line.slice(line.indexOf(" ") + 1);
    },
    async end() {
      program.end();
      const { status, lines, stderr } = await program.finished();
      if (status !== 0 || stderr !== "")
        throw new Error(`${status}\n${lines.join("\n")}\n${stderr}`);
      return lines;
    },
  };
}

/** Takes a client's connection. @returns its CONNECT */
export async function accept(peer: Peer, sessionPresent = false): Promise<IConnectPacket> {
  const connect = await peer.next("connect");
  peer.send({ cmd: "connack", returnCode: 0, sessionPresent });
  return connect;
}

/** The client's next packet with this id; on a slow machine others may have been sent again meanwhile. */
export async function packetOf(peer: Peer, messageId: number): Promise<Packet> {
  for (;;) {
    const packet = await peer.any();
    if (packet.messageId === messageId) return packet;
  }
}

/** A client, and the connection that it has made to a broker without TLS. */
export async function connected(variant: Variant, env: Record<string, string> = {}) {
  const { uri, connection } = await plainBroker();
  const client = startClient(variant, { TEST_URI: uri, ...env });
  const peer = await connection();
  const connect = await accept(peer);
  await client.next(/^connected 0$/);
  return { client, peer, connection, connect };
}
