import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ConnectionFault, LabFault, PacketFault, ServerFault } from "../../cli/lab/faults.js";
import { BROKER_DEVICE, ensureBrokerProject } from "../helpers/broker-project.js";
import { type Device, deviceOf } from "../helpers/device.js";
import { labUp, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { longerSeconds, WITH_ALL_BROKERS } from "../helpers/longer.js";
import { prov } from "../helpers/prov.js";

/* A server that lets a device in has proved nothing: how each way to fail it is called, on both sides. */

const project = ensureBrokerProject();
let lab: RunningLab;
let device: Device;

beforeAll(async () => {
  lab = await labUp("brokers", { project });
  device = deviceOf(lab, { id: BROKER_DEVICE, project });
});

afterAll(async () => {
  expect(await lab.stop()).toBe(0);
});

beforeEach(async () => {
  await lab.client.setFaults([]);
  await device.empty();
  await device.boot();
});

type Case = readonly [name: string, fault: LabFault, code: string, words: string];

const onPublish = (more: Partial<PacketFault>): PacketFault => ({
  packet: "publish",
  kind: "ignore",
  ...more,
});
const onConnect = (more: Partial<PacketFault>): PacketFault => ({
  ...onPublish(more),
  packet: "connect",
});
const answers = (bytes: string, more: Partial<PacketFault> = {}): PacketFault =>
  onConnect({ kind: "answer", bytes, ...more });
const below = (
  connection: ConnectionFault["connection"],
  kind: ConnectionFault["kind"],
  more: Partial<ConnectionFault> = {},
): ConnectionFault => ({ connection, kind, ...more });
const alert = (number: number, moment: ConnectionFault["moment"]): ConnectionFault =>
  below("broker", "alert", { alert: number, moment });
const has = (server: ServerFault["server"], kind: ServerFault["kind"]): ServerFault => ({
  server,
  kind,
});

const HTTP = Buffer.from(`HTTP/1.1 400 Bad Request\r\n\r\n${"<p>no</p>".repeat(40)}`);
const CLOSED = "it closed the connection";
const BEFORE = "it closed the connection before CONNACK";
const ON_OURS = "it hung up on the device's certificate";
const EARLY = "it hung up during the TLS handshake";

async function post(): Promise<void> {
  const answer = await device.post("/provision", await device.credentials());
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

describe("prov provision and the device name the broker that", () => {
  const CASES: readonly Case[] = [
    ["hangs up on the PUBLISH", onPublish({ closeAfterMs: 0 }), "publish_refused", CLOSED],
    ["never acknowledges it", onPublish({}), "publish_unacknowledged", ""],
    ["has a code that is none", answers("20020006"), "broker_bad_response", "CONNACK code 6"],
    ["denies the device", answers("20020005"), "broker_rejected", "CONNACK code 5"],
    ["closes on CONNECT", onConnect({ closeAfterMs: 0 }), "broker_unreachable", BEFORE],
    ["speaks TLS 1.3", has("broker", "tls13_only"), "broker_tls_failed", "alert protocol_version"],
  ];

  it.each(CASES)("%s", async (_name, fault, code, words) => {
    await lab.client.setFaults([fault]);
    const { code: exit, stdout } = await prov(provisionArgs(lab, ["--timeout", longerSeconds(7)]), {
      cwd: project,
      env: { PROV_WIFI_PASSWORD: lab.home.password, PROV_TOKEN: await lab.token(BROKER_DEVICE) },
    });
    const document = JSON.parse(stdout);
    expect([exit, document.error?.code], stdout).toEqual([9, code]);
    expect(document.error.message).toContain(words);
    const { status, error } = await device.statusWhere((now) => now.error !== null);
    expect([status, error.code]).toEqual(["provisioning", code]);
    expect(error.message).toContain(words);
  });
});

describe("prov provision", () => {
  it("takes no denial for the end: a broker may get to know the device later", async () => {
    await lab.client.setFaults([answers("20020005")]);
    const provisioning = prov(provisionArgs(lab), {
      cwd: project,
      env: { PROV_WIFI_PASSWORD: lab.home.password, PROV_TOKEN: await lab.token(BROKER_DEVICE) },
    });
    await device.statusWhere((now) => now.error?.code === "broker_rejected");
    await lab.logLine(/error broker_rejected/, { fromNow: true }); // once more, and prov has asked meanwhile
    await lab.client.setFaults([]);
    const { code, stdout } = await provisioning;
    expect(code, stdout).toBe(0);
  });
});

describe.runIf(WITH_ALL_BROKERS)("the device names the broker that", () => {
  const PUBLISHED: readonly Case[] = [
    ["hangs up 300 ms after", onPublish({ closeAfterMs: 300 }), "publish_refused", CLOSED],
    ["cuts", onPublish({ closeAfterMs: 900, closing: "cut" }), "publish_refused", CLOSED],
    ["resets", onPublish({ closeAfterMs: 0, closing: "reset" }), "publish_refused", ""],
    ["pings", onPublish({ kind: "answer", bytes: "d000" }), "publish_unacknowledged", ""],
    [
      "acks another",
      onPublish({ kind: "answer", bytes: "4002fffe" }),
      "publish_unacknowledged",
      "",
    ],
  ];
  const ANSWERED: readonly Case[] = [
    ["with another packet", answers("9003000100"), "broker_bad_response", "no CONNACK"],
    ["with HTTP", answers(HTTP.toString("hex")), "broker_bad_response", "is not MQTT"],
    ["with code 1", answers("20020001"), "broker_rejected", "CONNACK code 1"],
    ["with code 2", answers("20020002"), "broker_rejected", "CONNACK code 2"],
    ["with code 3", answers("20020003"), "broker_unreachable", "CONNACK code 3"],
    ["with code 4", answers("20020004"), "broker_rejected", "CONNACK code 4"],
    ["with code 255", answers("200200ff"), "broker_bad_response", "CONNACK code 255"],
    ["with half", answers("2002", { closeAfterMs: 0 }), "broker_unreachable", ""],
    ["with nothing", onConnect({}), "broker_unreachable", "no CONNACK in time"],
    ["by FIN", onConnect({ closeAfterMs: 0, closing: "cut" }), "broker_unreachable", BEFORE],
  ];
  const HANDSHAKE: readonly Case[] = [
    ["FIN on ours", below("broker", "close"), "broker_rejected", ON_OURS],
    ["RST on ours", below("broker", "reset"), "broker_rejected", ON_OURS],
    ["unknown_ca", alert(48, "certificate"), "broker_rejected", "TLS alert unknown_ca"],
    ["internal_error", alert(80, "certificate"), "broker_tls_failed", "TLS alert internal_error"],
    ["no known alert", alert(200, "hello"), "broker_tls_failed", "TLS alert 200"],
    ["FIN first", below("broker", "close", { moment: "hello" }), "broker_unreachable", EARLY],
    ["RST at once", below("broker", "reset", { moment: "accept" }), "broker_unreachable", ""],
    ["HTTP", below("broker", "garbage", { moment: "hello" }), "broker_tls_failed", "-0x7200"],
    ["no certificate", has("broker", "no_certificate"), "broker_tls_failed", "handshake_failure"],
    ["no suite", has("broker", "no_common_cipher"), "broker_tls_failed", "handshake_failure"],
    ["no scheme", has("broker", "no_common_signature"), "broker_tls_failed", "handshake_failure"],
  ];
  const CASES = [
    ...PUBLISHED.map(([name, ...rest]) => [`takes a PUBLISH and ${name}`, ...rest] as const),
    ...ANSWERED.map(([name, ...rest]) => [`answers CONNECT ${name}`, ...rest] as const),
    ...HANDSHAKE.map(([name, ...rest]) => [`ends a handshake: ${name}`, ...rest] as const),
  ];

  it.each(CASES)("%s", async (_name, fault, code, words) => {
    await lab.client.setFaults([fault]);
    await post();
    const { status, last_error } = await device.statusWhere((now) => now.last_error !== null);
    expect([status, last_error.code]).toEqual(["provisioning", code]);
    expect(last_error.message).toContain(words);
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await lab.client.setFaults([]);
    await online;
  });
});

describe.runIf(WITH_ALL_BROKERS)("the device names the backend that", () => {
  const CASES: readonly Case[] = [
    ["speaks TLS 1.3", has("backend", "tls13_only"), "backend_tls_failed", "protocol_version"],
    ["has no suite", has("backend", "no_common_cipher"), "backend_tls_failed", "handshake_failure"],
    [
      "sends an alert",
      below("backend", "alert", { alert: 112, moment: "hello" }),
      "backend_tls_failed",
      "TLS alert unrecognized_name",
    ],
    ["speaks HTTP", below("backend", "garbage", { moment: "hello" }), "backend_tls_failed", "7200"],
    ["hangs up", below("backend", "close", { moment: "hello" }), "backend_unreachable", EARLY],
  ];

  it.each(CASES)("%s", async (_name, fault, code, words) => {
    await lab.client.setFaults([fault]);
    await post();
    const { state, error } = await device.statusWhere((now) => now.error !== null);
    expect([state, error.code]).toEqual(["SUBMIT_CSR", code]);
    expect(error.message).toContain(words);
  });
});
