import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type TlsOptions } from "node:tls";
import { beforeAll, describe, onTestFinished, test } from "vitest";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { type Attempt, expectAll, refusal } from "../helpers/connection-attempts.js";
import { answering, cutOff } from "../helpers/cut-off.js";
import { buildPrograms, QUICK_VARIANTS } from "../helpers/host-port.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer } from "../helpers/longer.js";
import { createPki, type Identity, type Pki } from "../helpers/openssl-pki.js";
import { served } from "../helpers/served.js";

/* What the chip's mbedTLS does not build, or refuses, in the codes that it has for it. */

const HANDSHAKE_FAILED = 0x801a;
const FATAL_ALERT = 0x7780;
const VERIFY_FAILED = 0x2700;
const OPEN = "open tls=0x0 stack=0x0 flags=0x0 errno=0 alert=-1 shown=0";
const P256 = "ec:prime256v1";

let pki: Pki;

beforeAll(async () => {
  await buildPrograms();
  pki = createPki();
}, longer(300_000));

function server({ certPem, keyPem }: Identity, options: TlsOptions = {}): Promise<number> {
  const tls = createServer({ cert: certPem, key: keyPem, ...options }, (socket) => {
    socket.on("error", () => {});
  });
  tls.on("tlsClientError", () => {});
  return served(tls);
}

const failed = (stack: number, more = {}) => refusal(HANDSHAKE_FAILED, stack, more);
const untrusted = (flags: number) => failed(VERIFY_FAILED, { flags });

