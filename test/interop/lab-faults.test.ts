import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type LabBroker, startEmbeddedBroker } from "../../cli/lab/broker/broker.js";
import { startMosquitto } from "../../cli/lab/broker/mosquitto.js";
import type { LabEvent } from "../../cli/lab/events.js";
import { type LabAuthority, openAuthority } from "../../cli/lab/pki/authority.js";
import { issueCertificate } from "../../cli/lab/pki/ca.js";
import type { HandshakeFlaw } from "../../cli/lab/server/server-identity.js";
import { createStream, type Stream } from "../../cli/lab/stream.js";
import { temporaryDir } from "../helpers/project.js";
import { type Outcome, run } from "../helpers/prov.js";

/* What the lab's brokers do wrong when they are told to, as clients see it that nobody here wrote. */

let dir: string;
let authority: LabAuthority;

beforeAll(async () => {
  dir = temporaryDir();
  authority = await openAuthority(join(dir, "ca"));
  await identity("dev-1");
  await identity("dev-2");
  save("operator", await authority.issueOperator());
});

async function identity(name: string): Promise<void> {
  const keyPem = readFileSync(join(dir, "ca", "ca-key.pem"), "utf8");
  const ca = { certPem: authority.caPem, keyPem };
  save(name, await issueCertificate(ca, { usage: "client", commonName: name }));
}

function save(name: string, { certPem, keyPem }: { certPem: string; keyPem: string }): void {
  writeFileSync(join(dir, `${name}.crt`), certPem);
  writeFileSync(join(dir, `${name}.key`), keyPem, { mode: 0o600 });
}

function clientArgs(port: number, name: string): string[] {
  return [
    ...["-h", "127.0.0.1", "-p", String(port), "--cafile", join(dir, "ca", "ca.pem")],
    ...["--cert", join(dir, `${name}.crt`), "--key", join(dir, `${name}.key`)],
    ...(name === "operator" ? [] : ["-i", name]),
  ];
}

const topicOf = (name: string) => `devices/${name}/log`;

function publish(port: number, name: string, text: string, more: string[] = []): Promise<Outcome> {
  const args = ["-q", "1", "-t", topicOf(name), "-m", text, ...more];
  return run("mosquitto_pub", [...clientArgs(port, name), ...args]);
}

