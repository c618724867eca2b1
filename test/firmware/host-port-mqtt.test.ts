import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { connectAsync } from "mqtt";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startMosquitto } from "../../cli/lab/broker/mosquitto.js";
import { createFrameSplitter, PACKET } from "../../cli/lab/broker/mqtt-frames.js";
import { OPERATOR } from "../../cli/lab/broker/topic-rules.js";
import { createCa, issueCertificate } from "../../cli/lab/pki/ca.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { buildPrograms, fileEnv, startProgram, VARIANTS } from "../helpers/host-port.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
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

/**
 * A broker of a few lines, without TLS, that acknowledges no PUBLISH: what it sent too late would reset the connection
 * while it reads. For each connection it notes the types of all packets that came.
 */
async function plainBroker(): Promise<{ uri: string; seen: number[][] }> {
  const seen: number[][] = [];
  const uri = await tcpServer((socket) => {
    const types: number[] = [];
    const split = createFrameSplitter();
    seen.push(types);
    socket.on("data", (chunk: Buffer) => {
      for (const frame of split(chunk)) {
        types.push(frame.type);
        if (frame.type === PACKET.connect) socket.write(CONNACK);
        if (frame.type === PACKET.subscribe)
          socket.write(Buffer.from([0x90, 3, ...frame.bytes.subarray(2, 4), 1]));
      }
    });
  });
  return { uri, seen };
}

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