describe.each(QUICK_VARIANTS)("TLS of the board under %s", (variant) => {
  test("has the keys and curves that the chip's has", async () => {
    const { root } = pki;
    const attempt = async (key: string, options: TlsOptions = {}): Promise<Attempt> => ({
      port: await server(pki.issue(key), options),
      ca: root.certPem,
    });
    const curve = (ecdhCurve: string) => attempt(P256, { ecdhCurve });
    const noCommon = failed(FATAL_ALERT, { alert: 40 });
    await expectAll(variant, [
      ["P-256", await attempt(P256), OPEN],
      ["P-384", await attempt("ec:secp384r1"), OPEN],
      ["P-521", await attempt("ec:secp521r1"), OPEN],
      ["RSA-2048", await attempt("rsa:2048"), OPEN],
      ["RSA-4096", await attempt("rsa:4096"), OPEN],
      [
        "RSA-1024",
        await attempt("rsa:1024", { ciphers: "DEFAULT@SECLEVEL=0" }),
        untrusted(0x10000),
      ],
      ["Ed25519", await attempt("ed25519"), noCommon],
      ["secp256k1", await attempt("ec:secp256k1"), noCommon],
      ["brainpool", await attempt("ec:brainpoolP256r1"), noCommon],
      ["x25519 alone", await curve("X25519"), OPEN],
      ["P-521 alone", await curve("secp521r1"), OPEN],
      ["no common group", await curve("brainpoolP256r1:secp256k1:X448"), noCommon],
    ]);
  });

  test("speaks TLS 1.2 with ECDHE and AES-GCM, and nothing else", async () => {
    const { root } = pki;
    const rsa = pki.issue("rsa:2048");
    const with_ = async (options: TlsOptions): Promise<Attempt> => ({
      port: await server(rsa, options),
      ca: root.certPem,
    });
    const suite = (ciphers: string) => with_({ ciphers, dhparam: "auto" });
    const noCommon = failed(FATAL_ALERT, { alert: 40 });
    await expectAll(variant, [
      ["AES-128-GCM", await suite("ECDHE-RSA-AES128-GCM-SHA256"), OPEN],
      ["AES-256-GCM", await suite("ECDHE-RSA-AES256-GCM-SHA384"), OPEN],
      ["DHE", await suite("DHE-RSA-AES128-GCM-SHA256"), noCommon],
      ["CHACHA20", await suite("ECDHE-RSA-CHACHA20-POLY1305"), noCommon],
      ["CBC", await suite("ECDHE-RSA-AES128-SHA256"), noCommon],
      ["static RSA", await suite("AES128-GCM-SHA256"), noCommon],
      ["CCM", await suite("DHE-RSA-AES128-CCM:AES128-CCM"), noCommon],
      ["1.3 only", await with_({ minVersion: "TLSv1.3" }), failed(FATAL_ALERT, { alert: 70 })],
      [
        "1.1 only",
        await with_({
          minVersion: "TLSv1.1",
          maxVersion: "TLSv1.1",
          ciphers: "DEFAULT@SECLEVEL=0",
        }),
        failed(FATAL_ALERT, { alert: 40 }),
      ],
    ]);
  });

  test("trusts what is pinned, and names what is wrong", async () => {
    const { root } = pki;
    const good = await server(pki.issue(P256));
    const other = createPki().root.certPem;
    const ed25519 = pki.selfSigned("ed25519").certPem;
    const cas = (ca: string | undefined, more: Partial<Attempt> = {}): Attempt => ({
      port: good,
      ...(ca === undefined ? {} : { ca }),
      ...more,
    });
    const valid = async (notBefore: string, notAfter: string) =>
      server(
        await localhostIdentity(root, {
          notBefore: new Date(notBefore),
          notAfter: new Date(notAfter),
        }),
      );
    const expired = await valid("2024-01-01", "2024-01-02");
    const future = await valid("2048-01-01", "2049-01-01");
    const address = await server(pki.issue(P256, { names: "IP:127.0.0.1" }));
    const elsewhere = await server(pki.issue(P256, { names: "DNS:elsewhere.invalid" }));
    const sha1 = await server(pki.issue(P256, { digest: "sha1" }), {
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    const client = await server(pki.issue(P256, { usage: "clientAuth" }));
    await expectAll(variant, [
      ["glued PEM", cas(other.trimEnd() + root.certPem), OPEN],
      ["text before it", cas(`CA: ${root.certPem}`), OPEN],
      ["one of them unreadable", cas(ed25519 + root.certPem), OPEN],
      ["none readable", cas(ed25519), refusal(0x8015, 0x262e)],
      ["no PEM", cas("not a certificate"), refusal(0x8015, 0x2180)],
      ["nothing pinned", cas(undefined), refusal(0x8017)],
      ["another CA", cas(other), untrusted(0x8)],
      ["the bundle", cas(undefined, { options: "tb" }), failed(0x3000, { flags: 0xffffffff })],
      [
        "the bundle before what is pinned",
        cas(root.certPem, { options: "tb" }),
        failed(0x3000, { flags: 0xffffffff }),
      ],
      ["expired", cas(root.certPem, { port: expired }), untrusted(0x1)],
      ["not valid yet", cas(root.certPem, { port: future }), untrusted(0x200)],
      ["another name", cas(root.certPem, { port: elsewhere }), untrusted(0x4)],
      ["no check of the name", cas(root.certPem, { port: elsewhere, options: "tn" }), OPEN],
      ["an address that is no name", cas(root.certPem, { host: "127.0.0.1" }), untrusted(0x4)],
      ["an address", cas(root.certPem, { port: address, host: "127.0.0.1" }), OPEN],
      ["a name that is an address", cas(root.certPem, { port: address }), untrusted(0x4)],
      ["SHA-1", cas(root.certPem, { port: sha1 }), untrusted(0x4000)],
      ["not for servers", cas(root.certPem, { port: client }), failed(0x7a00, { flags: 0x1000 })],
    ]);
  });

  test("shows its certificate exactly as it was given", async () => {
    const { root } = pki;
    const intermediate = pki.issue("rsa:2048", { isCa: true });
    const leaf = pki.issue(P256, { by: intermediate, usage: "clientAuth" });
    const long = pki.issue("rsa:2048", { by: intermediate, usage: "clientAuth" });
    const chain = (intermediate.certPem + root.certPem).repeat(10);
    // A server that refuses hangs up on what it has not read; through this its alert comes before the RST.
    const asks = await cutOff(await requiringServer(root.certPem, pki), Infinity, "silence");
    const never = await server(pki.issue(P256));
    const own = (certPem: string, { keyPem }: Identity, more: Partial<Attempt> = {}): Attempt => ({
      ...{ port: asks, ca: root.certPem, certPem, keyPem, steps: "wp" },
      ...more,
    });
    const stands = OPEN.replace("open", "open write=18 poll=1");
    const many = long.certPem + chain;
    await expectAll(variant, [
      ["leaf and intermediate", own(leaf.certPem + intermediate.certPem, leaf), stands],
      ["the leaf alone", own(leaf.certPem, leaf), failed(FATAL_ALERT, { alert: 48, shown: 1 })],
      [
        "the leaf alone, the rest in the CA",
        own(leaf.certPem, leaf, { ca: root.certPem + intermediate.certPem }),
        failed(FATAL_ALERT, { alert: 48, shown: 1 }),
      ],
      ["a chain of more than 8192 bytes", own(many, long), failed(0x6a00)],
      ["… that nobody asks for", own(many, long, { port: never, steps: "" }), OPEN],
      ["no key", { port: asks, ca: root.certPem, certPem: leaf.certPem }, refusal(0x103)],
      ["a key of another kind", own(leaf.certPem, pki.issue("ed25519")), refusal(0x8019, 0x3c80)],
      ["no certificate", own("nothing", leaf), refusal(0x8015, 0x2180)],
    ]);
  });

  test("calls what makes no sense as the chip's version does", async () => {
    const hello = (body: Buffer): Buffer =>
      Buffer.concat([Buffer.from([22, 3, 3, 0, body.length + 4, 2, 0, 0, body.length]), body]);
    const start = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32), Buffer.from([0])]);
    const suite = (high: number, low: number) =>
      Buffer.concat([start, Buffer.from([high, low, 0])]);
    const ca = pki.root.certPem;
    await expectAll(variant, [
      [
        "HTTP",
        { port: await answering(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")), ca },
        failed(0x7200),
      ],
      [
        "a suite that was not offered",
        { port: await answering(hello(suite(0, 0x9c))), ca },
        failed(0x6600),
      ],
      [
        "a hello that is too short",
        { port: await answering(hello(Buffer.from([3, 3, 0]))), ca },
        failed(0x7300),
      ],
      [
        "TLS 1.1",
        {
          port: await answering(
            hello(Buffer.concat([Buffer.from([3, 2]), suite(0xc0, 0x2b).subarray(2)])),
          ),
          ca,
        },
        failed(0x6e80),
      ],
    ]);
  });
});

/** OpenSSL's own server, which refuses with an alert that says why. */
async function requiringServer(ca: string, { issue, file }: Pki): Promise<number> {
  const { certPem, keyPem } = issue(P256);
  const port = await findFreePort();
  const files = ["-cert", file(certPem), "-key", file(keyPem), "-CAfile", file(ca)];
  const args = [
    "s_server",
    "-accept",
    `127.0.0.1:${port}`,
    "-tls1_2",
    "-www",
    ...files,
    "-Verify",
    "4",
    "-verify_return_error",
  ];
  const child = spawn("openssl", args, { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout, "data"); // "ACCEPT"
  return port;
}
