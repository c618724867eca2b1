import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { buildPrograms, VARIANTS } from "../helpers/host-port.js";
import { longer } from "../helpers/longer.js";
import { accept, connected, ENDS, packetOf } from "../helpers/mqtt-client.js";

/* What esp-mqtt does by itself: it sends again, pings, waits and comes back. */

beforeAll(buildPrograms, longer(300_000));

const FIN = "error type=1 code=0 tls=0x8008 stack=0x0 flags=0x0 errno=0";

describe.each(VARIANTS)("esp-mqtt's sessions under %s", (variant) => {
  test("the oldest message without an acknowledgement is sent again, and only that", async () => {
    const { client, peer } = await connected(variant, { TEST_RETRANSMIT_MS: "100" });
    const oldest = Number(await client.ask("publish a 1", /^publishing/));
    const younger = Number(await client.ask("publish b 2", /^publishing/));
    expect(await peer.any()).toMatchObject({ messageId: oldest, dup: false, topic: "a" });
    expect(await packetOf(peer, younger)).toMatchObject({ dup: false, topic: "b" });
    for (let round = 0; round < 2; round++)
      expect(await peer.any()).toMatchObject({
        cmd: "publish",
        messageId: oldest,
        dup: true,
        topic: "a",
      });
    peer.send({ cmd: "puback", messageId: oldest });
    await client.next(/^published/);
    expect(await packetOf(peer, younger)).toMatchObject({ dup: true, qos: 2, topic: "b" });
    peer.send({ cmd: "pubrec", messageId: younger });
    // The answer, and the same again.
    for (let round = 0; round < 2; round++)
      expect(await peer.next("pubrel")).toMatchObject({ messageId: younger });
    peer.send({ cmd: "pubcomp", messageId: younger });
    expect(await client.next(/^published/)).toBe(`published ${younger}`);
    const request = Number(await client.ask("subscribe c 0", /^subscribing/));
    for (let round = 0; round < 2; round++)
      expect(await peer.next("subscribe")).toMatchObject({ messageId: request, dup: false });
    await client.end();
  });

  test("after a loss, what waited is sent, then what was not acknowledged, whatever the session", async () => {
    const { client, peer, connection } = await connected(variant, { TEST_RETRANSMIT_MS: "100" });
    const sent = Number(await client.ask("publish sent 1", /^publishing/));
    await peer.next("publish");
    peer.hangUp();
    expect([await client.next(ENDS), await client.next(ENDS)]).toEqual([FIN, "disconnected"]);
    const waiting = [
      Number(await client.ask("publish first 1", /^publishing/)),
      Number(await client.ask("publish second 2", /^publishing/)),
    ];
    expect(await client.ask("publish lost 0", /^publishing/)).toBe("-1");
    expect(await client.ask("subscribe lost 0", /^subscribing/)).toBe("-1");
    expect(await client.ask("reconnect", /^reconnect/)).toBe("ESP_OK");
    const again = await connection();
    await accept(again, false);
    for (const messageId of waiting)
      expect(await again.any()).toMatchObject({ cmd: "publish", messageId, dup: false });
    expect(await again.any()).toMatchObject({ topic: "sent", messageId: sent, dup: true });
    // A stop forgets them.
    client.write("stop");
    await again.next("disconnect");
    again.hangUp();
    await client.next(/^stop/);
    client.write("start");
    const fresh = await connection();
    await accept(fresh);
    await client.next(/^connected/);
    const next = Number(await client.ask("publish next 1", /^publishing/));
    expect(await fresh.any()).toMatchObject({ topic: "next", messageId: next, dup: false });
    await client.end();
  });

  test("the outbox takes no more than its limit, but QoS 0 needs no place there", async () => {
    const { client, peer } = await connected(variant, { TEST_OUTBOX_LIMIT: "100" });
    const kept = Number(await client.ask("publish t 1 0 80", /^publishing/));
    expect(await client.ask("publish t 1 0 80", /^publishing/)).toBe("-2");
    expect(await client.ask("publish t 0 0 80", /^publishing/)).toBe("0");
    peer.send({ cmd: "puback", messageId: kept });
    await client.next(/^published/);
    expect(await client.ask("publish t 1 0 80", /^publishing/)).toMatch(/^[1-9]/);
    await client.end();
  });

  test("whoever publishes does not wait for the client's own task", async () => {
    const { client, peer } = await connected(variant);
    const begin = performance.now();
    for (let round = 0; round < 30; round++) {
      await client.ask("publish t 0", /^publishing/);
      await peer.next("publish");
    }
    expect(performance.now() - begin).toBeLessThan(longer(10_000)); // it looks once a second
    await client.end();
  });

  test("pings at half of its keepalive, whatever else is said, and misses an answer at all of it", async () => {
    const { client, peer, connect } = await connected(variant, { TEST_KEEPALIVE_S: "4" });
    expect(connect.keepalive).toBe(4);
    const kinds: string[] = [];
    for (let pings = 0; pings < 2; ) {
      const { cmd } = await peer.any();
      kinds.push(cmd);
      if (cmd === "pingreq") {
        pings += 1;
        if (pings === 1) {
          peer.send({ cmd: "pingresp" });
          client.write("publish t 0");
        }
      }
    }
    expect(kinds).toEqual(["pingreq", "publish", "pingreq"]);
    const asked = performance.now();
    expect(await client.next(ENDS)).toBe("disconnected");
    expect(performance.now() - asked).toBeGreaterThan(1_000); // of the two seconds, looking once in each
    await client.end();
  });

  test("half a packet may take its time, but not stand still from one look to the next", async () => {
    const { client, peer } = await connected(variant);
    for (const byte of [0x30, 0x04, 0x00, 0x01, 0x74, 0x78]) {
      peer.sendBytes(Buffer.from([byte]));
      await delay(50);
    }
    expect(await client.next(/^(data|disconnected)/)).toMatch(/^data t .* 0\+1 of 1 /);
    peer.sendBytes(Buffer.from([0x30, 0x04, 0x00]));
    expect(await client.next(ENDS)).toBe("disconnected");
    await client.end();
  });

  test("says DISCONNECT when asked to, and comes back when asked to", async () => {
    const { client, peer, connection } = await connected(variant);
    expect(await client.ask("disconnect", /^disconnect /)).toBe("ESP_OK");
    expect((await peer.any()).cmd).toBe("disconnect");
    expect(await client.next(ENDS)).toBe("disconnected");
    expect(await client.ask("reconnect", /^reconnect/)).toBe("ESP_OK");
    await accept(await connection());
    await client.next(/^connected 0$/);
    expect(await client.ask("reconnect", /^reconnect/)).toBe("ESP_FAIL");
    await client.end();
  });

  test("comes back by itself where that is wanted; asked, without its pause", async () => {
    const env = { TEST_AUTO_RECONNECT: "1", TEST_RECONNECT_TIMEOUT_MS: "300" };
    const { client, peer, connection } = await connected(variant, env);
    peer.hangUp();
    await accept(await connection());
    const story = [FIN, "disconnected", "before", "connected 0"];
    for (const line of story) expect(await client.next(ENDS)).toBe(line);
    await client.end();

    const patient = await connected(variant, { ...env, TEST_RECONNECT_TIMEOUT_MS: "300000" });
    patient.peer.hangUp();
    await patient.client.next(/^disconnected/);
    expect(await patient.client.ask("reconnect", /^reconnect/)).toBe("ESP_OK");
    await accept(await patient.connection());
    await patient.client.next(/^connected/);
    await patient.client.end();
  });

  test("makes a new connection when it has had one for as long as it was told", async () => {
    const { client, connection } = await connected(variant, { TEST_REFRESH_MS: "300" });
    await accept(await connection());
    for (const line of ["disconnected", "before", "connected 0"])
      expect(await client.next(ENDS)).toBe(line);
    await client.end();
  });

  test("a lost network is told with the socket's errno, and looked for before a reconnection", async () => {
    const { client } = await connected(variant);
    client.write("leave");
    expect(await client.next(ENDS)).toBe(
      "error type=1 code=0 tls=0x0 stack=0x0 flags=0x0 errno=103",
    );
    expect(await client.next(ENDS)).toBe("disconnected");
    client.write("reconnect");
    expect(await client.next(/^error/)).toContain("tls=0x8001");
    await client.end();
  });

  test("an RST is told with the socket's errno, also to whoever publishes", async () => {
    const { client, peer } = await connected(variant);
    peer.hangUp("rst");
    expect(await client.next(ENDS)).toBe(
      "error type=1 code=0 tls=0x0 stack=0x0 flags=0x0 errno=104",
    );
    expect(await client.next(ENDS)).toBe("disconnected");
    expect(await client.ask("publish t 1", /^publishing/)).toMatch(/^[1-9]/);
    await client.end();
  });
});
