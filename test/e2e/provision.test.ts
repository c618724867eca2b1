import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ssidDigest } from "../../cli/device/ssid-digest.js";
import { freshBoard, labUp, nvsTool, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { longer, longerSeconds } from "../helpers/longer.js";
import { DEVICE_ID, type Outcome, prov } from "../helpers/prov.js";

let lab: RunningLab;

beforeAll(async () => {
  lab = await labUp("provision");
});

afterAll(async () => {
  expect(await lab.stop()).toBe(0);
});

async function provision(
  more: readonly string[],
  password = lab.home.password,
): Promise<Outcome & { document: ReturnType<typeof JSON.parse> }> {
  const outcome = await prov(provisionArgs(lab, more), {
    env: { PROV_WIFI_PASSWORD: password, PROV_TOKEN: "", PROV_BEARER: "user-bearer-token" },
  });
  return { ...outcome, document: JSON.parse(outcome.stdout) };
}

/** The lab knows it, so hints name it. */
const portOf = ({ client }: RunningLab): string => client.info.board.tty ?? "";

describe("prov provision against the lab", () => {
  it("shows the board's own documents in the spelling of its API", async () => {
    await freshBoard(lab);
    const ask = async (command: string) =>
      JSON.parse((await prov([command, "--lab", lab.name, "--json"])).stdout);
    const answer = await fetch(`${await lab.baseUrl()}/status`);
    const { status } = await ask("status");
    expect(await answer.json()).toMatchObject(status);
    expect(status).toMatchObject({ device_id: DEVICE_ID, fw: expect.any(String) });
    expect((await ask("scan")).networks).toContainEqual(
      expect.objectContaining({ ssid: lab.home.ssid, secure: true }),
    );
  });

  it("brings the device online and names the evidence", async () => {
    await freshBoard(lab);
    const { code, document } = await provision(["--token", await lab.token()]);
    expect(code, JSON.stringify(document)).toBe(0);
    expect(document.reached).toBe("mqtt");
    expect(document.evidence.map((item: { witness: string }) => item.witness)).toContain("broker");
    expect(document.mqtt.payload.attempt_id).toBe(document.attempt_id);
    expect(document).toMatchObject({ proof: "broker_delivered", proof_by: "broker" });
    expect(document.mqtt.payload.ssid_digest).toBe(ssidDigest(DEVICE_ID, lab.home.ssid));
  });

  it.each([
    ["lab", "info"],
    ["lab", "token", DEVICE_ID],
    ["lab", "board", "release"],
    ["ports"],
    ["codegen"],
  ])("%s %s: --json prints a document of the one spelling", async (...command) => {
    const args = command[0] === "lab" ? [...command, "--name", lab.name] : command;
    // The helper looks at every key of every document.
    const { code, stdout, stderr } = await prov([...args, "--json"]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).ok).toBe(true);
  });

  it("goes straight to MQTT after a power cycle: no AP, no new CSR", async () => {
    await lab.client.board("power_off");
    const signed = await countEvents("sign-csr");
    const connected = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await lab.client.board("power_on");
    await connected;
    expect(await countEvents("sign-csr")).toBe(signed);
    expect((await lab.client.boardStatus()).baseUrl).toBeNull();
  });

  it("recognises a device that is online already, and changes nothing", async () => {
    const signed = await countEvents("sign-csr");
    const { code, document } = await provision([
      "--timeout",
      longerSeconds(3),
      "--token",
      await lab.token(),
    ]);
    expect(code, JSON.stringify(document)).toBe(0);
    expect(document).toMatchObject({ already_online: true, reached: "mqtt" });
    expect(document).toMatchObject({ proof: "broker_delivered", proof_by: "broker" });
    expect(document.not_used).toEqual(["password", "token", "bearer"]);
    expect(await countEvents("sign-csr")).toBe(signed);
  });

  it("does not take a device on another network for what was asked, and tells how to reset it", async () => {
    const { code, document, stderr } = await provision([
      ...["--timeout", longerSeconds(3), "--ssid", "Elsewhere", "--no-token"],
    ]);
    expect([code, document.error.code], stderr).toEqual([7, "online_elsewhere"]);
    expect(document.error.message).toContain('another network than "Elsewhere"');
    expect(document.error.hint).toContain(`prov reset --scope all --port ${portOf(lab)}`);
    expect(document.stages.at(-1)).toMatchObject({ name: "join", ok: false });
  });

  it("takes no dead device for one that is online, however fresh its message looks", async () => {
    await lab.client.board("power_off");
    const { code, document, stderr } = await provision([
      "--timeout",
      longerSeconds(3),
      "--no-token",
    ]);
    expect([code, document.error.code], stderr).toEqual([6, "ap_not_found"]);
    expect(document.error.message).toContain("the broker does not know the device as online");
    expect(document.error.hint).toContain(`prov monitor --reset --port ${portOf(lab)}`);
  });

  it("submits its CSR again when the certificates are erased", async () => {
    await lab.client.board("power_off");
    expect((await nvsTool(lab, "erase", "device_config", "crt")).code).toBe(0);
    const submitting = lab.enters("SUBMIT_CSR", { fromNow: true });
    await lab.client.board("power_on");
    await submitting;
  });

  it.each(["over the AP", "over serial"])(
    "forgets everything %s and can be provisioned again",
    async (way) => {
      await freshBoard(lab);
      if (way === "over serial") {
        expect((await provision(["--token", await lab.token()])).code).toBe(0);
        const { tty } = lab.client.info.board;
        const ready = lab.enters("AP_MODE", { fromNow: true });
        const reset = await prov(["reset", "--scope", "all", "--port", tty ?? ""]);
        expect(reset.code, reset.stderr).toBe(0);
        await ready;
      } else {
        const ready = lab.enters("AP_MODE", { fromNow: true });
        const reset = await prov(["reset", "--scope", "all", "--lab", lab.name, "--json"]);
        expect(reset.code, reset.stderr).toBe(0);
        await ready;
      }
      expect((await provision(["--token", await lab.token()])).code).toBe(0);
    },
  );

  it("says wifi_wrong_password with exit 7, and takes the right one at once", async () => {
    await freshBoard(lab);
    const token = await lab.token();
    const wrong = await provision(["--token", token], "not-the-password");
    expect(wrong.code).toBe(7);
    expect(wrong.document.error.code).toBe("wifi_wrong_password");
    const right = await provision(["--token", token]);
    expect(right.code, right.stdout).toBe(0);
  });

  it("says wifi_ap_not_found for an SSID that is not there", async () => {
    await freshBoard(lab);
    const outcome = await provision(["--ssid", "Nowhere", "--token", await lab.token()]);
    expect([outcome.code, outcome.document.error.code]).toEqual([7, "wifi_ap_not_found"]);
  });

  it("says token_rejected with exit 8 for a used and for a foreign token", async () => {
    await freshBoard(lab);
    const token = await lab.token();
    expect((await provision(["--token", token])).code).toBe(0);
    await freshBoard(lab);
    const used = await provision(["--token", token]);
    expect([used.code, used.document.error.code]).toEqual([8, "token_rejected"]);
    const foreign = await provision(["--token", await lab.token("another-device")]);
    expect([foreign.code, foreign.document.error.code]).toEqual([8, "token_rejected"]);
  });

  it.each([
    ["broker", 9, "broker_untrusted"],
    ["backend", 8, "backend_untrusted"],
  ] as const)("does not trust a %s with a foreign CA", async (server, exitCode, code) => {
    await freshBoard(lab);
    await lab.client.setFaults([{ server, kind: "untrusted" }]);
    const outcome = await provision(["--token", await lab.token()]);
    expect([outcome.code, outcome.document.error.code]).toEqual([exitCode, code]);
  });

  it("takes a token as long as a JWT can be: to judge it is the backend's", async () => {
    await freshBoard(lab);
    const { code, document } = await provision([
      ...["--token", `${"e".repeat(20)}.${"y".repeat(4000)}.${"s".repeat(74)}`],
    ]);
    expect([code, document.error.code]).toEqual([8, "token_rejected"]);
  });

  it("keeps the Bearer token for the report to the backend", async () => {
    await freshBoard(lab);
    const before = await countEvents("device-report");
    expect((await provision(["--token", await lab.token()])).code).toBe(0);
    let seen = 0; // those of before come first
    for await (const event of lab.client.events({
      follow: true,
      signal: AbortSignal.timeout(longer(10_000)),
    })) {
      if (event.what === "device-report") seen += 1;
      if (seen <= before) continue;
      expect(event).toMatchObject({ outcome: "ok", deviceId: DEVICE_ID });
      break;
    }
    expect(seen).toBe(before + 1);
  });
});

async function countEvents(what: string): Promise<number> {
  let count = 0;
  for await (const event of lab.client.events()) if (event.what === what) count += 1;
  return count;
}
