import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isSigned } from "../../cli/lab/events.js";
import { createCa } from "../../cli/lab/pki/ca.js";
import { runStep } from "../helpers/ci-recipe.js";
import { longerSeconds } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
import { PROJECT, prov } from "../helpers/prov.js";
import { served } from "../helpers/served.js";
import {
  config,
  DEVICE_ID,
  forgetEverything,
  idf,
  lab,
  type Operator,
  operatorArgs,
  otherConfig,
  provision,
  recipeSteps,
  runOnPort,
  url,
} from "../helpers/workbench.js";

interface Shown {
  witness: string;
  milestone: string;
}

const witnessesOf = (evidence: Shown[]) => new Set(evidence.map(({ witness }) => witness));

describe("prov run --port", () => {
  it("goes from the manifest to the status message that the operator's certificate sees", async () => {
    const junit = join(temporaryDir(), "new-folder", "report.xml");
    const { code, stderr, document } = await runOnPort(...operatorArgs(), "--junit", junit);
    expect(code, stderr).toBe(0);
    expect(document).toMatchObject({ ok: true, device: DEVICE_ID, reached: "mqtt" });
    expect(document.mqtt.topic).toBe(`devices/${DEVICE_ID}/status`);
    expect(document.mqtt.payload).toMatchObject({ device_id: DEVICE_ID, status: "connected" });
    expect(witnessesOf(document.evidence)).toContain("broker");
    const names = document.stages.map((stage: { name: string }) => stage.name);
    expect(names).toEqual([
      ...["keys", "codegen", "build", "flash", "boot", "join", "scan", "provision"],
      ...["enrol", "mqtt"],
    ]);
    const cases = readFileSync(junit, "utf8").match(/<testcase [^>]*name="\w+"/g);
    expect(cases).toHaveLength(names.length);
    expect(idf.calls()).toHaveLength(1);
  });

  it("recognises the device that is online, by its log and by the broker", async () => {
    const { code, stderr, document } = await runOnPort(...operatorArgs());
    expect(code, stderr).toBe(0);
    expect(document).toMatchObject({ ok: true, reached: "mqtt", already_online: true });
    expect(document.mqtt.payload).toMatchObject({ status: "connected" });
    expect(witnessesOf(document.evidence)).toEqual(new Set(["log", "broker"]));
    expect(stderr).toContain("what was given here has not been sent to it");
  });

  it("recognises it without an operator's certificate too", async () => {
    const { code, stderr, document } = await runOnPort();
    expect(code, stderr).toBe(0);
    expect(document).toMatchObject({ ok: true, reached: "mqtt", already_online: true });
    expect(document).toMatchObject({ proof: "device_word", proof_by: "log" });
    expect(document.not_used).toEqual(["password", "token"]);
    expect(witnessesOf(document.evidence)).toEqual(new Set(["log"]));
  });

  it.each<[string, () => string[]]>([
    ["the broker", operatorArgs],
    ["its log alone", () => []],
  ])("is an error when it is online on another network, by %s", async (_whose, more) => {
    const { code, stderr, document } = await runOnPort(...more(), "--ssid", "Elsewhere");
    expect([code, document.error.code], stderr).toEqual([7, "online_elsewhere"]);
    const { tty } = lab.client.info.board;
    expect(document.error.hint).toContain(`prov reset --scope all --port ${tty}`);
    expect(document.stages.at(-1)).toMatchObject({ name: "mqtt", ok: false });
  });

  it("`prov provision` recognises it although its AP is gone", async () => {
    expect((await lab.client.boardStatus()).baseUrl).toBeNull();
    const { code, stdout, stderr } = await provision(
      ...operatorArgs(),
      "--timeout",
      longerSeconds(8),
    );
    expect(code, stderr).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ ok: true, reached: "mqtt", already_online: true });
    expect(document.attempt_id).toBeUndefined();
    expect(witnessesOf(document.evidence)).toEqual(new Set(["broker"]));
  });

  describe("what asks over its AP looks at once whether it is online", () => {
    const ask = (...args: string[]) => askAs(config, ...args);
    const askAs = async (manifest: string, ...args: string[]) => {
      const way = ["--wifi", "manual", "--url", url, "--json", "--config", manifest];
      const { code, stdout, stderr } = await prov([...args, ...way]);
      return { code, stderr, document: JSON.parse(stdout) };
    };

    it("`prov status` shows what the broker has of it", async () => {
      const { code, stderr, document } = await ask("status", ...operatorArgs());
      expect(code, stderr).toBe(0);
      expect(document).toMatchObject({ ok: true, device: DEVICE_ID, source: "broker" });
      expect(document.mqtt.topic).toBe(`devices/${DEVICE_ID}/status`);
      expect(document.mqtt.payload).toMatchObject({ device_id: DEVICE_ID, status: "connected" });
      expect(document.ap).toBeUndefined();
      const people = await prov(["status", "--url", url, "--config", config, ...operatorArgs()]);
      expect(people.stdout).toMatch(/source +the broker mqtts:.*it is online/);
      expect(people.stdout).toMatch(/uptime_s +\d/);
    });

    it.each([["scan"], ["reset"]])("`prov %s` cannot reach it, and names the way", async (verb) => {
      const { code, stderr, document } = await ask(verb, ...operatorArgs());
      expect([code, document.error.code], stderr).toEqual([6, "device_online"]);
      expect(document.error.message).toContain(`${DEVICE_ID} is online`);
      expect(document.error.hint).toContain("prov reset --scope all --port PORT");
      expect(document.evidence).toMatchObject([{ witness: "broker", milestone: "mqtt" }]);
    });

    it("its log is a witness too, and `prov status` has its word", async () => {
      const port = ["--port", lab.client.info.board.tty ?? ""];
      const status = await ask("status", ...port);
      expect(status.code, status.stderr).toBe(0);
      expect(status.document).toMatchObject({ device: DEVICE_ID, source: "log" });
      const scan = await ask("scan", ...port, ...operatorArgs());
      expect([scan.code, scan.document.error.code], scan.stderr).toEqual([6, "device_online"]);
      expect(witnessesOf(scan.document.evidence)).toEqual(new Set(["log", "broker"]));
      expect(scan.document.error.hint).toContain(`prov reset --scope all ${port.join(" ")}`);
      const other = await askAs(otherConfig(), "status", ...port);
      expect([other.code, other.document.error.code]).toEqual([6, "device_mismatch"]);
    });

    it.each([["status"], ["scan"], ["reset"]])(
      "without a witness, `prov %s` tells how to know",
      async (verb) => {
        const { code, stderr, document } = await ask(verb, "--timeout", "0.5");
        expect([code, document.error.code], stderr).toEqual([6, "ap_unreachable"]);
        expect(document.error.hint).toContain("or it is online already, and then has no AP");
        expect(document.error.hint).toContain("prov monitor --reset --port PORT");
        expect(document.error.hint).toContain("prov reset --scope all --port PORT");
      },
    );
  });

  it("without an operator's certificate goes by the device's own word, and says so", async () => {
    await forgetEverything();
    const asked = await prov(["status", "--json", "--config", config, "--url", url]);
    expect(asked.code, asked.stderr).toBe(0);
    expect(JSON.parse(asked.stdout)).toMatchObject({ source: "ap", status: { state: "AP_MODE" } });
    expect(JSON.parse(asked.stdout).ap).toBeUndefined();
    const { code, stderr, document } = await runOnPort();
    expect(code, stderr).toBe(0);
    expect(document).toMatchObject({ ok: true, reached: "mqtt" });
    expect(document.mqtt).toBeUndefined();
    expect(document.proof).toBe("device_word");
    expect(witnessesOf(document.evidence)).not.toContain("broker");
    expect(stderr).toContain("the board's own word is the evidence");
  });

  it("fails with the device's own reason, in the report too", async () => {
    await forgetEverything();
    const junit = join(temporaryDir(), "report.xml");
    const { client, home } = lab;
    const air = await client.air();
    const networks = air.networks.map((network) =>
      network.ssid === home.ssid ? { ...network, psk: "changed since then" } : network,
    );
    await client.setAir({ ...air, networks });
    try {
      const { code, document } = await runOnPort("--junit", junit);
      expect([code, document.error.code]).toEqual([7, "wifi_wrong_password"]);
      expect(readFileSync(junit, "utf8")).toMatch(/<failure type="wifi_wrong_password"/);
    } finally {
      await client.setAir(air);
    }
  });
});

