import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { visible } from "../terminal/foreign-text.js";

const REACH_TIMEOUT_MS = 5_000;

export interface Handshake {
  host: string;
  port: number;
  ca: string | null;
  askTime: boolean;
  anyCa?: boolean;
}

/** The end of the server's certificate and, when asked for, how far its clock is behind ours. */
export type Seen = { validTo: Date; skewS?: number } | { problem: string };

/** One TLS handshake with a server, which is not sent anything that matters. Never throws for what it finds. */
export async function shakeHands({
  host,
  port,
  ca,
  askTime,
  anyCa = false,
}: Handshake): Promise<Seen> {
  const name = host.replace(/^\[|\]$/g, "");
  return new Promise<Seen>((resolve) => {
    const tcp = connectTcp({ host: name, port });
    const socket = connectTls({
      socket: tcp,
      ...(ca ? { ca } : {}),
      servername: /^[\d.:]+$/.test(name) ? "" : name,
      host: name,
      rejectUnauthorized: !anyCa,
    });
    const finish = (seen: Seen): void => {
      clearTimeout(timer);
      tcp.destroy();
      resolve(seen);
    };
    const timer = setTimeout(
      () => finish({ problem: `no answer within ${REACH_TIMEOUT_MS / 1000} s` }),
      REACH_TIMEOUT_MS,
    );
    tcp.once("error", (error) => finish({ problem: visible(error.message) }));
    socket.once("error", (error) => finish({ problem: visible(error.message) }));
    socket.once("secureConnect", () => {
      const validTo = new Date(socket.getPeerCertificate().valid_to);
      if (!askTime) return finish({ validTo });
      socket.once("data", (chunk) => {
        const date = /^date:\s*(.+)$/im.exec(chunk.toString("latin1"))?.[1];
        const skewS = date ? Math.round((Date.now() - Date.parse(date)) / 1000) : undefined;
        finish({ validTo, ...(skewS === undefined ? {} : { skewS }) });
      });
      socket.write(`HEAD / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    });
  });
}
