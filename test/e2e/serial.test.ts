import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labUp, type RunningLab } from "../helpers/lab.js";
import { longerSeconds } from "../helpers/longer.js";
import { PROJECT, prov } from "../helpers/prov.js";

let lab: RunningLab;
let tty: string;

beforeAll(async () => {
  lab = await labUp("serial");
  tty = lab.client.info.board.tty ?? "";
});

afterAll(async () => {
  await lab.stop();
});

describe("the virtual board's serial port", () => {
  it("is monitored until the board has booted: exit 0", async () => {
    const { code, stdout, stderr } = await prov([
      "monitor",
      "--port",
      tty,
      "--reset",
      "--until",
      "AP_MODE",
      "--timeout",
      longerSeconds(20),
    ]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/I \(\d+\) prov: state CHECK_PROVISIONING -> AP_MODE/);
  });

  it("is monitored in vain: exit 5", async () => {
    const { code, stdout } = await prov([
      "monitor",
      "--json",
      "--port",
      tty,
      "--until",
      "NEVER_PRINTED",
      "--timeout",
      "1",
    ]);
    const { error } = JSON.parse(stdout);
    expect([code, error.code]).toEqual([5, "monitor_timeout"]);
    expect(error.hint).toContain("--reset restarts it");
  });

  it("is flashed by `prov build` and `prov flash`, and left alone when nothing has changed", async () => {
    expect((await prov(["build", "--target", "host"])).code).toBe(0);
    const flash = () => prov(["flash", "--json", "--target", "host", "--port", tty]);
    const first = await flash();
    expect(first.code, first.stdout).toBe(0);
    const [board] = JSON.parse(first.stdout).boards;
    expect(board.chip).toBe("esp32c3");
    const again = JSON.parse((await flash()).stdout).boards[0];
    for (const region of again.regions) expect(region.written, region.name).toBe(0);

    const app = readFileSync(
      join(PROJECT, ".prov", "devices", "e2e-device", "build", "host", "app.bin"),
    );
    const flashed = readFileSync(join(lab.client.info.airDir, "..", "board", "flash.bin"));
    expect(flashed.subarray(0x10000, 0x10000 + app.length).equals(app)).toBe(true);
  });

  it("is named as written when another port fails", async () => {
    const nowhere = "/dev/ttyNOWHERE";
    const ports = ["--port", tty, "--port", nowhere];
    const { code, stdout } = await prov(["flash", "--json", "--target", "host", ...ports]);
    const { ok, error, boards, failed } = JSON.parse(stdout);
    expect([code, ok, error.code]).toEqual([5, false, "port_not_found"]);
    expect(error.message).toBe(`there is no port ${nowhere}`);
    expect(boards).toEqual([expect.objectContaining({ port: tty, chip: "esp32c3" })]);
    expect(failed).toEqual([
      { port: nowhere, code: "port_not_found", message: expect.stringContaining(nowhere) },
    ]);
  });

  it("refuses an image for another chip", async () => {
    const config = join(PROJECT, "esp32.config.ts");
    writeFileSync(config, 'export default { id: "e2e-esp32", target: "esp32" };\n');
    expect((await prov(["build", "--config", config, "--target", "host"])).code).toBe(0);
    const flash = await prov([
      "flash",
      "--json",
      "--config",
      config,
      "--target",
      "host",
      "--port",
      tty,
    ]);
    expect([flash.code, JSON.parse(flash.stdout).error.code]).toEqual([5, "chip_mismatch"]);
  });

  it("says what is wrong with a port that is not there, and keeps placeholders off real boards", async () => {
    const missing = await prov([
      "flash",
      "--json",
      "--target",
      "host",
      "--port",
      "/dev/ttyNOWHERE",
    ]);
    expect([missing.code, JSON.parse(missing.stdout).error.code]).toEqual([5, "port_not_found"]);
    const placeholder = await prov(["flash", "--json", "--target", "esp32c3", "--port", tty]);
    expect([placeholder.code, JSON.parse(placeholder.stdout).error.code]).toEqual([
      3,
      "manifest_placeholder",
    ]);
  });
});
