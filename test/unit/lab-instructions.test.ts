import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { labInstructions } from "../../cli/commands/lab-instructions.js";
import { temporaryDir } from "../helpers/project.js";

const PASSWORD = "correct horse";

/** The instructions of a lab in this folder, and what each program that they call is given. */
function follow(dir: string, ssid: string) {
  mkdirSync(dir, { recursive: true });
  const networks = [{ ssid, psk: PASSWORD }];
  writeFileSync(join(dir, "air.json"), JSON.stringify({ networks }));
  const inDir = (name: string): string => join(dir, name);
  const text = labInstructions({
    name: "desk",
    deviceId: "fern",
    networks,
    baseUrl: "http://127.0.0.1:1",
    info: {
      name: "desk",
      pid: 1,
      deviceIds: ["fern"],
      backend: { url: "https://127.0.0.1:2", caPath: inDir("ca.pem") },
      broker: { kind: "embedded", uri: "mqtts://127.0.0.1:3", caPath: inDir("ca.pem") },
      operator: { certPath: inDir("cert.pem"), keyPath: inDir("key.pem"), caPath: inDir("ca.pem") },
      board: { chip: "esp32c3", mac: "7cdfa1001122", tty: null, modemSocket: null },
      airDir: dir,
      controlSocket: inDir("control"),
    },
  });
  const commands = text.split("\n").filter((line) => line.startsWith("  "));
  return { text, calls: callsOf(commands.join("\n")) };
}

/** Runs commands in a POSIX shell in which every program but node only notes its arguments. */
function callsOf(commands: string): string[][] {
  const bin = temporaryDir();
  const log = join(bin, "calls");
  for (const name of ["npx", "curl", "mosquitto_sub"])
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\nprintf '%s\\0' ${name} "$@" >> "${log}"\nprintf '\\n' >> "${log}"\n[ "$3" != token ] || echo TOKEN\n`,
      { mode: 0o755 },
    );
  execFileSync("sh", ["-eu", "-c", commands], {
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  return lines.map((line) => line.split("\0").slice(0, -1));
}

it.each([
  ["plain ones", "lab", "Home"],
  ["those with spaces and quotes", `my "lab", it's $HOME`, `Bob's "net" \`$HOME\` \\n`],
])("the commands that a lab prints work with %s", (_name, folder, ssid) => {
  const dir = join(temporaryDir(), folder);
  const { calls } = follow(dir, ssid);
  expect(calls).toContainEqual([
    ...["npx", "prov", "provision", "--lab", "desk", "--ssid", ssid, "--token", "TOKEN"],
  ]);
  const body = calls.find((call) => call.includes("-d"))?.at(-1) ?? "";
  expect(JSON.parse(body)).toEqual({
    ssid,
    password: PASSWORD,
    device_id: "fern",
    provisioning_token: "TOKEN",
  });
  expect(calls.at(-1)).toEqual([
    ...["mosquitto_sub", "-h", "127.0.0.1", "-p", "3", "--cafile", join(dir, "ca.pem")],
    ...["--cert", join(dir, "cert.pem"), "--key", join(dir, "key.pem"), "-t", "devices/#", "-v"],
  ]);
});

it("quotes nothing that needs no quotes", () => {
  const { text } = follow(join(temporaryDir(), "lab"), "Home");
  expect(text).toContain("--ssid Home --token");
  expect(text).toMatch(/--cafile \/\S+\/ca\.pem --cert/);
});
