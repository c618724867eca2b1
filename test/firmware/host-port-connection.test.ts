import { createServer as createTcpServer } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import { type CertificateAuthority, createCa, issueCertificate } from "../../cli/lab/pki/ca.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { type Case, expectAll, refusal } from "../helpers/connection-attempts.js";
import { answering, cutOff, type End } from "../helpers/cut-off.js";
import { buildPrograms, QUICK_VARIANTS } from "../helpers/host-port.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer } from "../helpers/longer.js";
import { served } from "../helpers/served.js";

/* How connections end, in the words that esp-tls has for it. */

const HANDSHAKE_FAILED = 0x801a;
const TIMEOUT = 0x8006;
const FATAL_ALERT = 0x7780;
const CONN_EOF = 0x7280;
const CONN_RESET = 0x50;
const RECV_FAILED = 0x4c;

let ca: CertificateAuthority;

beforeAll(async () => {
  await buildPrograms();
  ca = await createCa({ commonName: "CA" });
}, longer(300_000));

async function tlsServer(
  serve: (socket: TLSSocket) => void,
  options: TlsOptions = {},
): Promise<number> {
  const { certPem, keyPem } = await localhostIdentity(ca);
  const server = createServer({ cert: certPem, key: keyPem, ...options }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  return served(server);
}

/** What is said once it stands. */
function stood(steps: string, { tls = 0, stack = 0, errno = 0 } = {}): string {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return `open ${steps} tls=${hex(tls)} stack=${hex(stack)} flags=0x0 errno=${errno} alert=-1 shown=0`;
}

describe.each(QUICK_VARIANTS)("an outgoing connection under %s", (variant) => {
  test("does not come about where nobody is", async () => {
    const port = await tlsServer(() => {});
    const closed = await findFreePort();
    await expectAll(variant, [
      ["no network", { host: "!localhost", port }, refusal(0x8001)],
      ["no network, a literal", { host: "!127.0.0.1", port }, refusal(0x8004, 0, { errno: 113 })],
      ["no DNS", { host: "?localhost", port }, refusal(0x8001)],
      ["no such name", { host: "name.invalid", port }, refusal(0x8001)],
      ["no IPv6 on the station", { host: "::1", port }, refusal(0x8004, 0, { errno: 113 })],
      ["nobody listens", { port: closed }, refusal(0x8004, 0, { errno: 104 })],
      ["nobody listens, plain", { port: closed, options: "" }, refusal(0x8004, 0, { errno: 104 })],
      [
        "no DNS, a literal",
        { host: "?127.0.0.1", port, ca: ca.certPem, options: "tn" },
        stood("").replace("  ", " "),
      ],
    ]);
  });

  test("ends as the other side ends it, over TCP", async () => {
    const talk = (end: End) => answering(Buffer.alloc(3000, "x"), end);
    const plain = { options: "", steps: "wr" };
    await expectAll(variant, [
      [
        "FIN",
        { ...plain, port: await talk("fin") },
        stood("write=18 read=3000 then=-1", { tls: 0x8008 }),
      ],
      [
        "RST",
        { ...plain, steps: "wpr", port: await answering(Buffer.alloc(0), "rst") },
        stood("write=18 poll=1 read=0 then=-2", { errno: 104 }),
      ],
      [
        "silence",
        { port: await talk("silence"), options: "s", steps: "wprq" },
        stood("write=18 poll=1 read=3000 then=0 poll=0"),
      ],
      [
        "the link goes",
        { port: await talk("silence"), options: "s", steps: "wprlrw" },
        stood("write=18 poll=1 read=3000 then=0 read=0 then=-2 write=-2", { errno: 103 }),
      ],
    ]);
  });

  test("ends as the other side ends it, over TLS", async () => {
    const talk = (act: (socket: TLSSocket) => void) =>
      tlsServer((socket) => socket.once("data", () => act(socket)));
    const tls = { ca: ca.certPem, steps: "wr" };
    const notified = await talk((socket) => socket.end("x".repeat(3000)));
    const steady = await talk((socket) => socket.write("x".repeat(3000)));
    // One record each: ServerHello, Certificate, ServerKeyExchange, ServerHelloDone, ticket, CCS, Finished.
    const whole = 7;
    await expectAll(variant, [
      [
        "close_notify",
        { ...tls, port: notified },
        stood("write=18 read=3000 then=-1", { tls: 0x8008 }),
      ],
      [
        "FIN",
        { ...tls, port: await cutOff(steady, whole + 1, "fin") },
        stood("write=18 read=3000 then=-1", { tls: 0x8008 }),
      ],
      [
        "RST",
        { ...tls, port: await cutOff(steady, whole, "rst", { isAtOnce: false }), steps: "wpr" },
        stood("write=18 poll=1 read=0 then=-2", { stack: CONN_RESET }),
      ],
      [
        "silence",
        { ...tls, port: steady, options: "ts", steps: "wprq" },
        stood("write=18 poll=1 read=3000 then=0 poll=0"),
      ],
      [
        "the link goes",
        { ...tls, port: steady, options: "ts", steps: "wprlrw" },
        stood("write=18 poll=1 read=3000 then=0 read=0 then=-2 write=-2", {
          stack: RECV_FAILED,
          errno: 103,
        }),
      ],
    ]);
  });

  test("offers what the chip's build does", async () => {
    let hello = Buffer.alloc(0);
    const server = createTcpServer((socket) => {
      socket.once("data", (chunk) => {
        hello = chunk;
        socket.end();
      });
    });
    const port = await served(server);
    await expectAll(variant, [
      ["hello", { port, ca: ca.certPem }, refusal(HANDSHAKE_FAILED, CONN_EOF)],
    ]);
    const { version, suites, extensions } = readHello(hello);
    expect(version).toBe("0303");
    // AES-256 before AES-128, ECDSA before RSA; then the signal of secure renegotiation.
    expect(suites).toBe("c02c" + "c030" + "c02b" + "c02f" + "00ff");
    // x25519, P-256, P-384, P-521.
    expect(extensions.get(10)).toBe("0008" + "001d" + "0017" + "0018" + "0019");
    // ECDSA and RSA with SHA-512, SHA-384, SHA-256; each version of mbedTLS has an order of its own.
    const schemes = extensions.get(13)?.slice(4).match(/..../g);
    expect(schemes?.toSorted()).toEqual(["0401", "0403", "0501", "0503", "0601", "0603"]);
    expect(extensions.get(0)).toContain(Buffer.from("localhost").toString("hex"));
    // server_name, supported_groups, ec_point_formats, signature_algorithms, encrypt_then_mac,
    // extended_master_secret, session_ticket: no ALPN, no max_fragment_length.
    expect([...extensions.keys()].toSorted((a, b) => a - b)).toEqual([0, 10, 11, 13, 22, 23, 35]);
  });

  test("fails in the handshake as the other side ends it", async () => {
    const { certPem, keyPem } = await issueCertificate(ca, { usage: "client", commonName: "dev1" });
    const mutual = await tlsServer(() => {}, { requestCert: true, ca: ca.certPem });
    const cases: Case[] = [];
    // ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone, ticket, CCS: then comes Finished.
    for (let records = 0; records <= 7; records++) {
      const shown = records >= 5 ? 1 : 0;
      const attempt = { ca: ca.certPem, certPem, keyPem };
      const cut = (end: End) => cutOff(mutual, records, end);
      cases.push(
        [
          `FIN after ${records}`,
          { ...attempt, port: await cut("fin") },
          refusal(HANDSHAKE_FAILED, CONN_EOF, { shown }),
        ],
        [
          `RST after ${records}`,
          { ...attempt, port: await cut("rst") },
          refusal(HANDSHAKE_FAILED, CONN_RESET, { shown }),
        ],
      );
    }
    for (const records of [0, 5, 7]) {
      const port = await cutOff(mutual, records, "silence");
      const attempt = { port, ca: ca.certPem, certPem, keyPem, options: "th" };
      cases.push([`silence after ${records}`, attempt, refusal(TIMEOUT)]);
    }
    await expectAll(variant, cases);
  });

  test("tells every fatal alert", async () => {
    const alerts = [
      10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 90,
      100, 109, 110, 111, 112, 113, 115, 116, 120, 255,
    ];
    const cases: Case[] = [];
    for (const alert of alerts) {
      const port = await answering(Buffer.from([21, 3, 3, 0, 2, 2, alert]));
      cases.push([
        `${alert}`,
        { port, ca: ca.certPem },
        refusal(HANDSHAKE_FAILED, FATAL_ALERT, { alert }),
      ]);
    }
    const port = await answering(Buffer.from([21, 3, 3, 0, 2, 1, 0]));
    cases.push(["close_notify", { port, ca: ca.certPem }, refusal(HANDSHAKE_FAILED, 0x7880)]);
    await expectAll(variant, cases);
  });
});

/** RFC 5246, 7.4.1.2, in hexadecimal. */
function readHello(record: Buffer) {
  let at = 5 + 4;
  const take = (size: number): Buffer => {
    at += size;
    return record.subarray(at - size, at);
  };
  const version = take(2).toString("hex");
  take(32); // random
  take(take(1).readUInt8()); // session id
  const suites = take(take(2).readUInt16BE()).toString("hex");
  take(take(1).readUInt8()); // compression
  const extensions = new Map<number, string>();
  take(2); // their length: they are the last
  while (at < record.length) {
    const type = take(2).readUInt16BE();
    extensions.set(type, take(take(2).readUInt16BE()).toString("hex"));
  }
  return { version, suites, extensions };
}
