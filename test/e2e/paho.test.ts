import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { spawnBound, stopChild } from "../../cli/processes/child.js";
import { labUp, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { longer } from "../helpers/longer.js";
import { DEVICE_ID, prov, REPOSITORY } from "../helpers/prov.js";
import { findPython } from "../support/python-tools.js";

/* An operator who uses none of our code: Eclipse's paho client for Python. */

const found = findPython("paho", ["paho-mqtt==2.2.0"]);
const python = "python" in found ? found.python : "";
if ("missing" in found)
  process.stderr.write(`skipped: paho-mqtt as an observer cannot be had (${found.missing})\n`);

const TOPIC = `devices/${DEVICE_ID}/status`;
const WAIT_MS = 30_000;

/** One line of paho-observer.py. */
type Seen = Record<string, unknown> & { readonly payload?: Record<string, unknown> };

interface Observer {
  see(isWanted: (seen: Seen) => boolean): Promise<Seen>;
  stop(): Promise<void>;
}

/** What paho sees from now on, and what was retained before. The lab's mosquitto takes each identity once. */
function observer({ client }: RunningLab, identity: "operator" | "spectator"): Observer {
  const { broker } = client.info;
  const { caPath, certPath, keyPath } = client.info[identity];
  const { hostname, port } = new URL(broker.uri);
  const child = spawnBound(
    python,
    [
      join(REPOSITORY, "test", "support", "paho-observer.py"),
      ...[hostname, port, caPath, certPath, keyPath, "devices/+/status"],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const stop = (): Promise<void> => stopChild(child, 3_000);
  onTestFinished(stop);
  let complaint = "";
  child.stderr?.on("data", (chunk) => {
    complaint += String(chunk);
  });
  if (!child.stdout) throw new Error("no stdout");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const see: Observer["see"] = async (isWanted) => {
    const deadline = AbortSignal.timeout(longer(WAIT_MS));
    const late = new Promise<never>((_, reject) => {
      deadline.addEventListener("abort", () => reject(deadline.reason));
    });
    for (;;) {
      const { value, done } = await Promise.race([lines.next(), late]);
      if (done) throw new Error(`paho ended: ${complaint}`);
      const seen: Seen = JSON.parse(value);
      if (isWanted(seen)) return seen;
    }
  };
  return { see, stop };
}

const isMessage = ({ kind }: Seen): boolean => kind === "message";

describe.skipIf("missing" in found).each(["embedded", "mosquitto"] as const)(
  "paho at the %s broker",
  (broker) => {
    let lab: RunningLab;
    beforeAll(async () => {
      lab = await labUp(`paho-${broker}`, { broker });
    });
    afterAll(async () => {
      expect(await lab.stop()).toBe(0);
    });

    it("sees the device come online, the retained status and the last will", async () => {
      const early = observer(lab, "spectator");
      expect(await early.see(({ kind }) => kind === "connack")).toMatchObject({ ok: true });
      expect(await early.see(({ kind }) => kind === "suback")).toMatchObject({ granted: [1] });

      const { code, stdout } = await prov(provisionArgs(lab), {
        env: { PROV_WIFI_PASSWORD: lab.home.password, PROV_TOKEN: await lab.token() },
      });
      expect(code, stdout).toBe(0);
      const { attempt_id } = JSON.parse(stdout);
      // To those who listen already it goes out as it comes: RETAIN is for late ones (MQTT 3.1.1, 3.3.1.3).
      const online = { status: "connected", device_id: DEVICE_ID, attempt_id };
      expect(await early.see(isMessage)).toMatchObject({
        topic: TOPIC,
        qos: 1,
        retain: false,
        payload: online,
      });

      const late = observer(lab, "operator");
      expect(await late.see(isMessage)).toMatchObject({ qos: 1, retain: true, payload: online });

      await lab.client.board("power_off");
      const isOffline = ({ payload }: Seen): boolean => payload?.status === "offline";
      for (const each of [early, late])
        expect(await each.see(isOffline)).toMatchObject({ topic: TOPIC, qos: 1, retain: false });
      await early.stop();
      expect(await observer(lab, "spectator").see(isMessage)).toMatchObject({
        retain: true,
        payload: { status: "offline", device_id: DEVICE_ID },
      });
    });
  },
);
