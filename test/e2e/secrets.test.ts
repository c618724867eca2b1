import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { labUp, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { temporaryDir } from "../helpers/project.js";
import {
  BROKER_PASSWORD,
  DEVICE_ID,
  type Outcome,
  PRODUCED,
  PROJECT,
  prov,
} from "../helpers/prov.js";

const secrets = {
  password: `wifi-${randomBytes(8).toString("hex")}`,
  bearer: `bearer-${randomBytes(8).toString("hex")}`,
};
const folder = temporaryDir();

let lab: RunningLab;
let token: string;
let outcome: Outcome;
let commandLines: string[];
let boardLog: string[];

beforeAll(async () => {
  lab = await labUp("secrets");
  const air = await lab.client.air();
  await lab.client.setAir({
    ...air,
    networks: air.networks.map((network) =>
      network.ssid === lab.home.ssid ? { ...network, psk: secrets.password } : network,
    ),
  });
  token = await lab.token();
  const watch = watchCommandLines();
  outcome = await prov(provisionArgs(lab, ["--verbose", "--junit", join(folder, "junit.xml")]), {
    env: { PROV_WIFI_PASSWORD: secrets.password, PROV_TOKEN: token, PROV_BEARER: secrets.bearer },
  });
  commandLines = watch.stop();
  boardLog = [];
  for await (const line of lab.client.log()) boardLog.push(line);
  await lab.stop();
});

/** Everything that must not be seen: the run's own secrets and the device's private key, line by line. */
function allSecrets(): string[] {
  const pem = readFileSync(
    join(PROJECT, ".prov", "devices", DEVICE_ID, "identity", "key.pem"),
    "utf8",
  );
  const keyLines = pem.split("\n").filter((line) => line.length >= 40);
  return [secrets.password, secrets.bearer, token, BROKER_PASSWORD, ...keyLines];
}

function leaksIn(text: string): string[] {
  return allSecrets().filter((secret) => text.includes(secret));
}

describe("the secrets of a run", () => {
  it("belong to a run that went well", () => {
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(boardLog.join("\n")).toContain("MQTT_CONNECTED");
    expect(leaksIn(`x${secrets.password}x`)).toEqual([secrets.password]);
  });

  it("are in the header that the firmware is built with, as far as they are the manifest's", () => {
    const headers = filesBelow(join(PROJECT, ".prov")).filter((file) =>
      file.endsWith("device_keys.h"),
    );
    const holds = headers.some((file) => readFileSync(file, "utf8").includes(BROKER_PASSWORD));
    expect(holds).toBe(true);
  });

  it("are not in what prov printed, not even with --verbose", () => {
    expect(leaksIn(outcome.stdout + outcome.stderr)).toEqual([]);
  });

  it("are not in the board's log", () => {
    expect(leaksIn(boardLog.join("\n"))).toEqual([]);
  });

  it("are not in the JUnit report", () => {
    const report = readFileSync(join(folder, "junit.xml"), "utf8");
    expect(report).toContain('<testcase classname="prov provision e2e-device" name="mqtt"');
    expect(leaksIn(report)).toEqual([]);
  });

  it("are in no process's arguments while it runs", () => {
    expect(commandLines.some((line) => line.includes("provision"))).toBe(true);
    expect(leaksIn(commandLines.join("\n"))).toEqual([]);
  });

  it("lie in no file that others can read, and in nothing that the suite has printed so far", () => {
    const exposed = [...filesBelow(join(PROJECT, ".prov")), ...filesBelow(PRODUCED)].filter(
      (file) => {
        const isPrivate = (lstatSync(file).mode & 0o077) === 0;
        return !isPrivate && leaksIn(readFileSync(file, "latin1")).length > 0;
      },
    );
    expect(exposed).toEqual([]);
  });
});

/** Collects the command lines of all processes, from the kernel, for as long as it is asked to. */
function watchCommandLines(): { stop(): string[] } {
  const seen = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " "));
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const timer = setInterval(look, 20);
  return {
    stop() {
      clearInterval(timer);
      return [...seen];
    },
  };
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
