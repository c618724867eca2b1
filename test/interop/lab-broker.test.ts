import { type ChildProcess, spawn } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type LabBroker, startEmbeddedBroker } from "../../cli/lab/broker/broker.js";
import { startMosquitto } from "../../cli/lab/broker/mosquitto.js";
import { SPECTATOR } from "../../cli/lab/broker/topic-rules.js";
import type { LabEvent } from "../../cli/lab/events.js";
import { type LabAuthority, openAuthority } from "../../cli/lab/pki/authority.js";
import { issueCertificate } from "../../cli/lab/pki/ca.js";
import { createStream, type Stream } from "../../cli/lab/stream.js";
import { createLineSplitter } from "../../cli/lines.js";
import { generatePrivateKey, privateKeyToPem } from "../../cli/pki/keys.js";
import { temporaryDir } from "../helpers/project.js";

describe.each(["embedded", "mosquitto"] as const)("the %s broker", (kind) => {
  let dir: string;
  let authority: LabAuthority;
  let broker: LabBroker;
  let events: Stream<LabEvent>;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    dir = temporaryDir();
    authority = await openAuthority(join(dir, "ca"));
    events = createStream(1000);
    const options = {
      caPem: authority.caPem,
      server: await authority.issueServer(),
      onEvent: events.push,
    };
    broker =
      kind === "embedded"
        ? await startEmbeddedBroker(options)
        : await startMosquitto(join(dir, "mosquitto"), options);
    await identity("dev-1");
    await identity("dev-2");
    save("operator", await authority.issueOperator());
    save("spectator", await authority.issueSpectator());
  });

  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  afterAll(() => broker.stop());

  it("carries a device's retained status to the operator", async () => {
    expect((await publish("dev-1", "devices/dev-1/status", "ready", ["-r"])).status).toBe(0);
    const inbox = await subscribe("operator", "devices/+/status");
    await inbox.waitFor((line) => line === "devices/dev-1/status ready");
    const seen = await events.waitFor((event) => event.what === "publish");
    expect(seen).toMatchObject({
      deviceId: "dev-1",
      outcome: "ok",
      detail: "devices/dev-1/status",
    });
  });

  it("delivers nothing that a device publishes under another device's name", async () => {
    const inbox = await subscribe("operator", "devices/#");
    await publish("dev-1", "devices/dev-2/status", "forged");
    await publish("dev-1", "devices/dev-1/log", "after");
    await inbox.waitFor((line) => line === "devices/dev-1/log after");
    expect(inbox.recent().filter((line) => line.includes("forged"))).toEqual([]);
  });

  it("delivers nothing of another device to a device", async () => {
    const inbox = await subscribe("dev-1", "#", ["-t", "devices/dev-2/#", "-t", "devices/dev-1/#"]);
    await publish("operator", "devices/dev-2/command", "not yours");
    await publish("operator", "devices/dev-1/command", "yours");
    await inbox.waitFor((line) => line === "devices/dev-1/command yours");
    expect(inbox.recent().filter((line) => line.includes("not yours"))).toEqual([]);
  });

  it("is no operator to a device of that name", async () => {
    await identity("so-called", join(dir, "ca"), "operator");
    await publish("so-called", "devices/dev-1/status", "forged", ["-i", "operator", "-r"]);
    const asDevice = ["-i", "operator", "-t", "devices/operator/command"];
    const inbox = await subscribe("so-called", "devices/+/status", ["-t", "#", ...asDevice]);
    await publish("dev-1", "devices/dev-1/status", "private", ["-r"]);
    await publish("operator", "devices/operator/command", "yours");
    await inbox.waitFor((line) => line === "devices/operator/command yours");
    expect(inbox.recent().filter((line) => line.includes("private"))).toEqual([]);
    const status = await subscribe("operator", "devices/dev-1/status");
    await status.waitFor((line) => line === "devices/dev-1/status private");
    expect(status.recent().filter((line) => line.includes("forged"))).toEqual([]);
  });

  it("shows the spectator everything beside the operator, and takes nothing from it", async () => {
    for (const device of ["dev-1", SPECTATOR])
      await publish("spectator", `devices/${device}/command`, "forged", ["-r"]);
    const spectator = await subscribe("spectator", "devices/#");
    const operator = await subscribe("operator", "devices/#");
    await publish("dev-1", "devices/dev-1/log", "seen by both");
    for (const inbox of [spectator, operator]) {
      await inbox.waitFor((line) => line === "devices/dev-1/log seen by both");
      expect(inbox.recent().filter((line) => line.includes("forged"))).toEqual([]);
      expect(inbox.recent().filter((line) => /sending CONNECT/.test(line))).toHaveLength(1);
    }
  });

  it("lets no device take another one's session by its client id", async () => {
    const inbox = await subscribe("dev-1", "devices/dev-1/command");
    await publish("dev-2", "devices/dev-2/log", "x", ["-i", "dev-1"]);
    await publish("operator", "devices/dev-1/command", "still here?");
    await inbox.waitFor((line) => line === "devices/dev-1/command still here?");
    expect(inbox.recent().filter((line) => /sending CONNECT/.test(line))).toHaveLength(1);
  });

  it("publishes the last will of a device that is cut off", async () => {
    const inbox = await subscribe("operator", "devices/dev-2/status");
    const device = await subscribe("dev-2", "devices/dev-2/command", [
      "--will-topic",
      "devices/dev-2/status",
      "--will-payload",
      "offline",
      "--will-qos",
      "1",
    ]);
    device.child.kill("SIGKILL");
    await inbox.waitFor((line) => line === "devices/dev-2/status offline");
  });

  it("refuses a certificate of another CA that has the same name", async () => {
    const rogueCa = join(dir, "rogue");
    await openAuthority(rogueCa);
    await identity("rogue", rogueCa, "dev-1");
    const refused = await publish("rogue", "devices/dev-1/status", "forged", ["-i", "dev-1"]);
    expect(refused.status).not.toBe(0);
  });

  it("refuses a client without a certificate", async () => {
    const refused = await publish(null, "devices/dev-1/status", "forged", ["-i", "dev-1"]);
    expect(refused.status).not.toBe(0);
  });

  it.runIf(kind === "embedded")(
    "refuses a client id that is not the certificate's CN",
    async () => {
      const refused = await publish("dev-1", "devices/dev-1/status", "x", ["-i", "dev-2"]);
      expect(refused.status).toBe(5); // MQTT 3.1.1: not authorized
      await events.waitFor((event) => event.outcome === "client_id_refused");
    },
  );

  it("shows another server certificate when told, and the good one again", async () => {
    await broker.setServerIdentity(await authority.issueServer("untrusted"));
    expect((await publish("dev-1", "devices/dev-1/log", "x")).status).not.toBe(0);
    await broker.setServerIdentity(await authority.issueServer());
    expect((await publish("dev-1", "devices/dev-1/log", "x")).status).toBe(0);
  });

  it("refuses what is revoked, and takes what was signed since", async () => {
    const enrol = async (name: string): Promise<void> => {
      const key = await generatePrivateKey("P-256");
      const csr = { commonName: name, publicKey: createPublicKey(key) };
      const certPem = authority.signDevice(csr, { dates: { lifetimeMs: 3_600_000 }, flaw: null });
      save(name, { certPem, keyPem: privateKeyToPem(key) });
    };
    const isTaken = async (name: string) =>
      (await publish(name, `devices/${name}/log`, "x")).status === 0;
    await enrol("dev-3");
    expect(await isTaken("dev-3")).toBe(true);
    const crlPem = authority.revokeDevices();
    await broker.setServerIdentity({ ...(await authority.issueServer()), crlPem });
    expect(await isTaken("dev-3")).toBe(false);
    await enrol("dev-3");
    expect(await isTaken("dev-3")).toBe(true);
    await broker.setServerIdentity(await authority.issueServer());
  });

  it("cuts its clients when it goes away, and comes back on the same port", async () => {
    const port = broker.port;
    const socket = connect({
      host: "127.0.0.1",
      port,
      ca: authority.caPem,
      cert: readFileSync(join(dir, "dev-1.crt")),
      key: readFileSync(join(dir, "dev-1.key")),
    });
    await once(socket, "secureConnect");
    // An RST is as good a cut as a FIN, and once() would throw it.
    const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
    socket.resume();
    await broker.pause();
    await closed;
    expect((await publish("dev-1", "devices/dev-1/log", "x")).status).not.toBe(0);
    await broker.resume();
    expect(broker.port).toBe(port);
    expect((await publish("dev-1", "devices/dev-1/log", "x")).status).toBe(0);
  });

  async function identity(name: string, caDir = join(dir, "ca"), commonName = name): Promise<void> {
    const ca = {
      certPem: readFileSync(join(caDir, "ca.pem"), "utf8"),
      keyPem: readFileSync(join(caDir, "ca-key.pem"), "utf8"),
    };
    save(name, await issueCertificate(ca, { usage: "client", commonName }));
  }

  function save(name: string, { certPem, keyPem }: { certPem: string; keyPem: string }): void {
    writeFileSync(join(dir, `${name}.crt`), certPem);
    writeFileSync(join(dir, `${name}.key`), keyPem, { mode: 0o600 });
  }

  function clientArgs(name: string | null): string[] {
    const base = [
      "-h",
      "127.0.0.1",
      "-p",
      String(broker.port),
      "--cafile",
      join(dir, "ca", "ca.pem"),
    ];
    if (name === null) return base;
    return [...base, "--cert", join(dir, `${name}.crt`), "--key", join(dir, `${name}.key`)];
  }

  /** A device's client id is its name; those that are none may use any. */
  function idArgs(name: string | null, extra: string[]): string[] {
    const isDevice = name !== null && name !== "operator" && name !== "spectator";
    return isDevice && !extra.includes("-i") ? ["-i", name] : [];
  }

  async function publish(name: string | null, topic: string, text: string, extra: string[] = []) {
    const args = [...clientArgs(name), ...idArgs(name, extra), "-q", "1", "-t", topic, "-m", text];
    const child = spawn("mosquitto_pub", [...args, ...extra], { stdio: "ignore" });
    const [status] = await once(child, "exit");
    return { status };
  }

  /** Resolves when the broker has confirmed the subscription. */
  async function subscribe(name: string, topic: string, extra: string[] = []) {
    const args = [...clientArgs(name), ...idArgs(name, extra), "-q", "1", "-t", topic, "-v", "-d"];
    const child = spawn("stdbuf", ["-oL", "mosquitto_sub", ...args, ...extra], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const lines = createStream<string>(1000);
    const splitter = createLineSplitter(lines.push);
    child.stdout.on("data", splitter.feed);
    await lines.waitFor((line) => /^Subscribed \(mid/.test(line) || /SUBACK/.test(line));
    return { child, waitFor: lines.waitFor, recent: lines.recent };
  }
});
