import { describe, expect, it } from "vitest";
import { longer, WITH_ALL } from "../helpers/longer.js";
import { DEVICE_ID, prov } from "../helpers/prov.js";

const STAGES = [
  "keys",
  "codegen",
  "build",
  "flash",
  "boot",
  "join",
  "scan",
  "provision",
  "enrol",
  "mqtt",
];

/** A sanitizer's variant is compiled from scratch, beside everything else that the suite does. */
const BUILD_TIMEOUT_MS = 300_000;

async function wholeChain(...args: string[]) {
  const { code, stdout, stderr } = await prov(["run", "--json", ...args]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  return { document: JSON.parse(stdout), stderr };
}

describe("prov run", () => {
  it("goes from the manifest to the status message and prints one JSON document", async () => {
    const { document, stderr } = await wholeChain();
    expect(document.ok).toBe(true);
    expect(document.device).toBe(DEVICE_ID);
    expect(document.stages.map((stage: { name: string }) => stage.name)).toEqual(STAGES);
    for (const stage of document.stages)
      expect(stage).toEqual({ name: expect.any(String), ok: true, ms: expect.any(Number) });
    expect(document.mqtt.topic).toBe(`devices/${DEVICE_ID}/status`);
    expect(document.mqtt.payload).toMatchObject({
      device_id: DEVICE_ID,
      status: "connected",
      state: "MQTT_CONNECTED",
    });
    expect(stderr).toContain("replace the manifest's");
  });

  it("ends with the device, the broker and the message for people", async () => {
    const { code, stdout } = await prov(["run"]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.at(-3)).toMatch(
      new RegExp(`^device ${DEVICE_ID} is online: mqtt, delivered by the broker`),
    );
    expect(lines.at(-2)).toMatch(
      new RegExp(`^broker mqtts://\\S+, topic devices/${DEVICE_ID}/status$`),
    );
    expect(lines.at(-1)).toMatch(/^status \{.*"status":"connected".*\}$/);
    for (const stage of STAGES)
      expect(stdout).toMatch(new RegExp(`^${stage} +ok +\\d+\\.\\d\\d s$`, "m"));
  });

  it("does the same with mosquitto as the broker", async () => {
    const { document } = await wholeChain("--broker", "mosquitto");
    expect(document.mqtt.payload).toMatchObject({ device_id: DEVICE_ID, status: "connected" });
  });

  it("runs twice at once in one folder", async () => {
    const both = await Promise.all([wholeChain(), wholeChain()]);
    const attempts = both.map(({ document }) => document.mqtt.payload.attempt_id);
    expect(new Set(attempts).size).toBe(2);
  });
});

describe.each(WITH_ALL ? ["address", "undefined", "thread"] : ["address"])(
  "prov run --sanitize %s",
  (sanitizer) => {
    it(
      "passes the whole chain without a report",
      async () => {
        const { document, stderr } = await wholeChain("--sanitize", sanitizer, "--verbose");
        expect(document.mqtt.payload).toMatchObject({ device_id: DEVICE_ID, status: "connected" });
        expect(stderr).not.toMatch(/Sanitizer|runtime error:/);
      },
      longer(BUILD_TIMEOUT_MS),
    );
  },
);
