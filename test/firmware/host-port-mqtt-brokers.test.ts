import { connectAsync, type IClientPublishOptions, type MqttClient } from "mqtt";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildPrograms, VARIANTS } from "../helpers/host-port.js";
import { longer, WITH_ALL_BROKERS } from "../helpers/longer.js";
import { type Client, ENDS, startClient } from "../helpers/mqtt-client.js";
import { openAedes, openMochi, openMosquitto } from "../helpers/open-brokers.js";

/* The client at brokers that other people wrote: what they understand, keep and forward. */

beforeAll(buildPrograms, longer(600_000));

const BROKERS = [
  ["mosquitto", openMosquitto],
  ["aedes", openAedes],
  ...(WITH_ALL_BROKERS ? [["mochi", openMochi] as const] : []),
] as const;

interface Heard {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
}

/** Whoever hears everything, message by message. */
async function listener(uri: string): Promise<{ client: MqttClient; next(): Promise<Heard> }> {
  const client = await connectAsync(uri, { clientId: "listener" });
  onTestFinished(() => client.endAsync(true));
  const heard: Heard[] = [];
  let wake = (): void => {};
  client.on("message", (topic, payload, { qos }) => {
    heard.push({ topic, payload: String(payload), qos });
    wake();
  });
  await client.subscribeAsync("#", { qos: 2 });
  const next = async (): Promise<Heard> => {
    for (;;) {
      const message = heard.shift();
      if (message) return message;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return { client, next };
}

/** All pieces of the next message. @returns its first line, and how many bytes came */
async function wholeMessage(client: Client): Promise<{ line: string; size: number }> {
  const line = await client.next(/^data/);
  let size = 0;
  for (let piece = line; ; piece = await client.next(/^data/)) {
    const [, from, length, total] = (/(\d+)\+(\d+) of (\d+)/.exec(piece) ?? []).map(Number);
    expect(from).toBe(size);
    size += length ?? 0;
    if (size === total) return { line, size };
  }
}

describe.each(BROKERS)("esp-mqtt at %s", (_name, open) => {
  test.each(VARIANTS)("is understood, and understands, under %s", async (variant) => {
    const broker = await open();
    if (broker === undefined) return;
    const everything = await listener(broker.uri);
    const env = { TEST_URI: broker.uri, TEST_KEEP_SESSION: "1", TEST_BUFFER: "512" };
    const client = startClient(variant, env);
    await client.next(/^connected 0$/);
    client.write("subscribe own/# 2");
    await client.next(/^subscribed \d+ granted$/);

    for (const qos of [0, 1, 2]) {
      client.write(`publish own/${qos} ${qos}`);
      expect(await everything.next()).toEqual({ topic: `own/${qos}`, payload: "hello", qos });
      expect((await wholeMessage(client)).line).toContain(`own/${qos} qos=${qos} retain=0 dup=0`);
    }
    client.write("publish own/large 1 0 20000");
    expect((await everything.next()).payload).toHaveLength(20_000);
    expect((await wholeMessage(client)).size).toBe(20_000);

    const tell = (topic: string, text: string, options: IClientPublishOptions) =>
      everything.client.publishAsync(topic, text, options);
    for (const [text, qos] of [
      ["", 0],
      ["x", 1],
      ["y".repeat(600), 2],
      ["z".repeat(70_000), 1],
    ] as const) {
      await tell("own/told", text, { qos });
      const { line, size } = await wholeMessage(client);
      expect([size, line]).toEqual([text.length, expect.stringContaining(`own/told qos=${qos}`)]);
    }

    client.write("unsubscribe own/#");
    await client.next(/^unsubscribed/);
    await tell("own/unheard", "", { qos: 1 });
    client.write("subscribe later 1");
    await client.next(/^subscribed/);
    await tell("later", "", { qos: 1 });
    expect((await wholeMessage(client)).line).toContain("data later ");

    client.write("disconnect");
    await client.next(/^disconnected/);
    await tell("later", "kept", { qos: 1 });
    client.write("reconnect");
    await client.next(/^connected 1$/);
    // It was never sent before; mochi sets DUP all the same.
    expect((await wholeMessage(client)).line).toMatch(/^data later qos=1 retain=0 .* of 4 /);

    client.write("stop");
    await client.next(/^stop ESP_OK/);
    client.write("start");
    await client.next(/^connected 1$/);
    const second = await connectAsync(broker.uri, { clientId: "dev1", clean: false });
    onTestFinished(() => second.endAsync(true));
    expect(await client.next(ENDS)).toMatch(/^error type=1 code=0 (tls=0x8008|.* errno=104)/);
    expect(await client.next(ENDS)).toBe("disconnected");
    const lines = await client.end();
    expect(lines.filter((line) => line.startsWith("published"))).toHaveLength(3);
    expect(broker.log()).not.toMatch(/protocol error|malformed|packet too large|^Error/im);
  });

  test("its last will is published when it dies, and not when it says DISCONNECT", async () => {
    const broker = await open();
    if (broker === undefined) return;
    const everything = await listener(broker.uri);
    const [variant] = VARIANTS;
    const client = startClient(variant, { TEST_URI: broker.uri });
    await client.next(/^connected/);
    client.write("stop");
    await client.next(/^stop ESP_OK/);
    await everything.client.publishAsync("between", "", { qos: 1 });
    client.write("start");
    await client.next(/^connected/);
    client.kill("SIGKILL");
    expect((await everything.next()).topic).toBe("between");
    const will = { topic: "devices/dev1/status", payload: "gone", qos: 1 };
    expect(await everything.next()).toEqual(will);
  });
});
