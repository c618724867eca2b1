import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labUp, type RunningLab } from "../helpers/lab.js";
import { longer } from "../helpers/longer.js";
import { DEVICE_ID, prov, run } from "../helpers/prov.js";

let lab: RunningLab;

beforeAll(async () => {
  lab = await labUp("by-hand");
});

afterAll(async () => {
  await lab.stop();
});

async function curl(
  ...args: string[]
): Promise<{ status: number; body: ReturnType<typeof JSON.parse> }> {
  const { stdout, stderr, code } = await run("curl", [
    "-sS",
    "--max-time",
    "20",
    "-w",
    "\n%{http_code}",
    ...args,
  ]);
  if (code !== 0) throw new Error(`curl: ${stderr}`);
  const lines = stdout.split("\n");
  return { status: Number(lines.pop()), body: JSON.parse(lines.join("\n")) };
}

describe("the lab, driven by hand from another terminal", () => {
  it("answers curl at both names of the scan", async () => {
    const base = await lab.baseUrl();
    const local = await curl(`${base}/local-wifi`);
    expect(local.status).toBe(200);
    expect(local.body.networks.map((network: { ssid: string }) => network.ssid)).toContain(
      lab.home.ssid,
    );
    expect(local.body.count).toBe(local.body.networks.length);
    const strengths = local.body.networks.map((network: { rssi: number }) => network.rssi);
    expect(strengths).toEqual([...strengths].sort((a, b) => b - a));
    expect((await curl(`${base}/scan`)).body).toEqual(local.body);
  });

  it("is provisioned with curl, and mosquitto_sub sees the status", async () => {
    const base = await lab.baseUrl();
    const token = await prov(["lab", "token", DEVICE_ID, "--name", lab.name]);
    expect(token.code).toBe(0);
    const posted = await curl(
      ...[
        "-X",
        "POST",
        `${base}/provision`,
        "-H",
        "Content-Type: application/json",
        "-H",
        "Authorization: Bearer user-token",
      ],
      ...[
        "-d",
        JSON.stringify({
          ssid: lab.home.ssid,
          password: lab.home.password,
          device_id: DEVICE_ID,
          provisioning_token: token.stdout.trim(),
        }),
      ],
    );
    expect(posted).toEqual({ status: 200, body: { status: "ok", message: "Credentials saved" } });
    const connected = await untilConnected(base);
    expect(connected).toMatchObject({ status: "connected", device_id: DEVICE_ID, error: null });
    expect(connected.ip).not.toBe("");

    const seen = await run("mosquitto_sub", [
      ...operatorAccess(),
      ...["-t", `devices/${DEVICE_ID}/status`, "-C", "1", "-W", "20"],
    ]);
    expect(seen.code, seen.stderr).toBe(0);
    expect(JSON.parse(seen.stdout)).toMatchObject({ device_id: DEVICE_ID, status: "connected" });
  });

  it("is marked offline by its last will when its power is cut", async () => {
    const subscriber = spawn("mosquitto_sub", [
      ...operatorAccess(),
      ...["-t", `devices/${DEVICE_ID}/status`, "-W", "30"],
    ]);
    const seen: string[] = [];
    for await (const line of createInterface({ input: subscriber.stdout })) {
      seen.push(JSON.parse(line).status);
      if (seen.length === 1) await lab.client.board("cut_power");
      if (seen.at(-1) === "offline") subscriber.kill();
    }
    expect(seen[0]).toBe("connected");
    expect(seen.at(-1)).toBe("offline");
  });
});

/** How mosquitto_sub reaches the broker as the operator. */
function operatorAccess(): string[] {
  const { broker, operator } = lab.client.info;
  const address = ["-h", "127.0.0.1", "-p", new URL(broker.uri).port];
  const identity = ["--cert", operator.certPath, "--key", operator.keyPath];
  return [...address, "--cafile", operator.caPath, ...identity];
}

async function untilConnected(base: string): Promise<ReturnType<typeof JSON.parse>> {
  const deadline = AbortSignal.timeout(longer(30_000));
  for (;;) {
    const { body } = await curl(`${base}/status`);
    if (body.status === "connected") return body;
    deadline.throwIfAborted();
  }
}
