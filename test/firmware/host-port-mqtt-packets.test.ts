import { beforeAll, describe, expect, test } from "vitest";
import { buildPrograms, QUICK_VARIANTS } from "../helpers/host-port.js";
import { longer } from "../helpers/longer.js";
import { accept, connected, ENDS, packetOf, startClient } from "../helpers/mqtt-client.js";
import { plainBroker } from "../helpers/scripted-broker.js";

/* What the client sends is read by mqtt-packet, which throws at what is not MQTT 3.1.1. */

beforeAll(buildPrograms, longer(300_000));

/** What test/firmware/host-port/mqtt.c sends and says of bytes. */
const letters = (size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, (_, i) => 97 + (i % 26)));
const sumOf = (bytes: Buffer): number =>
  bytes.reduce((sum, byte) => (sum * 31 + byte) % 2 ** 32, 0);

describe.each(QUICK_VARIANTS)("esp-mqtt's packets under %s", (variant) => {
  test("CONNECT says all that was configured", async () => {
    const env = { TEST_USERNAME: "me", TEST_PASSWORD: "secret", TEST_KEEP_SESSION: "1" };
    const { client, connect } = await connected(variant, env);
    expect(connect).toMatchObject({
      ...{ protocolId: "MQTT", protocolVersion: 4, clientId: "dev1", clean: false, keepalive: 30 },
      will: { topic: "devices/dev1/status", payload: Buffer.from("gone"), qos: 1, retain: true },
      ...{ username: "me", password: Buffer.from("secret") },
    });
    await client.end();
  });

  test("one that does not fit into the buffer is not sent, and nothing is said", async () => {
    const { uri, connection } = await plainBroker();
    const client = startClient(variant, { TEST_URI: uri, TEST_OUT_BUFFER: "40" });
    await connection();
    expect([await client.next(ENDS), await client.next(ENDS)]).toEqual(["before", "disconnected"]);
    await client.end();
  });

  test("requests are acknowledged one by one, in any order", async () => {
    const { client, peer } = await connected(variant);
    const first = Number(await client.ask("subscribe a/# 1", /^subscribing/));
    const second = Number(await client.ask("subscribe b 2", /^subscribing/));
    expect(await peer.any()).toMatchObject({
      ...{ cmd: "subscribe", messageId: first, qos: 1, dup: false },
      subscriptions: [{ topic: "a/#", qos: 1 }],
    });
    await peer.next("subscribe");
    peer.send({ cmd: "suback", messageId: second, granted: [128] });
    peer.send({ cmd: "suback", messageId: second, granted: [2] });
    peer.send({ cmd: "suback", messageId: first, granted: [1] });
    expect(await client.next(/^subscribed/)).toBe(`subscribed ${second} failed`);
    expect(await client.next(/^subscribed/)).toBe(`subscribed ${first} granted`);
    const third = Number(await client.ask("unsubscribe b", /^unsubscribing/));
    expect(await peer.any()).toMatchObject({ unsubscriptions: ["b"], messageId: third });
    peer.send({ cmd: "unsuback", messageId: third, granted: [] });
    expect(await client.next(/^unsubscribed/)).toBe(`unsubscribed ${third}`);
    await client.end();
  });

  test("publishes with each QoS; its ids are its own", async () => {
    const { client, peer } = await connected(variant);
    expect(await client.ask("publish t 0", /^publishing/)).toBe("0");
    expect(await peer.any()).toMatchObject({ topic: "t", qos: 0, retain: false, dup: false });
    const once = Number(await client.ask("publish t 1 1", /^publishing/));
    expect(await peer.any()).toMatchObject({ qos: 1, retain: true, messageId: once });
    const exactly = Number(await client.ask("publish t 2", /^publishing/));
    expect(await peer.any()).toMatchObject({ qos: 2, messageId: exactly });
    peer.send({ cmd: "puback", messageId: once === 1 ? 2 : once - 1 }); // nobody's
    for (const cmd of ["pubrec", "pubcomp"] as const) {
      peer.send({ cmd, messageId: exactly });
      if (cmd === "pubrec")
        expect(await peer.any()).toMatchObject({ cmd: "pubrel", messageId: exactly });
    }
    peer.send({ cmd: "puback", messageId: once });
    expect(await client.next(/^published/)).toBe(`published ${exactly}`);
    expect(await client.next(/^published/)).toBe(`published ${once}`);
    await client.end();
  });

  test("acknowledges what it is sent, as it was sent", async () => {
    const { client, peer } = await connected(variant);
    const payload = Buffer.from("hi");
    const tell = (qos: 0 | 1 | 2, messageId: number, retain: boolean, dup: boolean) =>
      peer.send({
        cmd: "publish",
        topic: "t/x",
        payload,
        qos,
        retain,
        dup,
        ...(qos > 0 ? { messageId } : {}),
      });
    const rest = `0+2 of 2 sum=${sumOf(payload)}`;
    tell(0, 0, true, false);
    expect(await client.next(/^data/)).toBe(`data t/x qos=0 retain=1 dup=0 id=0 ${rest}`);
    tell(1, 65535, false, true);
    expect(await client.next(/^data/)).toBe(`data t/x qos=1 retain=0 dup=1 id=65535 ${rest}`);
    expect(await peer.any()).toMatchObject({ cmd: "puback", messageId: 65535 });
    tell(2, 7, false, false);
    expect(await client.next(/^data/)).toBe(`data t/x qos=2 retain=0 dup=0 id=7 ${rest}`);
    expect(await peer.any()).toMatchObject({ cmd: "pubrec", messageId: 7 });
    peer.send({ cmd: "pubrel", messageId: 7 });
    expect(await peer.any()).toMatchObject({ cmd: "pubcomp", messageId: 7 });
    await client.end();
  });

  test("a message that is larger than the buffer goes out whole, and once more", async () => {
    const env = { TEST_OUT_BUFFER: "128", TEST_RETRANSMIT_MS: "100" };
    const { client, peer } = await connected(variant, env);
    const sizes = [5_000, 40_000];
    for (const size of sizes) {
      const messageId = Number(await client.ask(`publish large 1 0 ${size}`, /^publishing/));
      for (const dup of [false, true])
        expect(await packetOf(peer, messageId)).toMatchObject({
          topic: "large",
          dup,
          payload: letters(size),
        });
      peer.send({ cmd: "puback", messageId });
      await client.next(/^published/);
    }
    expect(await client.ask(`publish ${"t".repeat(122)} 0`, /^publishing/)).toBe("-1");
    expect(await client.ask(`publish ${"t".repeat(121)} 0`, /^publishing/)).toBe("0");
    await client.end();
  });

  test("one that comes and is larger than the buffer arrives in pieces, its topic with the first", async () => {
    const { client, peer } = await connected(variant, { TEST_BUFFER: "128" });
    const payload = letters(3_000);
    peer.send({
      cmd: "publish",
      topic: "large",
      payload,
      qos: 1,
      messageId: 9,
      retain: false,
      dup: false,
    });
    let at = 0;
    while (at < payload.length) {
      const line = await client.next(/^data/);
      const [, from, size] = /(\d+)\+(\d+) of 3000/.exec(line) ?? [];
      expect([line.startsWith(at === 0 ? "data large " : "data  "), Number(from)]).toEqual([
        true,
        at,
      ]);
      const piece = payload.subarray(at, at + Number(size));
      expect([line, piece.length <= 128]).toEqual([
        expect.stringMatching(`sum=${sumOf(piece)}$`),
        true,
      ]);
      at += piece.length;
    }
    expect(await peer.any()).toMatchObject({ cmd: "puback", messageId: 9 });
    await client.end();
  });

  test("many messages in pieces of any size are all understood", async () => {
    const { client, peer } = await connected(variant);
    const topics = Array.from({ length: 60 }, (_, i) => "t".repeat(1 + ((i * 7) % 90)));
    for (const [i, topic] of topics.entries()) {
      const payload = letters((i * 13) % 700);
      peer.send({
        cmd: "publish",
        topic,
        payload,
        qos: 1,
        messageId: i + 1,
        retain: i % 2 === 0,
        dup: false,
      });
      expect(await client.next(/^data/)).toBe(
        `data ${topic} qos=1 retain=${i % 2 === 0 ? 1 : 0} dup=0 id=${i + 1} 0+${payload.length} of ${payload.length} sum=${sumOf(payload)}`,
      );
      expect(await peer.any()).toMatchObject({ cmd: "puback", messageId: i + 1 });
    }
    await client.end();
  });

  test.each([
    ["flags that a PUBACK has not", "42020001", true],
    ["QoS 3", "36050001740001", true],
    ["DUP with QoS 0", "380400017461", true],
    ["a PUBREL without its flag", "60020001", true],
    ["a reserved type", "f000", true],
    ["type 0", "0000", true],
    ["an acknowledgement that is larger than the buffer", "4080800400", true],
    ["a length of five bytes", "30ffffffff01", false],
    ["a PUBLISH without topic and data", "30020000", false],
    ["a topic that is longer than its PUBLISH", "300400096162", false],
  ])("ends the connection at %s", async (_name, bytes, isTold) => {
    const { client, peer } = await connected(variant);
    peer.sendBytes(Buffer.from(bytes, "hex"));
    const told = ["error type=1 code=0 tls=0x0 stack=0x0 flags=0x0 errno=0", "disconnected"];
    for (const line of isTold ? told : told.slice(1)) expect(await client.next(ENDS)).toBe(line);
    await client.end();
  });

  test("what it did not ask for changes nothing", async () => {
    const { client, peer } = await connected(variant);
    const odd =
      "20020005 8206000100016101 c000 d000 e000 4000 40020001 50020001 b0020001 9003000101 9000";
    peer.sendBytes(Buffer.from(odd.replaceAll(" ", ""), "hex"));
    peer.send({ cmd: "publish", topic: "t", payload: "x", qos: 0, retain: false, dup: false });
    expect(await client.next(/^(data|error|disconnected|connected|subscribed|published)/)).toMatch(
      /^data t /,
    );
    await client.end();
  });

  test.each([[1, 2, 3, 4, 5, 6, 255]])(
    "a CONNACK that refuses is told with its code",
    async (...codes) => {
      const { uri, connection } = await plainBroker();
      const client = startClient(variant, { TEST_URI: uri });
      for (const code of codes) {
        const peer = await connection();
        await peer.next("connect");
        peer.sendBytes(Buffer.from([0x20, 2, 0, code]));
        await client.next(/^before/);
        expect(await client.next(ENDS)).toBe(
          `error type=2 code=${code} tls=0x0 stack=0x0 flags=0x0 errno=0`,
        );
        expect(await client.next(ENDS)).toBe("disconnected");
        client.write("reconnect");
      }
      await accept(await connection(), true);
      await client.next(/^connected 1$/);
      await client.end();
    },
  );

  test.each([
    ["another packet", "9003000100", ["disconnected"]],
    ["a CONNACK without a code", "200100", ["disconnected"]],
    ["one that is too long", "2003000000", ["connected 0"]],
    ["no MQTT", "48545450", ["error type=1 code=0 tls=0x0 ", "disconnected"]],
    ["half of it, and FIN", "2002", ["error type=1 code=0 tls=0x8008 ", "disconnected"]],
    ["half of it, and no more", "200200", ["disconnected"]],
    ["nothing", "", ["disconnected"]],
  ])("takes %s for the answer that it is", async (name, bytes, expected) => {
    const { uri, connection } = await plainBroker();
    const isMute = name.includes("no more") || name === "nothing";
    const client = startClient(variant, {
      ...{ TEST_URI: uri, TEST_NETWORK_TIMEOUT_MS: isMute ? "1000" : "300000" },
    });
    const peer = await connection();
    await peer.next("connect");
    peer.sendBytes(Buffer.from(bytes, "hex"));
    if (name.includes("FIN")) peer.hangUp();
    await client.next(/^before/);
    for (const words of expected) expect(await client.next(ENDS)).toContain(words);
    await client.end();
  });
});
