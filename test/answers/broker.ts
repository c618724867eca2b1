import { createServer } from "node:tls";
import { generate, type Packet, parser } from "mqtt-packet";
import { followConnections, listenOn } from "../../cli/lab/server/listen.js";
import type { Place } from "./material.js";

/** A broker that takes whoever shows a certificate that leads to the one root it knows, by OpenSSL's judgement. */
export interface Broker {
  readonly uri: string;
  stand(place: Place): void;
  stop(): Promise<void>;
}

export async function startBroker(): Promise<Broker> {
  const server = createServer({ requestCert: true, rejectUnauthorized: true }, (socket) => {
    const reader = parser({ protocolVersion: 4 });
    reader.on("packet", (packet: Packet) => {
      const answer = answerTo(packet);
      if (answer !== undefined && socket.writable) socket.write(generate(answer));
    });
    socket.on("data", (bytes) => reader.parse(bytes));
    socket.on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  const { close } = followConnections(server);
  const port = await listenOn(server);
  return {
    uri: `mqtts://localhost:${port}`,
    stand: ({ certPem, keyPem, trusts }) =>
      server.setSecureContext({ cert: certPem, key: keyPem, ca: trusts }),
    stop: close,
  };
}

function answerTo(packet: Packet): Packet | undefined {
  switch (packet.cmd) {
    case "connect":
      return { cmd: "connack", returnCode: 0, sessionPresent: false };
    case "publish":
      return packet.qos === 1 ? { cmd: "puback", messageId: packet.messageId ?? 0 } : undefined;
    case "subscribe":
      return { cmd: "suback", messageId: packet.messageId ?? 0, granted: [1] };
    case "pingreq":
      return { cmd: "pingresp" };
    default:
      return undefined;
  }
}
