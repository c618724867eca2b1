import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { spawnBound } from "../../cli/processes/child.js";
import { childEnvironment } from "../../cli/processes/child-environment.js";
import { runTool } from "../../cli/processes/tool.js";
import { createBacktraceDecoder } from "../../cli/serial/backtrace.js";
import { runCommand } from "../../cli/wifi/command.js";
import { temporaryDir } from "../helpers/project.js";

const SECRETS = {
  PROV_WIFI_PASSWORD: "secret-password",
  PROV_TOKEN: "secret-token",
  PROV_BEARER: "secret-bearer",
  PROV_MQTT_PASSWORD: "secret-mqtt",
};

beforeEach(() => void Object.assign(process.env, SECRETS, { PLANT: "fern" }));
afterEach(() => {
  for (const name of [...Object.keys(SECRETS), "PLANT"]) delete process.env[name];
});

function expectNoSecret(environment: string): void {
  expect(environment).toContain("PLANT=fern");
  expect(environment).not.toMatch(/secret-|PROV_(WIFI_PASSWORD|TOKEN|BEARER|MQTT_PASSWORD)/);
}

test("is this one's without the secrets", () => {
  expect(childEnvironment({ ...SECRETS, PLANT: "fern" })).toEqual({ PLANT: "fern" });
});

test("is what a tool gets", async () => {
  const signal = new AbortController().signal;
  const { lines } = await runTool({ command: "env", args: [], cwd: "/", signal });
  expectNoSecret(lines.join("\n"));
});

test("is what the host's WiFi tool gets", async () => {
  const { stdout } = await runCommand({ file: "env", args: [] });
  expectNoSecret(stdout);
});

test("is what a part of the lab gets", async () => {
  const child = spawnBound("env", [], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += String(chunk);
  });
  await once(child, "close");
  expectNoSecret(text);
});

test("is what addr2line gets", async () => {
  const dir = temporaryDir();
  const addr2line = join(dir, "addr2line");
  writeFileSync(addr2line, "#!/bin/sh\nenv\n");
  chmodSync(addr2line, 0o755);
  const decoder = createBacktraceDecoder({ elf: addr2line, chip: "esp32c3", addr2line });
  const lines = await decoder?.decode("MEPC    : 0x42001234");
  expectNoSecret((lines ?? []).join("\n"));
});
