import { once } from "node:events";
import { existsSync, watch } from "node:fs";
import { type RequestOptions, request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildPrograms, startProgram, VARIANTS } from "../helpers/host-port.js";
import { longer } from "../helpers/longer.js";
import { answerOf, type RawClient, rawClient } from "../helpers/raw-http.js";

beforeAll(buildPrograms, longer(300_000));

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
  outgoing.on("error", () => {}); // who has answered need not take the rest of a body
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const { statusCode: status, headers } = response;
  return { status, headers, body: Buffer.concat(chunks).toString() };
}

function post(url: string, body: Buffer): Promise<Answer> {
  return call(url, { method: "POST", headers: { "Content-Length": body.length } }, body);
}

/** Whose request is slower than the next connections is purged before it has come, and comes again. */
async function postUntilAnswered(url: string, body: Buffer): Promise<Answer> {
  for (;;) {
    try {
      return await post(url, body);
    } catch (error) {
      if (!/socket hang up|ECONNRESET/.test(String(error))) throw error;
    }
  }
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
    }
  });

  test("calls no handler for a client that waits for 100-continue before it sends its body", async () => {
    const { url } = await startServer();
    const headers = { Expect: "100-continue", "Content-Length": 10 * 1024 * 1024 };
    const outgoing = request(`${url}/echo`, { agent: false, method: "POST", headers });
    outgoing.flushHeaders();
    outgoing.on("continue", () => outgoing.destroy(new Error("was told to go on")));
    const [response] = await once(outgoing, "response");
    expect(response.statusCode).toBe(408);
    outgoing.destroy();
  });

  test("has the limits and the error handlers of the chip", async () => {
    const { url } = await startServer();
    expect(await call(`${url}/nope`)).toMatchObject({ status: 404, body: "ours" });
    expect(await call(`${url}/show`, { method: "POST" })).toMatchObject({ status: 405 });
    // What comes before the first header's name is read into max_uri_len bytes.
    const longest = `${url}/show?${"a".repeat(490)}`;
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
      Array.from({ length: 200 }, (_, i) =>
        postUntilAnswered(`${url}/echo`, Buffer.from(`body ${i}`)),
      ),
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

  test("vanishes while the station connects when the air says so, and comes back", async () => {
    const { program, url } = await startServer();
    const open = { ssid: "Open", psk: null, rssi: -50, channel: 6, auth: "open" } as const;
    const faults = { reject_reason: 5 };
    program.setAir({ networks: [{ ...open, faults }], faults: { ap_vanish_on_connect: true } });
    const announcement = join(program.airDir, "aps", "246f28aabb01.json");
    const gone = new Promise<void>((resolve) => {
      const watcher = watch(join(program.airDir, "aps"), () => {
        if (!existsSync(announcement)) resolve();
      });
      onTestFinished(() => watcher.close());
    });
    expect(await call(`${url}/join`)).toMatchObject({ status: 200, body: "joining" });
    await gone;
    expect(await call(`${await program.baseUrl()}/show`)).toMatchObject({ status: 200 });
  });

  test("serves nobody who came before it was bound to the SoftAP, however late he is let in; then everybody, and nobody for long", async () => {
    const program = startProgram("http_window", variant);
    await program.next(/^ready/);
    const url = await program.baseUrl();
    const arrive = async () => {
      const client = rawClient(url);
      await once(client.socket, "connect");
      return client;
    };
    const ask = async ({ socket, closed }: RawClient) => {
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      return Promise.race([closed, once(socket, "data").then(([data]) => String(data))]);
    };
    const unheard = expect.objectContaining({ status: 0 });
    expect(await ask(await arrive())).toEqual(unheard);
    const early = await arrive();
    program.write("stand");
    await program.next(/^stands/);
    const waiting = [await arrive(), await arrive(), await arrive()];
    program.write("bind");
    await program.next(/^bound/);
    program.write("go");
    for (const client of [early, ...waiting]) expect(await ask(client)).toEqual(unheard);
    // Each of the server's rounds lets in one at most, so no more than ADMIT_ROUNDS are still turned away.
    let answer = await ask(await arrive());
    for (let refused = 1; typeof answer !== "string" && refused < 12; refused++) {
      expect(answer).toEqual(unheard);
      answer = await ask(await arrive());
    }
    expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
    const idle = await arrive();
    idle.socket.pause();
    idle.socket.write("GET /much HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await program.next(/^gives up/)).toContain("RESP_SEND");
    idle.socket.destroy();
    expect(await ask(await arrive())).toMatch(/^HTTP\/1.1 200 OK/);
    program.write("refuse");
    await program.next(/^refuses/);
    expect(await ask(await arrive())).toEqual(unheard);
    program.end();
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });

  test("lets twenty idle connections harm nobody, and one that drips its header hold up everybody", async () => {
    const program = startProgram("http_inputs", variant);
    const url = await program.baseUrl();
    const arrive = async () => {
      const client = rawClient(url);
      await once(client.socket, "connect");
      return client;
    };
    // ESP-IDF has seven sockets for clients, and whoever was heard least recently makes room.
    const idle = await Promise.all(Array.from({ length: 20 }, arrive));
    let purged = 0;
    const isRoomMade = new Promise<void>((resolve) => {
      const count = () => {
        purged += 1;
        if (purged === 14) resolve();
      };
      for (const { closed } of idle) closed.then(count);
    });
    expect((await call(`${url}/status`)).status).toBe(200);
    await isRoomMade;
    expect((await call(`${url}/status`)).status).toBe(200);
    expect(purged).toBe(14);

    const dripping = await arrive();
    const { socket, closed } = dripping;
    socket.write("GET /first HTTP/1.1\r\nX: ");
    const order: string[] = [];
    const first = answerOf(dripping).then(({ status, body }) => order.push(`${status} ${body}`));
    const others = Array.from({ length: 5 }, () =>
      call(`${url}/other`).then(({ status }) => order.push(`other ${status}`)),
    );
    for (let drips = 0; drips < 20; drips++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.write("x");
    }
    expect(order).toEqual([]);
    socket.write("\r\n\r\n");
    await Promise.all([first, ...others]);
    expect(order[0]).toMatch(/^200 [^ ]+ \/first /);
    expect(order.slice(1)).toEqual(others.map(() => "other 200"));
    socket.destroy();
    await closed;
  });

  test("sends its last answer, then nobody reaches it", async () => {
    const { program, url } = await startServer();
    expect(await call(`${url}/down`)).toMatchObject({ status: 200, body: "bye" });
    expect(await program.next(/^down/)).toBe("down 0 failures");
    await expect(call(`${url}/show`)).rejects.toThrow(/ECONNREFUSED/);
    program.kill("SIGTERM");
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });

  test("is not harmed when malformed requests meet the closing of the AP", async () => {
    const { program, url } = await startServer();
    const malformed = [
      "GET / HTTP/9.9\r\n\r\n",
      "\x00\xff",
      "GET /a\tb",
      "POST / HTTP/1.1\r\nHost : a\r\n",
    ];
    const clients = Array.from({ length: 40 }, (_, i) => {
      const client = rawClient(url);
      client.socket.on("connect", () => client.socket.write(malformed[i % 4] ?? "", "latin1"));
      return client;
    });
    const down = call(`${url}/down`).catch(() => undefined);
    const more = setInterval(() => {
      for (const [i, { socket }] of clients.entries())
        if (!socket.destroyed) socket.write(malformed[(i + 1) % 4] ?? "", "latin1");
    }, 5);
    await program.next(/^down/);
    await down;
    clearInterval(more);
    for (const { socket } of clients) socket.destroy();
    program.kill("SIGTERM");
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });
});
