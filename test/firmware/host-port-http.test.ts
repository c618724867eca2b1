import { once } from "node:events";
import { createServer as createHttpServer, type RequestOptions, request } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import { connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { findFreePort, listenOn } from "../../cli/lab/listen.js";
import { createCa, issueCertificate } from "../../cli/pki/ca.js";
import { buildPrograms, fileEnv, startProgram, VARIANTS } from "../helpers/host-port.js";

beforeAll(buildPrograms, 300_000);

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

/** One request on a connection of its own. */
async function call(url: string, options: RequestOptions = {}, body?: Buffer): Promise<Answer> {
  const outgoing = request(url, { agent: false, ...options });
  outgoing.end(body);
  const [response] = await once(outgoing, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const { statusCode: status, headers } = response;
  return { status, headers, body: Buffer.concat(chunks).toString() };
}

function post(url: string, body: Buffer): Promise<Answer> {
  return call(url, { method: "POST", headers: { "Content-Length": body.length } }, body);
}

describe.each(VARIANTS)("esp_http_server under %s", (variant) => {
  async function startServer() {
    const program = startProgram("http_server", variant);
    const ready = await program.next(/^ready/);
    expect(ready).toBe("ready 0 failures");
    return { program, url: await program.baseUrl() };
  }

  test("hands out bodies in pieces, up to what the handler takes", async () => {
    const { url } = await startServer();
    for (const size of [0, 1, 511, 512, 513, 4096]) {
      const body = Buffer.alloc(size, "x");
      const answer = await post(`${url}/echo`, body);
      expect([answer.status, answer.body.length]).toEqual([200, size]);
      expect(answer.headers["content-type"]).toBe("application/octet-stream");
    }
    for (const size of [4097, 65536, 65537, 10 * 1024 * 1024]) {
      const answer = await post(`${url}/echo`, Buffer.alloc(size));
      expect([answer.status, answer.body]).toEqual([413, "too large"]);
      expect(answer.headers.connection).toBe("close");
    }
  });

  test("answers a client that waits for 100-continue before it sends 10 MiB", async () => {
    const { url } = await startServer();
    const headers = { Expect: "100-continue", "Content-Length": 10 * 1024 * 1024 };
    const outgoing = request(`${url}/echo`, { agent: false, method: "POST", headers });
    outgoing.flushHeaders();
    outgoing.on("continue", () => outgoing.destroy(new Error("was told to go on")));
    const [response] = await once(outgoing, "response");
    expect(response.statusCode).toBe(413);
    outgoing.destroy();
  });

  test("has the limits and the error handlers of the chip", async () => {
    const { url } = await startServer();
    expect(await call(`${url}/nope`)).toMatchObject({ status: 404, body: "ours" });
    expect(await call(`${url}/show`, { method: "POST" })).toMatchObject({ status: 405 });
    const longest = `${url}/show?${"a".repeat(506)}`;
    expect(await call(longest)).toMatchObject({ status: 200 });
    expect(await call(`${longest}a`)).toMatchObject({ status: 414 });
    const headers = (length: number) => ({ headers: { "X-Long": "b".repeat(length) } });
    expect(await call(`${url}/show`, headers(1900))).toMatchObject({ status: 200 });
    expect(await call(`${url}/show`, headers(2048))).toMatchObject({ status: 431 });
    await expect(call(`${url}/fail`)).rejects.toThrow(/socket hang up|ECONNRESET/);
  });

  test("hands out the raw target and headers, and takes max_resp_headers", async () => {
    const { url } = await startServer();
    const answer = await call(`${url}/show?a=%20b`, { headers: { "X-Token": "1234567" } });
    expect(answer.body).toBe("/show?a=%20b ESP_OK 7");
    expect(answer.headers["x-more"]).toBe("1, 1, 1, 1, 1, 1, 1, 1");
    expect(answer.headers["content-type"]).toBe("text/html");
    const long = await call(`${url}/show`, { headers: { "X-Token": "12345678" } });
    expect(long.body).toBe("/show ESP_ERR_HTTPD_RESULT_TRUNC 8");
  });

  test("purges the connection least recently used when another one comes", async () => {
    const { url } = await startServer();
    const { port, hostname } = new URL(url);
    const idle: Socket[] = [];
    for (let i = 0; i < 3; i++) {
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      socket.write(`GET /show HTTP/1.1\r\nHost: a\r\n\r\n`);
      await once(socket, "data"); // it is known to the server, and idle
      idle.push(socket);
    }
    const purged = idle[0] && once(idle[0].resume(), "close");
    expect(await call(`${url}/show`)).toMatchObject({ status: 200 });
    await purged;
    for (const socket of idle) socket.destroy();
  });

  test("serves 200 requests at once", async () => {
    const { url } = await startServer();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => post(`${url}/echo`, Buffer.from(`body ${i}`))),
    );
    expect(answers.map((each) => each.body)).toEqual(answers.map((_, i) => `body ${i}`));
  });

  test("gives up on a body that stops coming", async () => {
    const { url } = await startServer();
    const outgoing = request(`${url}/echo`, {
      agent: false,
      method: "POST",
      headers: { "Content-Length": 100 },
    });
    outgoing.write("only this");
    const [error] = await once(outgoing, "error");
    expect(String(error)).toMatch(/socket hang up|ECONNRESET/);
    expect(await call(`${url}/show`)).toMatchObject({ status: 200 });
  });

  test("acts but does not answer when the air loses the reply", async () => {
    const { program, url } = await startServer();
    program.setAir({ networks: [], faults: { lose_replies: ["GET /show"] } });
    await expect(call(`${url}/show?x=1`)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await post(`${url}/echo`, Buffer.from("a"))).toMatchObject({ status: 200, body: "a" });
  });

  test("sends its last answer, then nobody reaches it", async () => {
    const { program, url } = await startServer();
    expect(await call(`${url}/down`)).toMatchObject({ status: 200, body: "bye" });
    expect(await program.next(/^down/)).toBe("down 0 failures");
    await expect(call(`${url}/show`)).rejects.toThrow(/ECONNREFUSED/);
    program.kill("SIGTERM");
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });
});

