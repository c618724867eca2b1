import { createServer as createHttpServer, type ServerResponse } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { createCa, issueCertificate } from "../../cli/lab/pki/ca.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { buildPrograms, fileEnv, QUICK_VARIANTS, startProgram } from "../helpers/host-port.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer } from "../helpers/longer.js";
import { served } from "../helpers/served.js";

beforeAll(buildPrograms, longer(300_000));

async function pki() {
  const [ca, foreignCa] = await Promise.all([
    createCa({ commonName: "CA" }),
    createCa({ commonName: "CA" }),
  ]);
  const client = await issueCertificate(ca, { usage: "client", commonName: "dev1" });
  return { ca, foreignCa, client };
}

describe.each(QUICK_VARIANTS)("esp_http_client under %s", (variant) => {
  test("maps everything that can go wrong as the chip does", async () => {
    const { ca, foreignCa, client } = await pki();
    const https = async (
      identity: { certPem: string; keyPem: string },
      more: ServerOptions = {},
    ) => {
      const options = { cert: identity.certPem, key: identity.keyPem, ...more };
      const server = createServer(options, (incoming, response) => {
        incoming.resume().on("end", () => respond(incoming.url ?? "", response));
      });
      return `https://localhost:${await served(server)}`;
    };
    const day = 86_400_000;
    const good = await https(await localhostIdentity(ca));
    const foreign = await https(await localhostIdentity(foreignCa));
    const renamed = await https(await localhostIdentity(ca, { dns: ["elsewhere.invalid"] }));
    const expired = await https(
      await localhostIdentity(ca, {
        notBefore: new Date(Date.now() - 2 * day),
        notAfter: new Date(Date.now() - day),
      }),
    );
    const mutual = await https(await localhostIdentity(ca), { requestCert: true, ca: ca.certPem });
    const plain = await served(createHttpServer((_, response) => response.end("plain")));
    const mute = await served(createTcpServer(() => {}));
    const closed = await findFreePort();

    const cases: [string, string | RegExp][] = [
      // Before the station has an address.
      [`GET\t${good}/\tc`, "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=1 events=E tls=0x8001"],
      [`GET\t${good}/\tc`, "ESP_OK status=200 bytes=2 complete=1 events=CSHDX tls=0x0"],
      [`POST\t${good}/echo\tc`, "ESP_OK status=201 bytes=2 complete=1 events=CSHDX tls=0x0"],
      [`POST\t${good}/\tcp`, "ESP_OK status=200 bytes=2 complete=1 events=CSHDFX tls=0x0"],
      [`GET\t${good}/chunked\tc`, "ESP_OK status=200 bytes=100000 complete=1 events=CSHDX tls=0x0"],
      [`GET\t${good}/until-end\tc`, "ESP_OK status=200 bytes=3000 complete=1 events=CSHDX tls=0x0"],
      [`GET\t${good}/empty\tc`, "ESP_OK status=204 bytes=0 complete=1 events=CSHX tls=0x0"],
      [`GET\t${good}/redirect\tcp`, "ESP_OK status=302 bytes=0 complete=1 events=CSHRFX tls=0x0"],
      [
        `GET\t${good}/truncated\tc`,
        "ESP_OK status=200 bytes=-1 complete=0 events=CSHDEX tls=0x8008",
      ],
      [
        `GET\t${good}/truncated\tcp`,
        "ESP_ERR_HTTP_INCOMPLETE_DATA status=200 bytes=10 complete=0 events=CSHDEX tls=0x8008",
      ],
      [`GET\t${good}/silent\tcs`, "ESP_OK status=-1 bytes=-28679 complete=1 events=CSX tls=0x0"],
      [
        `GET\t${good}/silent\tcps`,
        "ESP_ERR_HTTP_EAGAIN status=-1 bytes=0 complete=1 events=CSX tls=0x0",
      ],
      [
        `GET\thttp://127.0.0.1:${plain}/\tn`,
        "ESP_OK status=200 bytes=5 complete=1 events=CSHDX tls=0x0",
      ],
      [`GET\t${good}/\tn`, "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=1 events=E tls=0x8017"],
      [`GET\t${good}/\tb`, `${UNTRUSTED.replace("0x2700", "0x3000")} flags=0xffffffff`],
      [`GET\t${foreign}/\tc`, `${UNTRUSTED} flags=0x8`],
      [`GET\t${renamed}/\tc`, `${UNTRUSTED} flags=0x4`],
      [`GET\t${good.replace("localhost", "127.0.0.1")}/\tc`, `${UNTRUSTED} flags=0x4`],
      [`GET\t${expired}/\tc`, `${UNTRUSTED} flags=0x1`],
      [`GET\t${mutual}/\tcm`, "ESP_OK status=200 bytes=2 complete=1 events=CSHDX tls=0x0"],
      [
        `GET\t${mutual}/\tc`,
        // The server hangs up behind its alert: on an instant network a write may be the first to notice.
        /^ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=1 events=E tls=0x801a stack=0x(7780|50) /,
      ],
      [
        `GET\thttps://localhost:${closed}/\tc`,
        "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=1 events=E tls=0x8004",
      ],
      [
        `GET\thttps://localhost:${plain}/\tc`,
        "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=1 events=E tls=0x801a stack=0x7200",
      ],
      [
        `GET\thttps://localhost:${mute}/\tch`,
        "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=1 events=E tls=0x8006",
      ],
      [
        "GET\thttps://name.invalid/\tc",
        "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=1 events=E tls=0x8001",
      ],
      [
        "GET\tftp://localhost/\tc",
        "ESP_ERR_HTTP_INVALID_TRANSPORT status=0 bytes=-1 complete=1 events=E tls=0x0",
      ],
      ["GET\thttps://a_b/\tc", "no client"],
      ["GET\t/path\tc", "no client"],
    ];
    const files = { TEST_CA: ca.certPem, TEST_CERT: client.certPem, TEST_KEY: client.keyPem };
    const env = { ...fileEnv(files), PROV_HOST_CLOCK: "real" };
    const program = startProgram("http_client", variant, { env });
    for (const [line, expected] of cases) {
      program.write(line);
      const result = await program.next(RESULT);
      const isExpected =
        typeof expected === "string" ? result.startsWith(expected) : expected.test(result);
      expect(isExpected ? expected : result, line).toBe(expected);
    }
    program.end();
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });

  test("takes certificates whose END and BEGIN share a line, as mbedTLS does", async () => {
    const { ca, foreignCa } = await pki();
    const { certPem, keyPem } = await localhostIdentity(ca);
    const server = createServer({ cert: certPem, key: keyPem }, (_, response) => {
      response.end("ok");
    });
    const url = `https://localhost:${await served(server)}/`;
    for (const glued of [foreignCa.certPem.trimEnd() + ca.certPem, `CA: ${ca.certPem}`]) {
      const env = { ...fileEnv({ TEST_CA: glued }), PROV_HOST_CLOCK: "real" };
      const program = startProgram("http_client", variant, { env });
      // The first try is the one before the station has an address.
      program.write(`GET\t${url}\tc`);
      program.write(`GET\t${url}\tc`);
      program.end();
      await program.next(RESULT);
      expect(await program.next(RESULT)).toContain("ESP_OK status=200 bytes=2");
      expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
    }
  });

  test("judges dates by the board's clock", async () => {
    const { ca } = await pki();
    const identity = await localhostIdentity(ca);
    const server = createServer({ cert: identity.certPem, key: identity.keyPem }, (_, response) => {
      response.end();
    });
    const url = `https://localhost:${await served(server)}/`;
    const program = startProgram("http_client", variant, { env: fileEnv({ TEST_CA: ca.certPem }) });
    program.write(`GET\t${url}\tc`);
    program.write(`GET\t${url}\tc`);
    program.end();
    await program.next(RESULT);
    expect(await program.next(RESULT)).toContain(`${UNTRUSTED} flags=0x200`);
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });
});

const RESULT = /^(ESP_\w+|UNKNOWN ERROR) status=|^no client/;
const UNTRUSTED =
  "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=1 events=E tls=0x801a stack=0x2700";

function respond(path: string, response: ServerResponse): void {
  switch (path) {
    case "/echo":
      response.writeHead(201).end("ok");
      break;
    case "/chunked":
      for (let i = 0; i < 100; i++) response.write("x".repeat(1000));
      response.end();
      break;
    case "/until-end":
      response.socket?.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${"y".repeat(3000)}`);
      break;
    case "/empty":
      response.writeHead(204).end();
      break;
    case "/redirect":
      response
        .writeHead(302, { Location: "https://elsewhere.invalid/", "Content-Length": 0 })
        .end();
      break;
    case "/truncated":
      response.writeHead(200, { "Content-Length": 20 });
      response.write("0123456789", () => response.socket?.end());
      break;
    case "/silent":
      break; // never answers
    default:
      response.end("ok");
  }
}
