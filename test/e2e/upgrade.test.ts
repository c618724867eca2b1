import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labUp, type RunningLab } from "../helpers/lab.js";
import { writeManifest } from "../helpers/project.js";
import { REPOSITORY } from "../helpers/prov.js";
import { nextStatus } from "../helpers/status-messages.js";

/** See its README.md. */
const FIXTURE = fileURLToPath(new URL("fixtures/upgrade", import.meta.url));
const ID = "upgraded-device";
const SPENT_TOKEN = "ztNBgt53MNWeI1IE6RoLnBFGt_u0VS3rPUSUeEz86Ls";
const PROJECT = join(REPOSITORY, ".cache", "e2e-upgrade");
const LAB = join(PROJECT, ".prov", "lab", "upgrade");
const IDENTITY = join(PROJECT, ".prov", "devices", ID, "identity");
const FLASH = join(LAB, "board", "flash.bin");
const NVS = { start: 0x9000, end: 0xf000 };

let lab: RunningLab;

const copySecret = (name: string, dir: string, as: string) => {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  copyFileSync(join(FIXTURE, name), join(dir, as));
};

const nvs = () => readFileSync(FLASH).subarray(NVS.start, NVS.end);

beforeAll(async () => {
  rmSync(LAB, { recursive: true, force: true });
  writeManifest(
    PROJECT,
    `defineDevice({ id: "${ID}", target: "esp32c3", mqtt: { statusIntervalSeconds: 1 } })`,
  );
  copySecret("device-key.pem", IDENTITY, "key.pem");
  copySecret("device-csr.pem", IDENTITY, "csr.pem");
  copySecret("ca.pem", join(LAB, "ca"), "ca.pem");
  copySecret("ca-key.pem", join(LAB, "ca"), "ca-key.pem");
  lab = await labUp("upgrade", { project: PROJECT });
});

afterAll(async () => {
  expect(await lab?.stop()).toBe(0);
});

describe("a device that was provisioned with the firmware of 4fad147", () => {
  it("is online after the upgrade, without provisioning, and forgets what it had spent", async () => {
    await lab.client.board("power_off");
    const flash = readFileSync(FLASH);
    const kept = gunzipSync(readFileSync(join(FIXTURE, "nvs.bin.gz")));
    expect(kept.length).toBe(NVS.end - NVS.start);
    expect(kept.includes(SPENT_TOKEN)).toBe(true); // as that firmware left it
    kept.copy(flash, NVS.start);
    writeFileSync(FLASH, flash);

    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await lab.client.board("power_on");
    await online;
    const message = await nextStatus(lab, ID, (each) => each.status === "connected");
    expect(message).toMatchObject({ state: "MQTT_CONNECTED", last_error: null });
    for await (const event of lab.client.events())
      expect(["sign-csr", "renew-csr"]).not.toContain(event.what);
    expect(nvs().includes(SPENT_TOKEN)).toBe(false);
    expect(nvs().includes("secret-pass")).toBe(true);
  });

  it("is online after the next power cut, with what the new firmware has written", async () => {
    const online = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await lab.client.board("cut_power");
    await lab.client.board("power_on");
    await online;
  });
});