describe("the recipe for CI in the README", () => {
  async function countSigned(): Promise<number> {
    let count = 0;
    for await (const event of lab.client.events()) if (isSigned(event, DEVICE_ID)) count += 1;
    return count;
  }

  it("provisions the same board night after night, also when it is online from the last one", async () => {
    const folder = temporaryDir();
    const recipe = recipeSteps(folder);
    expect(recipe).toHaveLength(5);
    const before = await countSigned();
    for (const night of [1, 2]) {
      let last = "";
      for (const step of recipe) {
        const { code, stdout, stderr } = await runStep(step, PROJECT);
        expect(code, `night ${night}: ${step.run}\n${stdout}${stderr}`).toBe(0);
        last = stdout;
      }
      const document = JSON.parse(last);
      expect(document).toMatchObject({ ok: true, reached: "mqtt", already_online: false });
      expect(await countSigned()).toBe(before + night);
      expect(readFileSync(join(folder, "provision.xml"), "utf8")).toContain('failures="0"');
    }
  });
});

describe("an operator's certificate that is of no use", () => {
  it("is named when the broker has another CA; the device's own word is the evidence then", async () => {
    await forgetEverything();
    const { operator } = lab.client.info;
    const foreign = join(temporaryDir(), "foreign.pem");
    writeFileSync(foreign, (await createCa({ commonName: "somebody else" })).certPem);
    const { code, stdout, stderr } = await provision(
      ...["--mqtt-ca", foreign, "--mqtt-cert", operator.certPath, "--mqtt-key", operator.keyPath],
      ...["--timeout", longerSeconds(15)],
    );
    expect(code, stderr).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.unheard).toMatchObject([{ witness: "broker" }]);
    expect(document.unheard[0].reason).toMatch(/cannot watch the broker .*certificate/);
    expect(stderr).toContain("the broker was no witness");
  });

  it.each([
    ["a CA that is none", (own: Operator) => [config, own.certPath, own.keyPath]],
    ["a certificate that is none", (own: Operator) => [own.caPath, config, own.keyPath]],
    ["a key that is none", (own: Operator) => [own.caPath, own.certPath, own.certPath]],
  ])("%s is a mistake, before anything is done", async (_what, files) => {
    const [ca = "", certificate = "", key = ""] = files(lab.client.info.operator);
    const { code, stdout } = await provision(
      ...["--mqtt-ca", ca, "--mqtt-cert", certificate, "--mqtt-key", key],
    );
    expect([code, JSON.parse(stdout).error.code]).toEqual([2, "usage"]);
  });
});

