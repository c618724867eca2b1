import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { labInstructions } from "../../cli/lab/instructions.js";
import { temporaryDir } from "../helpers/project.js";

const PASSWORD = "correct horse";

/** The instructions of a lab in this folder, and what each program that they call is given. */
function follow(
  dir: string,
  ssid: string,
  parts: { tty?: string | null; baseUrl?: string | null; kind?: "embedded" | "mosquitto" } = {},
) {
  const { tty = null, baseUrl = "http://127.0.0.1:1", kind = "embedded" } = parts;
  mkdirSync(dir, { recursive: true });
  const networks = [{ ssid, psk: PASSWORD }];
  writeFileSync(join(dir, "air.json"), JSON.stringify({ networks }));
  const inDir = (name: string): string => join(dir, name);
  const text = labInstructions({
    name: "desk",
    deviceId: "fern",
    networks,
    baseUrl,
    info: {
      name: "desk",
      pid: 1,
      deviceIds: ["fern"],
      backend: { url: "https://127.0.0.1:2", caPath: inDir("ca.pem") },
      broker: { kind, uri: "mqtts://127.0.0.1:3", caPath: inDir("ca.pem") },
      operator: { certPath: inDir("o"), keyPath: inDir("o"), caPath: inDir("o") },
      spectator: {
        certPath: inDir("cert.pem"),
        keyPath: inDir("key.pem"),
        caPath: inDir("ca.pem"),
      },
      board: { chip: "esp32c3", mac: "7cdfa1001122", tty, modemSocket: null },
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

it("shows where the board is to be seen, and how to watch its log", () => {
  const dir = temporaryDir();
  const { text, calls } = follow(dir, "Home", { tty: "/tmp/a lab/tty" });
  const lines = text.split("\n");
  expect(lines).toContain("its page     http://127.0.0.1:1/");
  expect(lines).toContain("serial port  /tmp/a lab/tty");
  expect(lines).toContain(`air          1 network, with passwords: ${join(dir, "air.json")}`);
  expect(calls).toContainEqual(["npx", "prov", "monitor", "--port", "/tmp/a lab/tty"]);
  expect(text).not.toContain("one at a time");
});

it("says what is not there, and gives no command for it", () => {
  const dir = temporaryDir();
  const { text } = follow(dir, "Home", { baseUrl: null, kind: "mosquitto" });
  expect(text).toContain("its page     none: the board's AP is down\n");
  expect(text).toContain("serial port  none: no ROM loader for an esp32c3\n");
  expect(text).not.toContain("prov monitor");
  expect(text).toContain("as the broker delivers it (to one at a time):");
});
