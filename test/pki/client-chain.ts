import { X509Certificate } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { listenOn } from "../../cli/lab/server/listen.js";

/* TLS 1.2 (RFC 5246), which shows the client's certificates to whoever stands in between. */

const RECORD_HEADER = 5;
const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const HANDSHAKE_HEADER = 4;
const CERTIFICATE = 11;
const LENGTH = 3;

/** A way to a server, on which the certificates of clients are seen. */
export interface Way {
  /** Leads to this port of 127.0.0.1 from now on. */
  to(port: number): void;
  /** What the last client showed that got so far, its own certificate first. */
  shown(): readonly X509Certificate[];
  close(): void;
}

export async function wayAt(port: number): Promise<Way> {
  const travellers = new Set<Socket>();
  let target = 0;
  let shown: readonly X509Certificate[] = [];
  const server = createServer((near) => {
    const said: Buffer[] = [];
    const far = connect(target, "127.0.0.1");
    for (const each of [near, far]) {
      travellers.add(each);
      each.on("error", () => {});
      each.on("close", () => {
        travellers.delete(each);
        near.destroy();
        far.destroy();
      });
    }
    const look = (chunk: Buffer): void => {
      said.push(chunk);
      const certificates = clientCertificates(Buffer.concat(said));
      if (certificates === undefined) return;
      shown = certificates;
      near.off("data", look);
    };
    near.on("data", look);
    near.pipe(far).pipe(near);
  });
  await listenOn(server, port, { exact: true });
  return {
    to: (port) => {
      target = port;
      shown = [];
    },
    shown: () => shown,
    close: () => {
      for (const each of travellers) each.destroy();
      server.close();
    },
  };
}

/** Those of a Certificate message (7.4.6) in what a client has sent; undefined until it is there as a whole. */
export function clientCertificates(bytes: Buffer): X509Certificate[] | undefined {
  const messages = handshakeOf(bytes);
  let at = 0;
  while (messages.length >= at + HANDSHAKE_HEADER) {
    const type = messages.readUInt8(at);
    const end = at + HANDSHAKE_HEADER + messages.readUIntBE(at + 1, LENGTH);
    if (messages.length < end) return undefined;
    if (type === CERTIFICATE) return listOf(messages.subarray(at + HANDSHAKE_HEADER + LENGTH, end));
    at = end;
  }
  return undefined;
}

/** What its records have of handshake messages, until what follows is encrypted (6.2.1). */
function handshakeOf(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (bytes.length >= at + RECORD_HEADER) {
    const type = bytes.readUInt8(at);
    const start = at + RECORD_HEADER;
    const end = start + bytes.readUInt16BE(at + 3);
    if (type === CHANGE_CIPHER_SPEC || bytes.length < end) break;
    if (type === HANDSHAKE) parts.push(bytes.subarray(start, end));
    at = end;
  }
  return Buffer.concat(parts);
}

function listOf(bytes: Buffer): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + LENGTH + bytes.readUIntBE(at, LENGTH);
    certificates.push(new X509Certificate(bytes.subarray(at + LENGTH, end)));
    at = end;
  }
  return certificates;
}