describe.each(VARIANTS)("esp-mqtt under %s", (variant) => {
  test("talks to mosquitto, and says goodbye when stopped", async () => {
    const keys = await pki();
    const broker = await mosquitto(keys);
    const env = environment(`mqtts://localhost:${broker.port}`, keys.ca.certPem, keys.device);
    const program = startProgram("mqtt", variant, { env });
    expect(await program.next(/^(connected|error)/)).toBe("connected, subscribing 1");
    await program.next(/^subscribed/);
    program.write("publish0");
    program.write("publish");
    expect(await program.next(/^publishing0/)).toBe("publishing0 0");
    // The client's own task may be heard before the one that publishes.
    const seen: string[] = [];
    while (seen.length < 3) seen.push(await program.next(/^(publishing |published|data)/));
    const [data, published, publishing] = seen.sort();
    const id = publishing?.split(" ")[1];
    expect([data, published]).toEqual(["data devices/dev1/cmd hello", `published ${id}`]);
    program.write("stop");
    expect(await program.next(/^(stop|disconnected|error)/)).toBe("stop ESP_OK");
    program.write("start");
    expect(await program.next(/^start/)).toBe("start ESP_OK");
    await program.next(/^subscribed/);
    program.end();
    const { status, lines, stderr } = await program.finished();
    expect([status, stderr]).toEqual([0, ""]);
    expect(lines.filter((line) => line.startsWith("published"))).toEqual([`published ${id}`]);
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
    const program = startProgram("mqtt", variant, { env });
    await program.next(/^subscribed/);
    const will = new Promise<string>((resolve) => {
      operator.once("message", (_topic, payload) => resolve(String(payload)));
    });
    program.write("leave");
    expect(await program.next(/^error/)).toBe(
      "error type=1 code=0 tls=0x0 stack=0x0 flags=0x0 errno=103",
    );
    await program.next(/^disconnected/);
    expect(await will).toBe("gone");
    program.write("reconnect");
    const seen = [];
    while (seen.length < 3) seen.push(await program.next(/^(reconnect|error|disconnected)/));
    expect(seen).toContain("reconnect ESP_OK");
    expect(seen.find((line) => line.startsWith("error"))).toContain("tls=0x8001"); // no network
    program.end();
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });

  test("puts DISCONNECT on the wire when it is stopped, also right behind a PUBLISH", async () => {
    const { uri, seen } = await plainBroker();
    const program = startProgram("mqtt", variant, { env: { TEST_URI: uri } });
    for (let round = 1; round <= 10; round++) {
      await program.next(/^subscribed/);
      program.write("publish");
      program.write("stop");
      expect(await program.next(/^stop/)).toBe("stop ESP_OK");
      program.write("start"); // which may be answered after the client is online already
    }
    await program.next(/^subscribed/);
    program.end();
    const { status, lines, stderr } = await program.finished();
    expect([status, stderr]).toEqual([0, ""]);
    expect(lines.filter((line) => line === "start ESP_OK")).toHaveLength(10);
    expect(seen.map((types) => types.at(-1))).toEqual(Array(11).fill(PACKET.disconnect));
    expect(seen.slice(0, 10).every((types) => types.includes(PACKET.publish))).toBe(true);
  });

  test("is stopped after a loss no sooner than it has waited out half of its pause", async () => {
    const losing = await tcpServer((socket) => {
      socket.once("data", () => socket.end(CONNACK));
    });
    const env = { TEST_URI: losing, TEST_RECONNECT_TIMEOUT_MS: "0" };
    const program = startProgram("mqtt", variant, { env });
    await program.next(/^disconnected/);
    const lostAt = performance.now();
    // By the time that all of these are answered, it has begun to wait.
    for (let round = 0; round < 50; round++) {
      program.write("publish0");
      expect(await program.next(/^publishing0/)).toBe("publishing0 -1");
    }
    program.write("stop");
    expect(await program.next(/^stop/)).toBe("stop ESP_OK");
    expect(performance.now() - lostAt).toBeGreaterThan(4_500); // of the 10 s that are esp-mqtt's default
    program.end();
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });

  test.each([
    ["another packet", "9003000100", ["disconnected"]],
    ["a reserved code", "20020006", ["error type=2 code=6 ", "disconnected"]],
    ["no MQTT", "ffffffffffffffff", ["disconnected"]],
    ["half a CONNACK, and FIN", "2002", ["error type=1 code=0 ", "disconnected"]],
  ])("takes %s for no CONNACK", async (_name, bytes, expected) => {
    const uri = await tcpServer((socket) => {
      socket.once("data", () => {
        socket.write(Buffer.from(bytes, "hex"));
        if (bytes.length === 4) socket.end();
      });
    });
    const program = startProgram("mqtt", variant, { env: { TEST_URI: uri } });
    for (const words of expected)
      expect(await program.next(/^(connected|error|disconnected)/)).toContain(words);
    program.end();
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  });

  test("maps every failure to the codes of the chip, ERROR before DISCONNECTED", async () => {
    const keys = await pki();
    const broker = await mosquitto(keys);
    const good = `mqtts://localhost:${broker.port}`;
    const { certPem } = keys.ca;
    const unset = { ...environment(good, certPem, keys.device), PROV_HOST_CLOCK: "unset" };
    const { TEST_CA: _, ...unpinned } = environment(good, certPem, keys.device);
    const other = (uri: string) => environment(uri, certPem, keys.device);
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

    const cases: [Record<string, string>, string][] = [
      [environment(good, keys.foreignCa.certPem, keys.device), `${UNTRUSTED} flags=0x8 errno=0`],
      [other(good.replace("localhost", "127.0.0.1")), `${UNTRUSTED} flags=0x4 errno=0`],
      [unset, `${UNTRUSTED} flags=0x200 errno=0`],
      [environment(good, certPem, keys.foreign), "error type=1 code=0 tls=0x801a stack=0x7780"],
      [unpinned, "error type=1 code=0 tls=0x8017 stack=0x0"],
      [other(`mqtts://localhost:${closed}`), "tls=0x8004 stack=0x0 flags=0x0 errno=111"],
      [other("mqtts://name.invalid"), "error type=1 code=0 tls=0x8001"],
      [other(refusing), "error type=2 code=5 tls=0x0 stack=0x0 flags=0x0 errno=0"],
      [other(hangingUp), "error type=1 code=0 tls=0x8008"],
      [short(mute), "disconnected"], // esp-mqtt has no error for a CONNACK that does not come
      [short(tls(mute)), "error type=1 code=0 tls=0x8006"],
      [other(tls(hangingUp)), "error type=1 code=0 tls=0x801a stack=0x7280"],
      [other(tls(notTls)), "error type=1 code=0 tls=0x801a stack=0x7200"],
    ];
    for (const [env, expected] of cases) {
      const program = startProgram("mqtt", variant, { env });
      const line = await program.next(/^(connected|error|disconnected)/);
      expect(`${env.TEST_URI} ${line}`).toContain(expected);
      if (line !== "disconnected")
        expect(await program.next(/^(connected|error|disconnected)/)).toBe("disconnected");
      program.end();
      expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
    }
  });
});
