import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labUp, type RunningLab } from "../helpers/lab.js";
import { prov } from "../helpers/prov.js";

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
    const bin = mkdtempSync(join(tmpdir(), "prov-doctor-"));
    symlinkSync(process.execPath, join(bin, "node"));
    const { code, stdout } = await prov(["doctor", "--json"], { env: { PATH: bin } });
    const { error, checks } = JSON.parse(stdout);
    expect([code, error.code]).toEqual([10, "doctor_failed"]);
    expect(error.hint).toContain("npm run setup");
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