/** What the operator hears of a device until it has heard `text`: retained or not, and the text. */
async function heardUntil(port: number, name: string, text: string, act = async () => {}) {
  const args = [
    ...clientArgs(port, "operator"),
    "-q",
    "1",
    "-t",
    topicOf(name),
    "-F",
    "%r %p",
    "-d",
  ];
  const child = spawn("stdbuf", ["-oL", "mosquitto_sub", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(child, "exit");
  const heard: string[] = [];
  let isReady = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!isReady && /^Subscribed \(mid|SUBACK/.test(line)) {
      isReady = true;
      await act();
    }
    if (/^[01] /.test(line)) heard.push(line);
    if (line.endsWith(` ${text}`)) break;
  }
  child.kill();
  await gone;
  return heard;
}

/** What openssl says of a handshake with TLS 1.2. */
async function handshake(port: number): Promise<string> {
  const files = ["-cert", join(dir, "dev-1.crt"), "-key", join(dir, "dev-1.key")];
  const args = ["s_client", "-tls1_2", "-connect", `127.0.0.1:${port}`, ...files];
  const { stdout, stderr } = await run("openssl", args);
  return `${stdout}\n${stderr}`;
}

describe("the embedded broker's faults", () => {
  let broker: LabBroker;
  let port: number;
  let events: Stream<LabEvent>;

  beforeAll(async () => {
    events = createStream(1000);
    const server = await authority.issueServer();
    broker = await startEmbeddedBroker({ caPem: authority.caPem, server, onEvent: events.push });
    port = broker.port;
  });
  afterEach(async () => {
    broker.setFaults([]);
    await broker.setServerIdentity(await authority.issueServer());
  });
  afterAll(() => broker.stop());

  it("acknowledge what is not delivered", async () => {
    broker.setFaults([{ packet: "publish", kind: "acknowledge", times: 1 }]);
    const heard = await heardUntil(port, "dev-1", "second", async () => {
      expect((await publish(port, "dev-1", "first")).code).toBe(0);
      expect((await publish(port, "dev-1", "second")).code).toBe(0);
    });
    expect(heard).toEqual(["0 second"]);
    expect(events.recent()).toContainEqual(
      expect.objectContaining({ deviceId: "dev-1", what: "publish", outcome: "fault_acknowledge" }),
    );
  });

  it.each([
    ["forget_retain", ["-r"], []],
    ["set_retain", [], ["1 kept"]],
  ] as const)("%s", async (kind, flags, kept) => {
    await publish(port, "dev-1", "", ["-r"]);
    broker.setFaults([{ packet: "publish", kind, times: 1 }]);
    await publish(port, "dev-1", "kept", [...flags]);
    const heard = await heardUntil(port, "dev-1", "end", async () => {
      await publish(port, "dev-1", "end");
    });
    expect(heard).toEqual([...kept, "0 end"]);
  });

  it("set RETAIN on what is delivered to the operator", async () => {
    broker.setFaults([{ packet: "delivery", kind: "set_retain", clients: "operator" }]);
    const act = async () => void (await publish(port, "dev-2", "fresh"));
    expect(await heardUntil(port, "dev-2", "fresh", act)).toEqual(["1 fresh"]);
  });

  it("refuse with any code", async () => {
    broker.setFaults([{ packet: "connect", kind: "answer", bytes: "20020005", times: 1 }]);
    const refused = await publish(port, "dev-1", "x");
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining("not authorised")]);
    expect((await publish(port, "dev-1", "x")).code).toBe(0);
  });

  it.each(["close", "cut", "reset"] as const)("hang up by %s", async (closing) => {
    broker.setFaults([{ packet: "connect", kind: "ignore", closeAfterMs: 0, closing }]);
    const { code, stderr } = await publish(port, "dev-1", "x");
    expect(code).not.toBe(0);
    const words = closing === "reset" ? /reset|broken pipe/i : /The connection was lost/;
    expect(stderr).toMatch(words);
  });

  it("fail new certificates alone, while the ones before work", async () => {
    await publish(port, "dev-1", "known");
    broker.setFaults([
      { packet: "connect", kind: "answer", bytes: "20020005", onlyNewCertificates: true },
    ]);
    expect((await publish(port, "dev-1", "x")).code).toBe(0);
    await identity("dev-1");
    expect((await publish(port, "dev-1", "x")).code).toBe(5);
  });

  it.each([
    ["hello", 70, "alert protocol version"],
    ["hello", 80, "alert internal error"],
    ["certificate", 48, "alert unknown ca"],
  ] as const)("send an alert after the client's %s", async (moment, alert, words) => {
    broker.setFaults([{ connection: "broker", kind: "alert", alert, moment }]);
    expect(await handshake(port)).toContain(words);
  });

  it.each([
    ["close", "accept"],
    ["close", "hello"],
    ["close", "certificate"],
    ["reset", "certificate"],
  ] as const)("end a handshake by %s at the client's %s", async (kind, moment) => {
    broker.setFaults([{ connection: "broker", kind, moment }]);
    const said = await handshake(port);
    expect(said).toMatch(kind === "reset" ? /errno=104/ : /unexpected eof|errno=0/);
    expect(said.includes("Server certificate"), said).toBe(moment === "certificate");
  });

  it("leave no connection behind that it was told to keep", async () => {
    broker.setFaults([{ connection: "broker", kind: "silence", moment: "hello" }]);
    const waiting = handshake(port);
    await events.waitFor(({ outcome }) => outcome === "fault_silence", { futureOnly: true });
    await broker.pause();
    expect(await waiting).toMatch(/unexpected eof|errno/);
    await broker.resume();
  });
});

describe.each(["embedded", "mosquitto"] as const)("the %s broker", (kind) => {
  let broker: LabBroker;
  let events: Stream<LabEvent>;

  beforeAll(async () => {
    events = createStream(1000);
    const server = await authority.issueServer();
    const options = { caPem: authority.caPem, server, onEvent: events.push };
    broker =
      kind === "embedded"
        ? await startEmbeddedBroker(options)
        : await startMosquitto(join(dir, "mosquitto"), options);
  });
  afterAll(() => broker.stop());

  const FLAWS: readonly [HandshakeFlaw, string][] = [
    ["tls13_only", "alert protocol version"],
    ["no_common_cipher", "handshake failure"],
    ["no_common_signature", "handshake failure"],
    ["no_certificate", "handshake failure"],
  ];

  it.each(FLAWS)("shows %s, or says that it cannot", async (flaw, words) => {
    const isOff = kind === "mosquitto" && /signature|certificate/.test(flaw);
    const changed = broker.setServerIdentity({ ...(await authority.issueServer()), flaw });
    if (isOff) {
      await expect(changed).rejects.toThrow(`mosquitto cannot show ${flaw}`);
    } else {
      await changed;
      expect(await handshake(broker.port)).toContain(words);
    }
    await broker.setServerIdentity(await authority.issueServer());
    expect(await handshake(broker.port)).toContain("Verify return code");
  });

  it("tells a DISCONNECT from a connection that just ends", async () => {
    const said = events.waitFor(({ what }) => what === "goodbye", { futureOnly: true });
    await publish(broker.port, "dev-2", "x");
    expect(await said).toMatchObject({ deviceId: "dev-2", outcome: "ok" });
  });

  it.runIf(kind === "mosquitto")("says that it cannot change its packets", () => {
    const fault = { packet: "publish", kind: "ignore" } as const;
    expect(() => broker.setFaults([fault])).toThrow("only the embedded broker");
  });
});
