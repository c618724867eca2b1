import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { buildNvsTools, fillNvs } from "../attack/records.js";
import { openRig, type Rig } from "../attack/rig.js";
import { longer } from "../helpers/longer.js";

/** Of the first entry of the partition table, which is the NVS. */
const NVS_FLAGS = 0x8000 + 28;
const READONLY = 2;
const NVS_SIZE = 0x6000;

let rig: Rig;

beforeAll(async () => {
  await buildNvsTools();
  rig = await openRig("storage");
});

afterEach(() => rig.board.powerOff());
afterAll(() => rig.stop());

async function status(): Promise<Record<string, unknown>> {
  return (await rig.get("/status"))?.body ?? {};
}

/** Waits until the provisioning has come to an end, good or bad; the AP answers all the time. */
async function verdict(): Promise<string> {
  const read = async (): Promise<string> => {
    const { state, error } = await status();
    if (typeof error === "object" && error !== null && "code" in error) return `${error.code}`;
    return `${state}`;
  };
  await expect
    .poll(read, { timeout: longer(30_000), interval: 10 })
    .toMatch(/storage_failed|^MQTT_CONNECTED$/);
  return read();
}

describe("a storage that does not store", () => {
  it("read-only: says storage_failed, on its AP, and to whoever provisions it", async () => {
    rig.eraseNvs();
    rig.board.flash.write(NVS_FLAGS, Buffer.from([READONLY]));
    await rig.powerOn();
    expect(await verdict()).toBe("storage_failed");
    expect((await status()).state).toBe("AP_MODE");
    expect(await rig.provision(rig.credentials(0))).toMatchObject({
      status: 500,
      body: { code: "storage_failed" },
    });
    expect((await status()).state).toBe("AP_MODE");
    await rig.board.powerOff();
    rig.board.flash.write(NVS_FLAGS, Buffer.from([0]));
  });

  // A POST takes some 300 bytes, a certificate with its CA some 1300.
  it.each([0, 500, 1000, 1500, 2500])(
    "full but for %d bytes: names it, keeps its AP",
    async (leave) => {
      rig.eraseNvs();
      await fillNvs(rig.board.flash.path, leave);
      await rig.powerOn();
      const answer = await rig.provision(rig.credentials(0));
      if (answer?.status === 500) expect(answer.body.code).toBe("storage_failed");
      else expect(answer?.status).toBe(200);
      if (answer?.status === 200) {
        const end = await verdict();
        if (end === "storage_failed") expect((await status()).state).toBe("AP_MODE");
      }
      if (leave < 1000)
        expect(answer?.status === 200 ? await verdict() : "storage_failed").toBe("storage_failed");
    },
  );

  it.each(["zeros", "noise 1", "noise 2", "noise 3", "every 64th byte"])(
    "overwritten with %s: its AP comes up and it can be provisioned",
    async (damage) => {
      rig.eraseNvs();
      const before = rig.outcome();
      await rig.powerOn();
      await rig.provision(rig.credentials(0));
      await before;
      await rig.board.powerOff();
      rig.writeNvs(damaged(rig.readNvs(), damage));
      await rig.powerOn();
      await rig.apUp();
      const end = rig.outcome();
      expect((await rig.provision(rig.credentials(1)))?.status).toBe(200);
      expect(await end).toBe("online");
    },
  );
});

function damaged(nvs: Buffer, damage: string): Buffer {
  if (damage === "zeros") return Buffer.alloc(NVS_SIZE);
  if (damage.startsWith("every"))
    return Buffer.from(nvs.map((byte, at) => (at % 64 === 0 ? 0 : byte)));
  let seed = Number(damage.split(" ")[1]);
  // Numerical Recipes' generator: the same noise each time.
  return Buffer.from(
    nvs.map(() => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed >>> 24;
    }),
  );
}
