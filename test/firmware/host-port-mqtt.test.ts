import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { connectAsync } from "mqtt";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startMosquitto } from "../../cli/lab/broker/mosquitto.js";
import { OPERATOR } from "../../cli/lab/broker/topic-rules.js";
import { createCa, issueCertificate } from "../../cli/lab/pki/ca.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { buildPrograms, fileEnv, VARIANTS } from "../helpers/host-port.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer } from "../helpers/longer.js";
import { accept, startClient } from "../helpers/mqtt-client.js";
import { temporaryDir } from "../helpers/project.js";
import { plainBroker } from "../helpers/scripted-broker.js";
import { served } from "../helpers/served.js";

beforeAll(buildPrograms, longer(300_000));

const UNTRUSTED = "error type=1 code=0 tls=0x801a stack=0x2700";

async function pki() {
  const [ca, foreignCa] = await Promise.all([
    createCa({ commonName: "CA" }),
    createCa({ commonName: "CA" }),
  ]);
  const server = await localhostIdentity(ca);
  const device = await issueCertificate(ca, { usage: "client", commonName: "dev1" });
  const foreign = await issueCertificate(foreignCa, { usage: "client", commonName: "dev1" });
  const operator = await issueCertificate(ca, { usage: "client", commonName: OPERATOR });
  return { ca, foreignCa, server, device, foreign, operator };
}

async function mosquitto(keys: Awaited<ReturnType<typeof pki>>) {
  const broker = await startMosquitto(temporaryDir(), {
    caPem: keys.ca.certPem,
    server: keys.server,
  });
  onTestFinished(() => broker.stop());
  return broker;
}

function environment(
  uri: string,
  ca: string,
  client: { certPem: string; keyPem: string },
): Record<string, string> {
  const files = { TEST_CA: ca, TEST_CERT: client.certPem, TEST_KEY: client.keyPem };
  return { ...fileEnv(files), TEST_URI: uri, PROV_HOST_CLOCK: "real" };
}

/** A server without TLS that does `act` with each connection. */
async function tcpServer(act: (socket: Socket) => void): Promise<string> {
  const server: Server = createTcpServer((socket) => {
    socket.on("error", () => {});
    act(socket);
  });
  return `mqtt://localhost:${await served(server)}`;
}

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

