import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { ProvisionBoardRequest } from "../../cli/flow/attempt.js";
import type { ChainResult } from "../../cli/flow/board.js";
import type { BrokerAccess } from "../../cli/flow/broker-session.js";
import { boardReport } from "../../cli/flow/evidence.js";
import { judgeLogLine } from "../../cli/flow/log-witness.js";
import type { Witness } from "../../cli/flow/outcome.js";
import { provisionBoard } from "../../cli/flow/provision-board.js";
import { createStageClock } from "../../cli/flow/stages.js";
import type { Air } from "../../cli/lab/air/air-file.js";
import { virtualWifi } from "../../cli/lab/air/virtual-wifi.js";
import { OPERATOR } from "../../cli/lab/broker/topic-rules.js";
import { type CertificateAuthority, issueCertificate } from "../../cli/lab/pki/ca.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { hasExited, spawnBound, stopChild } from "../../cli/processes/child.js";
import { silent } from "../../cli/terminal/progress.js";
import { caOf, DEVICE_ID, openRig, type Rig, type RigOptions } from "../attack/rig.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";
import { localhostIdentity } from "../helpers/localhost.js";
import { longer, WITH_ALL } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
import { run } from "../helpers/prov.js";
import { type Peer, scriptedBroker } from "../helpers/scripted-broker.js";

// The whole chain, device and host, at brokers that want more than the lab's, or do less.

/** Long enough for the device to fail at the broker, and all that a run that fails takes. */
const FAILING_MS = 8_000;
const GOING_WELL_MS = 40_000;
const PASSWORD = 'pass "word" \\ 9f3c';

let port: number;
let uri: string;
beforeAll(async () => {
  port = await findFreePort();
  uri = `mqtts://localhost:${port}`;
});

async function rigWith(mqtt: Partial<RigOptions["mqtt"]> = {}): Promise<Rig> {
  const sdkconfig = { CONFIG_PROV_MQTT_ACK_TIMEOUT_MS: 3_000 };
  const rig = await openRig("strange-brokers", { sdkconfig, mqtt: { uri, ...mqtt } });
  rig.eraseNvs();
  await rig.powerOn();
  return rig;
}

function provision(
  { lab, credentials }: Rig,
  more: Pick<ProvisionBoardRequest, "timeoutMs" | "broker" | "witnesses">,
): Promise<ChainResult> {
  return provisionBoard({
    manifest: {
      ...DEFAULT_MANIFEST,
      id: DEVICE_ID,
      mqtt: { ...DEFAULT_MANIFEST.mqtt, uri, statusIntervalSeconds: 1 },
    },
    credentials: credentials(0),
    wifi: virtualWifi(lab.info.airDir),
    joinTimeoutMs: longer(20_000),
    apGoneMs: 500,
    pollMs: 50,
    clock: createStageClock(),
    signal: new AbortController().signal,
    progress: silent,
    ...more,
  });
}

describe("mosquitto with a password file beside the certificates", () => {
  async function startMosquitto(ca: CertificateAuthority): Promise<void> {
    const dir = temporaryDir();
    const server = await localhostIdentity(ca);
    const write = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text, { mode: 0o600 });
      return join(dir, name);
    };
    const passwords = write("passwords", `greenhouse:${PASSWORD}\nmute:${PASSWORD}\n`);
    const acl = write("acl", "user greenhouse\ntopic readwrite #\n\nuser mute\ntopic read #\n");
    expect((await run("mosquitto_passwd", ["-U", passwords])).code).toBe(0);
    const conf = write(
      "mosquitto.conf",
      [
        ...(process.getuid?.() === 0 ? ["user root"] : []),
        `listener ${port} 127.0.0.1`,
        `cafile ${write("ca.pem", ca.certPem)}`,
        `certfile ${write("server.pem", server.certPem)}`,
        `keyfile ${write("server-key.pem", server.keyPem)}`,
        ...["require_certificate true", "allow_anonymous false", `password_file ${passwords}`],
        ...[`acl_file ${acl}`, ""],
      ].join("\n"),
    );
    const child = spawnBound("mosquitto", ["-c", conf, "-v"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    onTestFinished(() => stopChild(child, 3_000));
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on("data", (chunk) => {
        if (String(chunk).includes(" running")) resolve();
      });
      child.once("close", () => reject(new Error("mosquitto did not start")));
    });
    expect(hasExited(child)).toBe(false);
  }

  async function operatorAt(rig: Rig): Promise<BrokerAccess> {
    const operator = { usage: "client", commonName: OPERATOR } as const;
    const identity = await issueCertificate(caOf(rig.lab), operator);
    return { uri, caPem: rig.lab.caPem, ...identity, username: "greenhouse", password: PASSWORD };
  }

  it("that acknowledges a message and drops it leaves the device's word, which is no proof to an operator", async () => {
    const rig = await rigWith({ username: "mute", password: PASSWORD });
    onTestFinished(() => rig.stop());
    await startMosquitto(caOf(rig.lab));
    const alone = await provision(rig, { timeoutMs: longer(GOING_WELL_MS) });
    expect(boardReport(alone)).toMatchObject({ proof: "device_word", proof_by: "status" });
    const broker = await operatorAt(rig);
    await rig.board.powerOff();
    rig.eraseNvs();
    await rig.powerOn(); // its AP closes soon after it has told that it is online
    await expect(provision(rig, { timeoutMs: longer(FAILING_MS), broker })).rejects.toMatchObject({
      code: "status_timeout",
      message: expect.stringMatching(
        new RegExp(`^${uri}: .*mqtt \\(status\\); the broker delivered no message of it`),
      ),
    });
  });

  it.each([
    ["the right ones", { username: "greenhouse", password: PASSWORD }, null],
    ["a wrong password", { username: "greenhouse", password: `${PASSWORD}x` }, "broker_rejected"],
    ["a user name alone", { username: "greenhouse" }, "broker_rejected"],
    ["neither", {}, "broker_rejected"],
  ])("takes the device with %s, and no other", async (_what, mqtt, code) => {
    const rig = await rigWith(mqtt);
    onTestFinished(() => rig.stop());
    await startMosquitto(caOf(rig.lab));
    const broker = await operatorAt(rig);
    const timeoutMs = longer(code === null ? GOING_WELL_MS : FAILING_MS);
    const provisioning = provision(rig, { timeoutMs, broker });
    if (code === null) {
      const { outcome } = await provisioning;
      expect(outcome.mqtt?.payload).toMatchObject({ status: "connected" });
      return;
    }
    await expect(provisioning).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`^${uri}: .*CONNACK code 5`)),
    });
  });
});

