import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labUp, type RunningLab } from "../helpers/lab.js";
import { projectWith, temporaryDir } from "../helpers/project.js";
import { prov, REPOSITORY, run } from "../helpers/prov.js";

interface Check {
  name: string;
  verdict: string;
  detail: string;
  fix?: string;
}

function named(checks: readonly Check[], name: string): Check | undefined {
  return checks.find((check) => check.name === name);
}

describe("prov doctor", () => {
  it("finds this machine fit for the virtual board, and says what a chip would need", async () => {
    const { code, stdout } = await prov(["doctor", "--json"], { env: { IDF_PATH: "" } });
    const { ok, checks } = JSON.parse(stdout);
    expect([code, ok]).toEqual([0, true]);
    expect(named(checks, "host build libraries")?.verdict).toBe("ok");
    expect(named(checks, "manifest")).toMatchObject({
      verdict: "warning",
      detail: expect.stringContaining("backend.url"),
    });
    for (const check of checks)
      if (check.verdict !== "ok") expect(check.fix, check.name).toBeTruthy();
  });

  it("exits 10 with every check and every fix when a tool is missing", async () => {
    const bin = temporaryDir();
    symlinkSync(process.execPath, join(bin, "node"));
    const { code, stdout } = await prov(["doctor", "--json"], { env: { PATH: bin } });
    const { error, checks } = JSON.parse(stdout);
    expect([code, error.code]).toEqual([10, "doctor_failed"]);
    expect(error.hint).toContain(`npm --prefix ${REPOSITORY} run setup`);
    expect(named(checks, "host build tools")).toMatchObject({
      verdict: "failed",
      detail: expect.stringContaining("cmake"),
    });
  });

  it("makes a broken manifest one red line among the others", async () => {
    const { code, stdout } = await prov([
      "doctor",
      "--json",
      "--config",
      "/nowhere/device.config.ts",
    ]);
    const { checks } = JSON.parse(stdout);
    expect(code).toBe(10);
    expect(named(checks, "manifest")?.verdict).toBe("failed");
    expect(named(checks, "Node")?.verdict).toBe("ok");
  });

  it("in a folder that is nobody's project looks at the machine, and names nothing that needs a manifest", async () => {
    const options = { cwd: temporaryDir(), env: { IDF_PATH: "/nowhere" } };
    const { code, stdout } = await prov(["doctor", "--json"], options);
    const { checks } = JSON.parse(stdout);
    expect(code, stdout).toBe(0);
    expect(named(checks, "manifest")).toMatchObject({
      verdict: "warning",
      fix: "Create device.config.ts or name one with --config FILE.",
    });
    expect(named(checks, "ESP-IDF")?.fix).toContain("install.sh all");
    for (const { name, fix } of checks) expect(fix ?? "", name).not.toMatch(/prov \w|npm run/);
    const named404 = await prov(["doctor", "--json", "--config", "other.config.ts"], options);
    expect(named404.code).toBe(10);
  });

  it("what it says how to set up is there to be run", async () => {
    const help = await run("npm", ["--prefix", REPOSITORY, "run"]);
    expect(help.stdout).toMatch(/^ {2}setup$/m);
  });

  it("looks at every device of a manifest, and at one with --device", async () => {
    const cwd = projectWith(`[
      defineDevice({ id: "left", target: "esp32c5", backend: { url: "https://127.0.0.1:1" } }),
      defineDevice({ id: "right", backend: { url: "https://127.0.0.1:1" } }),
      defineDevice({ id: "virtual", target: "host" }),
    ]`);
    const options = { cwd, env: { IDF_PATH: "/nowhere" } };
    const all: Check[] = JSON.parse((await prov(["doctor", "--json"], options)).stdout).checks;
    const manifests = all.filter(({ name }) => name === "manifest");
    expect(manifests.map(({ detail }) => detail.split(":")[0])).toEqual([
      "left (esp32c5)",
      "right (esp32)",
      "virtual (host)",
    ]);
    expect(named(all, "ESP-IDF for esp32c5")?.fix).toContain("install.sh esp32c5");
    expect(named(all, "ESP-IDF for esp32")?.fix).toContain("install.sh esp32\n");
    expect(all.filter(({ name }) => name === "backend")).toHaveLength(1);
    const right = await prov(["doctor", "--json", "--device", "right"], options);
    const one: Check[] = JSON.parse(right.stdout).checks;
    expect(one.filter(({ name }) => name === "manifest")).toHaveLength(1);
    expect(named(one, "ESP-IDF")?.fix).toContain("install.sh esp32\n");
    const nobody = await prov(["doctor", "--json", "--device", "middle"], options);
    expect([nobody.code, JSON.parse(nobody.stdout).error.code]).toEqual([2, "device_unknown"]);
  });

  it("a manifest that cannot be read, and a lab that is not there, are red lines among the others", async () => {
    const folder = temporaryDir();
    mkdirSync(join(folder, "device.config.ts"));
    const unreadable = await prov(["doctor", "--json"], { cwd: folder });
    expect(unreadable.code).toBe(10);
    expect(named(JSON.parse(unreadable.stdout).checks, "manifest")).toMatchObject({
      verdict: "failed",
      detail: expect.stringContaining("it is a folder"),
    });
    const noLab = await prov(["doctor", "--json", "--lab", "nowhere"]);
    expect(noLab.code).toBe(10);
    expect(named(JSON.parse(noLab.stdout).checks, "lab")).toMatchObject({
      verdict: "failed",
      fix: expect.stringContaining("prov lab up"),
    });
  });

  describe("with a lab", () => {
    let lab: RunningLab;
    beforeAll(async () => {
      lab = await labUp("doctor");
    });
    afterAll(async () => {
      await lab.stop();
    });

    it("shakes hands with the backend and the broker and compares the clocks", async () => {
      const { code, stdout } = await prov(["doctor", "--json", "--lab", "doctor"]);
      const { checks } = JSON.parse(stdout);
      expect(code, stdout).toBe(0);
      expect(named(checks, "backend")).toMatchObject({
        verdict: "ok",
        detail: expect.stringContaining(lab.client.info.backend.url),
      });
      expect(named(checks, "broker")).toMatchObject({
        verdict: "ok",
        detail: expect.stringContaining(lab.client.info.broker.uri),
      });
      expect(named(checks, "clock")?.verdict).toBe("ok");
    });

    it("sees a backend that is not to be trusted and a broker that is down", async () => {
      await lab.client.setFaults([
        { server: "backend", kind: "untrusted" },
        { server: "broker", kind: "down" },
      ]);
      const { code, stdout } = await prov(["doctor", "--json", "--lab", "doctor"]);
      const { checks } = JSON.parse(stdout);
      expect(code).toBe(10);
      expect(named(checks, "backend")?.verdict).toBe("failed");
      expect(named(checks, "broker")?.verdict).toBe("failed");
    });
  });
});