describe("the operator's user name and password", () => {
  it.each([
    ["a password without a user name", ["--mqtt-password", "p"]],
    ["a user name without a certificate", ["--mqtt-username", "u"]],
  ])("%s is a mistake, before anything is done", async (_what, args) => {
    const { code, stdout } = await provision(...args);
    expect([code, JSON.parse(stdout).error.code]).toEqual([2, "usage"]);
  });
});

describe("options that cannot be meant", () => {
  it.each([
    ["--ssid", "Home"],
    ["--token", "t"],
    ["--password", "p"],
  ])("%s without a port is not taken for the virtual board's", async (flag, value) => {
    const { code, stdout } = await prov(["run", "--json", "--config", config, flag, value]);
    expect([code, JSON.parse(stdout).error.code]).toEqual([2, "usage"]);
    expect(JSON.parse(stdout).error.message).toContain(flag);
  });

  it.each(["0", "1e9", "soon"])("--timeout %s is no time", async (value) => {
    const { code, stdout } = await prov(["provision", "--json", "--timeout", value]);
    expect([code, JSON.parse(stdout).error.code]).toEqual([2, "usage"]);
  });

  it("an address that hangs up on every call is no board", async () => {
    const server = createServer((socket) => socket.destroy());
    const board = `http://127.0.0.1:${await served(server)}`;
    const { code, stdout } = await provision("--url", board, "--timeout", "1");
    expect([code, JSON.parse(stdout).error.code]).toEqual([6, "ap_unreachable"]);
  });

  it("a report that cannot be written stops the run before anything is done", async () => {
    const folder = join(temporaryDir(), "folder");
    mkdirSync(folder);
    const { code, document } = await runOnPort("--junit", folder);
    expect([code, document.error.code]).toEqual([10, "file_inaccessible"]);
    expect(document.stages).toBeUndefined();
  });

  it("a certificate that cannot be read is named", async () => {
    const { code, document } = await runOnPort(
      ...["--mqtt-ca", "/nowhere/ca.pem", "--mqtt-cert", "/nowhere/c", "--mqtt-key", "/nowhere/k"],
    );
    expect([code, document.error.code]).toEqual([10, "file_inaccessible"]);
    expect(document.error.message).toContain("/nowhere/ca.pem");
  });

  it("what fails before the first stage is a failure in the report", async () => {
    const junit = join(temporaryDir(), "report.xml");
    const { code } = await prov(
      ["provision", "--config", config, "--ssid", "Home", "--no-input", "--junit", junit],
      { env: { PROV_WIFI_PASSWORD: "" } },
    );
    expect(code).toBe(2);
    expect(readFileSync(junit, "utf8")).toMatch(/failures="1"[\s\S]*type="input_missing"/);
  });
});
