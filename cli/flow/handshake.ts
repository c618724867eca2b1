import { connect as connectTcp } from "node:net";
import {
  type CipherNameAndProtocol,
  connect as connectTls,
  type DetailedPeerCertificate,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import { visible } from "../terminal/foreign-text.js";

const REACH_TIMEOUT_MS = 5_000;
const LONGEST_HEAD = 16_384;

export interface Handshake {
  host: string;
  port: number;
  ca: string | null;
  askTime: boolean;
  /** Whether any certificate will do. The server may then want one of its client, which is not shown it. */
  anyCa?: boolean;
  /** What is offered; all that Node.js has without it. */
  offer?: SecureContextOptions;
}

/** What a server that one can speak with has shown. */
export interface Met {
  readonly validTo: Date;
  /** How far its clock is behind ours, when asked for. */
  readonly skewS?: number;
  /** Its certificates in DER, from its own on. */
  readonly chain: readonly Buffer[];
  /** The protocol and the suite: "TLSv1.3, TLS_AES_256_GCM_SHA384". */
  readonly spoken: string;
}

/** `isRefused`: it is there, and its TLS and ours did not come together. */
export type Seen = Met | { problem: string; isRefused: boolean };

/** One TLS handshake with a server, which is not sent anything that matters. Never throws for what it finds. */
export async function shakeHands({
  host,
  port,
  ca,
  askTime,
  anyCa = false,
  offer = {},
}: Handshake): Promise<Seen> {
  const name = host.replace(/^\[|\]$/g, "");
  return new Promise<Seen>((resolve) => {
    const tcp = connectTcp({ host: name, port });
    const socket = connectTls({
      ...offer,
      socket: tcp,
      ...(ca ? { ca } : {}),
      servername: /^[\d.:]+$/.test(name) ? "" : name,
      host: name,
      rejectUnauthorized: !anyCa,
    });
    let isShaking = false;
    tcp.once("connect", () => {
      isShaking = true;
    });
    const finish = (seen: Seen): void => {
      clearTimeout(timer);
      tcp.destroy();
      resolve(seen);
    };
    const fail = ({ message }: Error): void =>
      finish({ problem: visible(message), isRefused: isShaking });
    const timer = setTimeout(() => {
      const problem = `no answer within ${REACH_TIMEOUT_MS / 1000} s`;
      finish({ problem, isRefused: false });
    }, REACH_TIMEOUT_MS);
    tcp.once("error", fail);
    socket.once("error", fail);
    if (anyCa)
      socket.on("keylog", (line) => {
        // In TLS 1.2 there are keys before the server says no to a client without a certificate.
        if (line.toString("latin1").startsWith("CLIENT_RANDOM ")) finish(met(socket));
      });
    socket.once("secureConnect", () => {
      isShaking = false;
      const seen = met(socket);
      if (!askTime) return finish(seen);
      let head = "";
      socket.on("data", (chunk) => {
        head = (head + chunk.toString("latin1")).slice(0, LONGEST_HEAD);
        if (/\r?\n\r?\n/.test(head) || head.length === LONGEST_HEAD)
          finish({ ...seen, ...skewOf(head) });
      });
      socket.once("close", () => finish({ ...seen, ...skewOf(head) }));
      socket.write(`HEAD / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    });
  });
}

/** How far the clock behind a head's `Date` is behind ours; nothing without a date. RFC 9110, section 6.6.1. */
function skewOf(head: string): { skewS?: number } {
  const date = Date.parse(/^date:\s*(.+)$/im.exec(head)?.[1] ?? "");
  return Number.isNaN(date) ? {} : { skewS: Math.round((Date.now() - date) / 1000) };
}

function met(socket: TLSSocket): Met {
  const leaf = socket.getPeerCertificate(true);
  const chain: Buffer[] = [];
  for (
    let each: DetailedPeerCertificate | undefined = leaf;
    each?.raw !== undefined && !chain.some((other) => other.equals(each?.raw ?? other));
    each = each.issuerCertificate
  )
    chain.push(each.raw);
  // Undefined before the end of a handshake with static RSA.
  const cipher: CipherNameAndProtocol | undefined = socket.getCipher();
  const spoken = [socket.getProtocol(), cipher?.standardName].filter(Boolean).join(", ");
  return { validTo: new Date(leaf.valid_to), chain, spoken };
}