describe.each(VARIANTS)("esp-mqtt under %s", (variant) => {
  test("talks to mosquitto, and says goodbye when stopped", async () => {
    const keys = await pki();
    const broker = await mosquitto(keys);
    const env = environment(`mqtts://localhost:${broker.port}`, keys.ca.certPem, keys.device);
    const client = startClient(variant, env);
    expect(await client.next(/^(connected|error)/)).toBe("connected 0");
    const topic = "devices/dev1/cmd";
    client.write(`subscribe ${topic} 1`);
    await client.next(/^subscribed/);
    expect(await client.ask("publish devices/dev1/x 0", /^publishing/)).toBe("0");
    client.write(`publish ${topic} 1`);
    // The client's own task may be heard before the one that publishes.
    const seen: string[] = [];
    while (seen.length < 3) seen.push(await client.next(/^(publishing|published|data)/));
    const [data, published, publishing] = seen.sort();
    expect(data).toMatch(`data ${topic} qos=1 retain=0 dup=0 `);
    expect(published).toBe(publishing?.replace("publishing", "published"));
    expect(await client.ask("stop", /^(stop|disconnected|error)/)).toBe("ESP_OK");
    expect(await client.ask("start", /^start/)).toBe("ESP_OK");
    const lines = await client.end();
    expect(lines.filter((line) => line.startsWith("published"))).toEqual([published]);
  });

  test("a lost network is an error, and the broker publishes the last will", async () => {
    const keys = await pki();
    const broker = await mosquitto(keys);
    const operator = await connectAsync(`mqtts://localhost:${broker.port}`, {
      ca: keys.ca.certPem,
      cert: keys.operator.certPem,
      key: keys.operator.keyPem,
      clientId: OPERATOR,
    });
    onTestFinished(() => operator.endAsync(true));
    await operator.subscribeAsync("devices/+/status", { qos: 1 });
    const env = environment(`mqtts://localhost:${broker.port}`, keys.ca.certPem, keys.device);
    const client = startClient(variant, env);
    await client.next(/^connected/);
    const will = new Promise<string>((resolve) => {
      operator.once("message", (_topic, payload) => resolve(String(payload)));
    });
    client.write("leave");
    expect(await client.next(/^error/)).toBe(
      "error type=1 code=0 tls=0x0 stack=0x4c flags=0x0 errno=0",
    );
    await client.next(/^disconnected/);
    expect(await will).toBe("gone");
    client.write("reconnect");
    expect(await client.next(/^error/)).toContain("tls=0x8001"); // no network
    expect(await client.end()).toContain("reconnect ESP_OK");
  });

  test("puts DISCONNECT on the wire when it is stopped, also right behind a PUBLISH", async () => {
    // Nothing is acknowledged: what came too late would reset the connection while the broker reads.
    const { uri, connection } = await plainBroker();
    const client = startClient(variant, { TEST_URI: uri });
    for (let round = 1; round <= 10; round++) {
      const peer = await connection();
      await accept(peer);
      await client.next(/^connected/);
      client.write("publish t 1");
      client.write("stop");
      expect([(await peer.any()).cmd, (await peer.any()).cmd]).toEqual(["publish", "disconnect"]);
      peer.hangUp(); // as a broker must, and without it the client's task looks up a second later
      expect(await client.next(/^stop/)).toBe("stop ESP_OK");
      client.write("start");
    }
    await accept(await connection());
    const lines = await client.end();
    expect(lines.filter((line) => line === "start ESP_OK")).toHaveLength(10);
    expect(lines.filter((line) => /^(error|disconnected)/.test(line))).toEqual([]);
  });

  test("is stopped after a loss no sooner than it has waited out half of its pause", async () => {
    const losing = await tcpServer((socket) => {
      socket.once("data", () => socket.end(CONNACK));
    });
    const client = startClient(variant, { TEST_URI: losing, TEST_RECONNECT_TIMEOUT_MS: "0" });
    await client.next(/^disconnected/);
    const lostAt = performance.now();
    // By the time that all of these are answered, it has begun to wait.
    for (let round = 0; round < 50; round++)
      expect(await client.ask("publish t 0", /^publishing/)).toBe("-1");
    expect(await client.ask("stop", /^stop/)).toBe("ESP_OK");
    expect(performance.now() - lostAt).toBeGreaterThan(4_500); // of the 10 s that are esp-mqtt's default
    await client.end();
  });

  test("is stopped while it connects only when that is over", async () => {
    const mute = await tcpServer(() => {});
    const client = startClient(variant, { TEST_URI: mute, TEST_NETWORK_TIMEOUT_MS: "1500" });
    await client.next(/^before/);
    client.write("publish t 1");
    client.write("stop");
    // Both want the lock that the client's task has: the one gets it in the pause after the attempt.
    expect(await client.next(/^(disconnected|publishing|stop)/)).toBe("disconnected");
    expect(await client.next(/^(publishing|stop)/)).toMatch(/^publishing [1-9]/);
    expect(await client.next(/^stop/)).toBe("stop ESP_OK");
    await client.end();
  });

  test("there is none for a URI that is none, nor with certificates for a connection without TLS", async () => {
    const keys = await pki();
    const pinned = environment("mqtt://localhost", keys.ca.certPem, keys.device);
    const uris = [
      "",
      "localhost",
      "http://localhost",
      "mqtts://",
      "mqtts://a:65536",
      "mqtts://a_b",
      "mqtts://a b",
    ];
    for (const env of [pinned, ...uris.map((uri) => ({ TEST_URI: uri }))]) {
      const client = startClient(variant, env);
      expect([env.TEST_URI, await client.next(/^(no client|before)/)]).toEqual([
        env.TEST_URI,
        "no client",
      ]);
      await client.end();
    }
  });

  test("maps every failure to the codes of the chip, ERROR before DISCONNECTED", async () => {
    const keys = await pki();
    const broker = await mosquitto(keys);
    const good = `mqtts://localhost:${broker.port}`;
    const { certPem } = keys.ca;
    const unset = { ...environment(good, certPem, keys.device), PROV_HOST_CLOCK: "unset" };
    const { TEST_CA: _, ...unpinned } = environment(good, certPem, keys.device);
    const other = (uri: string) => environment(uri, certPem, keys.device);
    const plain = (uri: string) => ({ TEST_URI: uri });
    const short = (uri: string) => ({ ...other(uri), TEST_NETWORK_TIMEOUT_MS: "2000" });
    const closed = await findFreePort();
    const refusing = await tcpServer((socket) => {
      socket.once("data", () => socket.end(Buffer.from([0x20, 2, 0, 5])));
    });
    const hangingUp = await tcpServer((socket) => {
      socket.once("data", () => socket.end());
    });
    const mute = await tcpServer(() => {});
    const notTls = await tcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const tls = (uri: string) => uri.replace("mqtt:", "mqtts:");

    const cases: [Record<string, string>, string | RegExp][] = [
      [environment(good, keys.foreignCa.certPem, keys.device), `${UNTRUSTED} flags=0x8 errno=0`],
      [other(good.replace("localhost", "127.0.0.1")), `${UNTRUSTED} flags=0x4 errno=0`],
      [unset, `${UNTRUSTED} flags=0x200 errno=0`],
      // Its alert, or the end of the connection where the device was still speaking.
      [
        environment(good, certPem, keys.foreign),
        /error type=1 code=0 tls=0x801a stack=0x(7780|50|4e) flags=0x0/,
      ],
      [unpinned, "error type=1 code=0 tls=0x8017 stack=0x0"],
      [other(`mqtts://localhost:${closed}`), "tls=0x8004 stack=0x0 flags=0x0 errno=104"],
      [other("mqtts://name.invalid"), "error type=1 code=0 tls=0x8001"],
      [plain(refusing), "error type=2 code=5 tls=0x0 stack=0x0 flags=0x0 errno=0"],
      [plain(hangingUp), "error type=1 code=0 tls=0x8008"],
      [{ ...plain(mute), TEST_NETWORK_TIMEOUT_MS: "2000" }, "disconnected"], // esp-mqtt has no error for a CONNACK that does not come
      [short(tls(mute)), "error type=1 code=0 tls=0x8006"],
      [other(tls(hangingUp)), "error type=1 code=0 tls=0x801a stack=0x7280"],
      [other(tls(notTls)), "error type=1 code=0 tls=0x801a stack=0x7200"],
    ];
    for (const [env, expected] of cases) {
      const client = startClient(variant, env);
      const line = await client.next(/^(connected|error|disconnected)/);
      expect(`${env.TEST_URI} ${line}`).toMatch(expected);
      if (line !== "disconnected")
        expect(await client.next(/^(connected|error|disconnected)/)).toBe("disconnected");
      await client.end();
    }
  });
});
