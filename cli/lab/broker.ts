import { once } from "node:events";
import type { Socket } from "node:net";
import { createServer, type Server, TLSSocket } from "node:tls";
import { Aedes, type AuthenticateError, type Client } from "aedes";
import { type EventSink, labEvent } from "./events.js";
import { listenOn } from "./listen.js";
import { mayPublish, mayReceive, OPERATOR } from "./topic-rules.js";

/** A PEM certificate and its key. */
export interface TlsIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

/** What a server shows to its clients, and which of theirs it no longer takes. */
export interface ServerIdentity extends TlsIdentity {
  readonly crlPem?: string;
}

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
  stop(): Promise<void>;
}

interface Peer {
  readonly id: string;
  readonly identity: string;
}

/**
 * The embedded broker: MQTT 3.1.1 over mutual TLS. A device's MQTT client id must be its
 * certificate's CN, and it sees and writes `devices/<CN>/#` only; the operator sees everything.
 */
export async function startEmbeddedBroker(options: BrokerOptions): Promise<LabBroker> {
  const report = options.onEvent ?? (() => {});
  const peers = new WeakMap<Client, Peer>();
  const aedes = await createAedes(peers, report);
  const server = createServer(tlsOptions(options), (socket) => {
    aedes.handle(socket);
  });
  const sockets = trackSockets(server);
  server.on("tlsClientError", (error) => {
    report(labEvent("broker", null, "connect", "tls_refused", error.message));
  });
  const port = await listenOn(server, options.preferredPort);

  const closeServer = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  return {
    kind: "embedded",
    port,
    uri: `mqtts://127.0.0.1:${port}`,
    pause: closeServer,
    async resume() {
      if (!server.listening) await listenOn(server, port, { exact: true });
    },
    async setServerIdentity({ certPem, keyPem, crlPem }) {
      server.setSecureContext({
        cert: certPem,
        key: keyPem,
        ca: options.caPem,
        minVersion: "TLSv1.2",
        ...(crlPem === undefined ? {} : { crl: crlPem }),
      });
    },
    async stop() {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await closeServer();
    },
  };
}

function tlsOptions({ caPem, server }: BrokerOptions) {
  return {
    key: server.keyPem,
    cert: server.certPem,
    ca: caPem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
  } as const;
}

async function createAedes(peers: WeakMap<Client, Peer>, report: EventSink): Promise<Aedes> {
  const identityOf = (client: Client): string => peers.get(client)?.identity ?? "";
  const aedes = await Aedes.createBroker({
    id: "prov-lab",
    authenticate(client, _username, _password, done) {
      const identity = certificateName(client.conn);
      if (identity === null || (identity !== OPERATOR && client.id !== identity)) {
        report(labEvent("broker", identity, "connect", "client_id_refused", client.id));
        return done(notAuthorized("the client id must be the certificate's CN"), false);
      }
      peers.set(client, { id: client.id, identity });
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

/** The CN of a certificate that the TLS layer has verified, or null. */
function certificateName(connection: unknown): string | null {
  if (!(connection instanceof TLSSocket) || !connection.authorized) return null;
  const name = connection.getPeerCertificate().subject?.CN;
  return typeof name === "string" && name !== "" ? name : null;
}

/** MQTT 3.1.1 table 3.1, return code 5: not authorized. */
function notAuthorized(message: string): AuthenticateError {
  return Object.assign(new Error(message), { returnCode: 5 });
}

function trackSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // cut connections are normal here
  });
  return sockets;
}
