import { createServer, type TLSSocket } from "node:tls";
import { Aedes, type AuthenticateError, type Client } from "aedes";
import { type EventSink, labEvent } from "../events.js";
import {
  type ConnectionFault,
  isConnectionFault,
  isPacketFault,
  type PacketFault,
} from "../faults.js";
import { guardConnections } from "../server/connection-faults.js";
import { followConnections, listenOn } from "../server/listen.js";
import {
  type ServerIdentity,
  secureContextOf,
  type TlsIdentity,
} from "../server/server-identity.js";
import { createPacketGuard } from "./packet-faults.js";
import { isStaff, mayPublish, mayReceive } from "./topic-rules.js";

export interface BrokerOptions {
  /** What clients' certificates must lead to. */
  readonly caPem: string;
  readonly server: TlsIdentity;
  /** Tried first; another free port is taken when it is in use. */
  readonly preferredPort?: number;
  readonly onEvent?: EventSink;
}

/** A running MQTT broker with mutual TLS, whichever program it is. */
export interface LabBroker {
  readonly kind: "embedded" | "mosquitto";
  readonly port: number;
  /** `mqtts://127.0.0.1:port` */
  readonly uri: string;
  /** Goes away (connections are cut) until `resume`, on the same port. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** What it shows to clients from the next connection on. */
  setServerIdentity(server: ServerIdentity): Promise<void>;
  /** Replaces all of them. @throws ProvError lab_failed where the broker cannot be made to do that */
  setFaults(faults: readonly (ConnectionFault | PacketFault)[]): void;
  stop(): Promise<void>;
}

/** The CN of the verified certificate behind each connection, or null. */
type Names = WeakMap<object, string | null>;

/**
 * The embedded broker: MQTT 3.1.1 over mutual TLS. A device's MQTT client id must be its
 * certificate's CN, and it sees and writes `devices/<CN>/#` only; the operator sees everything.
 */
export async function startEmbeddedBroker(options: BrokerOptions): Promise<LabBroker> {
  const report = options.onEvent ?? (() => {});
  const names: Names = new WeakMap();
  const aedes = await createAedes(names, report);
  const packets = createPacketGuard(report);
  const server = createServer({
    ...secureContextOf(options.server, options.caPem),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const guard = guardConnections(server, report);
  const connections = followConnections(server);
  server.on("secureConnection", (socket) => {
    const { name, serial } = certificateOf(socket);
    const raw = [...connections.open].find(({ remotePort }) => remotePort === socket.remotePort);
    const stream = packets.wrap(socket, { name, serial }, () => raw?.resetAndDestroy());
    names.set(stream, name);
    aedes.handle(stream);
  });
  server.on("tlsClientError", (error) => {
    report(labEvent("broker", null, "connect", "tls_refused", error.message));
  });
  const port = await listenOn(server, options.preferredPort);

  return {
    kind: "embedded",
    port,
    uri: `mqtts://127.0.0.1:${port}`,
    pause: connections.close,
    async resume() {
      if (!server.listening) await listenOn(server, port, { exact: true });
    },
    async setServerIdentity(identity) {
      server.setSecureContext(secureContextOf(identity, options.caPem));
    },
    setFaults(faults) {
      guard.set(faults.filter(isConnectionFault));
      packets.set(faults.filter(isPacketFault));
    },
    async stop() {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await connections.close();
    },
  };
}

async function createAedes(names: Names, report: EventSink): Promise<Aedes> {
  const accepted = new WeakMap<Client, string>();
  const identityOf = (client: Client): string => accepted.get(client) ?? "";
  const aedes = await Aedes.createBroker({
    id: "prov-lab",
    authenticate(client, _username, _password, done) {
      const identity = names.get(client.conn) ?? null;
      if (identity === null || (!isStaff(identity) && client.id !== identity)) {
        report(labEvent("broker", identity, "connect", "client_id_refused", client.id));
        return done(notAuthorized("the client id must be the certificate's CN"), false);
      }
      accepted.set(client, identity);
      report(labEvent("broker", identity, "connect", "ok", client.id));
      done(null, true);
    },
    authorizePublish(client, packet, done) {
      // No client: the broker's own $SYS messages.
      if (client === null || mayPublish(identityOf(client), packet.topic)) {
        if (client !== null)
          report(labEvent("broker", identityOf(client), "publish", "ok", packet.topic));
        return done(null);
      }
      report(labEvent("broker", identityOf(client), "publish", "topic_refused", packet.topic));
      done(new Error("this topic belongs to somebody else"));
    },
    authorizeSubscribe(client, subscription, done) {
      const isAllowed = mayReceive(identityOf(client), subscription.topic);
      const outcome = isAllowed ? "ok" : "topic_refused";
      report(labEvent("broker", identityOf(client), "subscribe", outcome, subscription.topic));
      done(null, isAllowed ? subscription : null);
    },
  });
  aedes.on("clientDisconnect", (client) => {
    report(labEvent("broker", identityOf(client), "disconnect", "ok", client.id));
  });
  // Without a listener these are unhandled 'error's; a peer's broken connection is its own business.
  aedes.on("clientError", () => {});
  aedes.on("connectionError", () => {});
  return aedes;
}

function certificateOf(socket: TLSSocket) {
  const { subject, serialNumber } = socket.getPeerCertificate();
  const name = subject?.CN;
  const isNamed = socket.authorized && typeof name === "string" && name !== "";
  return { name: isNamed ? name : null, serial: serialNumber };
}

/** MQTT 3.1.1 table 3.1, return code 5: not authorized. */
function notAuthorized(message: string): AuthenticateError {
  return Object.assign(new Error(message), { returnCode: 5 });
}