describe("a broker that delivers the device's message to the operator", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await rigWith();
  });
  afterAll(() => rig.stop());

  /** Hands every message of the device to the operator; `after` decides what the device gets for it. */
  function delivering(after: (device: Peer, messageId: number) => void) {
    const operators = new Set<Peer>();
    let last: string | undefined;
    const tell = (operator: Peer): void => {
      if (last !== undefined) operator.publish(last, { retain: true }, DEVICE_ID);
    };
    return async (peer: Peer): Promise<void> => {
      const { clientId } = await peer.next("connect");
      peer.send({ cmd: "connack", returnCode: 0, sessionPresent: false });
      if (clientId !== DEVICE_ID) {
        const { messageId } = await peer.next("subscribe");
        peer.send({ cmd: "suback", messageId: messageId ?? 0, granted: [1] });
        operators.add(peer);
        return tell(peer);
      }
      for (;;) {
        const { payload, messageId } = await peer.next("publish");
        last = String(payload);
        for (const operator of operators) tell(operator);
        after(peer, messageId ?? 0);
      }
    };
  }

  async function provisionAt(
    script: (peer: Peer) => Promise<void>,
    timeoutMs: number,
    more: Pick<ProvisionBoardRequest, "witnesses"> = {},
    faults: Air["faults"] = {},
  ): Promise<ChainResult> {
    const { access } = await scriptedBroker(script, { ca: caOf(rig.lab), port });
    rig.lab.setAir({ networks: rig.lab.air().networks, faults });
    await rig.board.powerOff();
    rig.eraseNvs();
    await rig.powerOn();
    return provision(rig, { timeoutMs, broker: access, ...more });
  }

  it("and acknowledges it, is the proof", async () => {
    const script = delivering((device, messageId) => device.send({ cmd: "puback", messageId }));
    const { outcome } = await provisionAt(script, longer(GOING_WELL_MS));
    expect(outcome.mqtt?.payload).toMatchObject({ status: "connected", seq: 1 });
    expect(outcome.evidence.map(({ witness }) => witness)).toContain("status");
  });

  it("and hangs up on it, is none: the error is the device's, and names the broker", async () => {
    const script = delivering((device) => device.hangUp());
    await expect(provisionAt(script, longer(FAILING_MS))).rejects.toMatchObject({
      code: "publish_refused",
      message: expect.stringContaining(uri),
    });
  });

  it("and never acknowledges it, is none", async () => {
    const script = delivering(() => {});
    await expect(provisionAt(script, longer(FAILING_MS))).rejects.toMatchObject({
      code: "publish_unacknowledged",
      message: expect.stringContaining(uri),
    });
  });

  it.runIf(WITH_ALL)(
    "and hangs up on it, is none by the board's log alone, when the AP has gone",
    async () => {
      const { lab } = rig;
      const script = delivering((device) => device.hangUp());
      const log: Witness = {
        name: "log",
        speaksFor: "device",
        watch: async (report, signal) => {
          const stop = lab.board.log.subscribe((line) => {
            const said = judgeLogLine(line);
            if (said) report(said);
          });
          await once(signal, "abort");
          stop();
        },
      };
      await expect(
        provisionAt(
          script,
          longer(FAILING_MS),
          { witnesses: [() => log] },
          { ap_vanish_on_connect: true },
        ),
      ).rejects.toMatchObject({ code: "publish_refused", message: expect.stringContaining(uri) });
    },
  );
});
