import { createServer, type Socket } from "node:net";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { followConnections, listenOn } from "../../cli/lab/server/listen.js";
import type { Wire } from "./wire.js";

/** A request for a certificate, as it came. */
export interface Asked {
  readonly authorization: string;
  /** What was agreed on by ALPN; false when nothing was offered. */
  readonly protocol: string | false | null;
}

/** A backend that answers byte by byte what it is told to. */
export interface Backend {
  readonly url: string;
  readonly asked: readonly Asked[];
  show(identity: { readonly certPem: string; readonly keyPem: string }): void;
  /** From now on, and `asked` begins anew. */
  answer(script: readonly Wire[]): void;
  stop(): Promise<void>;
}

const THANKS = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

export async function startBackend(): Promise<Backend> {
  const asked: Asked[] = [];
  let script: readonly Wire[] = [];
  let identity: { cert: string; key: string } | undefined;
  const next = (): Wire | undefined => script[Math.min(asked.length, script.length - 1)];
  const server = createServer((tcp) => {
    const { protocols = ["http/1.1"] } = next() ?? {};
    const tls = { isServer: true, ALPNProtocols: [...protocols], ...identity };
    const socket = new TLSSocket(tcp, tls);
    for (const each of [tcp, socket]) each.on("error", () => {});
    onRequest(socket, ({ path, authorization }) => {
      if (path !== "/sign-csr") return socket.end(THANKS); // the report
      const answer = next();
      asked.push({ authorization, protocol: socket.alpnProtocol });
      if (answer !== undefined) void send(tcp, socket, answer);
    });
  });
  const { close } = followConnections(server);
  const port = await listenOn(server);
  return {
    url: `https://localhost:${port}`,
    asked,
    show({ certPem, keyPem }) {
      identity = { cert: certPem, key: keyPem };
    },
    answer(answers) {
      script = answers;
      asked.length = 0;
    },
    stop: close,
  };
}

interface Request {
  readonly path: string;
  readonly authorization: string;
}

function onRequest(socket: TLSSocket, take: (request: Request) => void): void {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
    if (end < 0 || text.length < end + 4 + length) return;
    const path = /^POST (\S+)/.exec(text)?.[1] ?? "";
    const authorization = /^authorization: (.*)\r$/im.exec(text)?.[1] ?? "";
    text = "";
    take({ path, authorization });
  });
}

async function send(tcp: Socket, socket: TLSSocket, answer: Wire): Promise<void> {
  const { pieces, pauseMs = 0, end } = answer;
  tcp.setNoDelay(true);
  for (const piece of pieces) {
    if (tcp.destroyed) return; // the client has had enough
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    await (pauseMs > 0 ? delay(pauseMs) : nextTurn());
  }
  if (end === "close") socket.end();
  if (end === "cut") tcp.destroy(); // a FIN without close_notify
  if (end === "reset") tcp.resetAndDestroy();
}