async function serve(server: Server): Promise<number> {
  onTestFinished(() => {
    server.close();
  });
  return listenOn(server);
}

async function pki() {
  const [ca, foreignCa] = await Promise.all([
    createCa({ commonName: "CA" }),
    createCa({ commonName: "CA" }),
  ]);
  const issue = (from: typeof ca, rest: object = {}) =>
    issueCertificate(from, {
      usage: "server",
      commonName: "localhost",
      dns: ["localhost"],
      ...rest,
    });
  const client = await issueCertificate(ca, { usage: "client", commonName: "dev1" });
  return { ca, foreignCa, issue, client };
}

describe.each(VARIANTS)("esp_http_client under %s", (variant) => {
  test("maps everything that can go wrong as the chip does", async () => {
    const { ca, foreignCa, issue, client } = await pki();
    const https = async (
      identity: { certPem: string; keyPem: string },
      more: ServerOptions = {},
    ) => {
      const options = { cert: identity.certPem, key: identity.keyPem, ...more };
      const server = createServer(options, (incoming, response) => {
        incoming.resume().on("end", () => respond(incoming.url ?? "", response));
      });
      return `https://localhost:${await serve(server)}`;
    };
    const day = 86_400_000;
    const good = await https(await issue(ca));
    const foreign = await https(await issue(foreignCa));
    const renamed = await https(await issue(ca, { dns: ["elsewhere.invalid"] }));
    const expired = await https(
      await issue(ca, {
        notBefore: new Date(Date.now() - 2 * day),
        notAfter: new Date(Date.now() - day),
      }),
    );
    const mutual = await https(await issue(ca), { requestCert: true, ca: ca.certPem });
    const plain = await serve(createHttpServer((_, response) => response.end("plain")));
    const mute = await serve(createTcpServer(() => {}));
    const closed = await findFreePort();

    const cases: [string, string][] = [
      // Before the station has an address.
      [`GET\t${good}/\tc`, "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=0 events=E tls=0x8001"],
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
      [`GET\t${good}/silent\tc`, "ESP_OK status=0 bytes=-28679 complete=0 events=CSX tls=0x0"],
      [
        `GET\t${good}/silent\tcp`,
        "ESP_ERR_HTTP_EAGAIN status=0 bytes=0 complete=0 events=CSX tls=0x0",
      ],
      [
        `GET\thttp://127.0.0.1:${plain}/\tn`,
        "ESP_OK status=200 bytes=5 complete=1 events=CSHDX tls=0x0",
      ],
      [`GET\t${good}/\tn`, "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=0 events=E tls=0x8017"],
      [`GET\t${good}/\tb`, `${UNTRUSTED} flags=0x8`],
      [`GET\t${foreign}/\tc`, `${UNTRUSTED} flags=0x8`],
      [`GET\t${renamed}/\tc`, `${UNTRUSTED} flags=0x4`],
      [`GET\t${good.replace("localhost", "127.0.0.1")}/\tc`, `${UNTRUSTED} flags=0x4`],
      [`GET\t${expired}/\tc`, `${UNTRUSTED} flags=0x1`],
      [`GET\t${mutual}/\tcm`, "ESP_OK status=200 bytes=2 complete=1 events=CSHDX tls=0x0"],
      [
        `GET\t${mutual}/\tc`,
        "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=0 events=E tls=0x801a stack=0x7780",
      ],
      [
        `GET\thttps://localhost:${closed}/\tc`,
        "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=0 events=E tls=0x8004",
      ],
      [
        `GET\thttps://localhost:${plain}/\tc`,
        "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=0 events=E tls=0x801a stack=0x7280",
      ],
      [
        `GET\thttps://localhost:${mute}/\tc`,
        "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=0 events=E tls=0x8006",
      ],
      [
        "GET\thttps://name.invalid/\tc",
        "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=0 events=E tls=0x8001",
      ],
      ["GET\tftp://localhost/\tc", "no client"],
    ];
    const files = { TEST_CA: ca.certPem, TEST_CERT: client.certPem, TEST_KEY: client.keyPem };
    const env = { ...fileEnv(files), PROV_HOST_CLOCK: "real" };
    const program = startProgram("http_client", variant, { env });
    for (const [line, expected] of cases) {
      program.write(line);
      expect(`${line} → ${await program.next(RESULT)}`).toContain(`${line} → ${expected}`);
    }
    program.end();
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });

  test("judges dates by the board's clock", async () => {
    const { ca, issue } = await pki();
    const identity = await issue(ca);
    const server = createServer({ cert: identity.certPem, key: identity.keyPem }, (_, response) => {
      response.end();
    });
    const url = `https://localhost:${await serve(server)}/`;
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
  "ESP_ERR_HTTP_CONNECT status=0 bytes=-1 complete=0 events=E tls=0x801a stack=0x2700";

function respond(path: string, response: import("node:http").ServerResponse): void {
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
