import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../cli/program.js";
import { projectWith, temporaryDir } from "../helpers/project.js";
import { prov, REPOSITORY } from "../helpers/prov.js";

const COMMANDS =
  "keys codegen build flash monitor ports scan provision status reset run lab doctor".split(" ");

const dir = temporaryDir();
const here = { cwd: dir };

describe("help and version", () => {
  test("--help names every command on stdout and ends with 0", async () => {
    const { code, stdout, stderr } = await prov(["--help"], here);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
    const program = buildProgram(async () => {});
    expect(program.commands.map((command) => command.name())).toEqual(COMMANDS);
  });

  test.each(COMMANDS)("%s --help shows its own and the global options", async (command) => {
    const { code, stdout, stderr } = await prov([command, "--help"], here);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toContain(`Usage: prov ${command}`);
    expect(stdout).toContain("--config <file>");
    expect(stdout).toContain("--json");
  });

  test("--version prints the version of package.json", async () => {
    const { version } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));
    const { code, stdout } = await prov(["--version"], here);
    expect(code).toBe(0);
    expect(stdout).toBe(`${version}\n`);
  });
});

const HOME = ["provision", "--ssid", "Home"];
const OPEN = [...HOME, "--open"];
const RUN = ["run", "--port", "/dev/ttyACM0", "--ssid", "Home"];
const BOARD = "http://192.168.4.1";
const STATUS = ["status", "--url", BOARD];
const ERASE = ["reset", "--scope", "all", "--port", "/dev/ttyACM0"];
const WATCH = ["scan", "--mqtt-ca", "a", "--mqtt-cert", "b", "--mqtt-key", "c"];
const WATCHED = [...WATCH, "--mqtt-username", "u"];
const TOO_LONG_MQTT = "u".repeat(65_536);
const TOO_LONG = "t".repeat(65_000);

const MISUSES: readonly (readonly [name: string, args: readonly string[], says: string])[] = [
  ["an unknown command", ["explode"], "unknown command 'explode'"],
  ["a misspelt command", ["buid"], "(Did you mean build?)"],
  ["an unknown command of help", ["help", "explode"], "unknown command 'explode'"],
  ["an unknown command of lab", ["lab", "explode"], "unknown command 'explode'"],
  ["an unknown option", ["keys", "--explode"], "unknown option '--explode'"],
  ["a misspelt option", ["keys", "--forse"], "(Did you mean --force?)"],
  ["an option without its value", ["keys", "--config"], "argument missing"],
  ["a missing argument", ["lab", "token"], "missing required argument 'device'"],
  ["an argument too many", ["keys", "extra"], "too many arguments"],
  ["a word that is no number", ["flash", "--baud", "fast"], "not a positive whole number"],
  ["a value out of its choices", ["provision", "--wait", "tea"], "Allowed choices"],
  ["a negative time", ["provision", "--timeout", "-1"], "not a number of seconds"],
  ["a lab's name that leads elsewhere", ["lab", "up", "--name", "../../esc"], "1 to 64 of A-Z"],
  ["an empty lab's name", ["lab", "token", "--name", "", "fern"], "must not be empty"],
  ["a long lab's name", ["lab", "info", "--name", "n".repeat(65)], "1 to 64 of A-Z"],
  ["a lab's name with a slash", ["lab", "board", "--name", "a/b", "on"], "1 to 64 of A-Z"],
  ["a name of a lab to use", ["status", "--lab", "../x"], "1 to 64 of A-Z"],
  ["a name of a lab to provision in", ["provision", "--lab", ""], "must not be empty"],
  ["a name of a lab to check", ["doctor", "--lab=.."], "1 to 64 of A-Z"],
  ["an empty target", ["build", "--target", ""], "'--target <chip>' argument '' is invalid"],
  ["an empty port", ["monitor", "--port="], "'--port <port>' argument '' is invalid"],
  ["two devices", ["build", "--device", "a", "--device", "b"], "'--device <id>' is given more"],
  ["an address that is none", ["status", "--url", "192.168.4.1"], "--url is no http:// URL"],
  [
    "an address with a password",
    ["scan", "--url", "http://u:p@board"],
    "--url must not hold a user or a password",
  ],
  ["an AP's name that is too long", ["reset", "--ap", "ü".repeat(17)], "It has 34 bytes"],
  ["a network's name that is too long", ["provision", "--ssid", "€".repeat(11)], "It has 33 bytes"],
  ["an open network with a password", [...OPEN, "--password", "hunter22"], "--open and --password"],
  ["... on stdin", [...OPEN, "--password-stdin"], "--open and --password-stdin"],
  ["two ways to the password", [...HOME, "--password", "p", "--password-stdin"], "exclude each"],
  ["a short password", [...HOME, "--password", "1234567"], "the WiFi password has 7 bytes"],
  ["a long one", [...HOME, "--password", "x".repeat(64)], "the WiFi password has 64 bytes"],
  ["a token with a space", [...OPEN, "--token", "a b"], "the provisioning token holds something"],
  ["a token beyond ASCII", [...OPEN, "--token", "ä"], "the provisioning token holds something"],
  ["a long token", [...OPEN, "--token", TOO_LONG], "the provisioning token has 65000 bytes"],
  ["a long Bearer", [...OPEN, "--no-token", "--bearer", TOO_LONG], "the Bearer token has 65000"],
  ["an operator's key alone", [...OPEN, "--mqtt-key", "k.pem"], "belong together"],
  ["an operator's name alone, to look", ["status", "--mqtt-username", "u"], "belong together"],
  ["a lab and a broker, to reset", ["reset", "--lab", "--mqtt-key", "k"], "--lab brings its own"],
  ["a lab and a broker", [...OPEN, "--lab", "--mqtt-ca", "ca.pem"], "--lab brings its own broker"],
  ["a user name that MQTT has no room for", [...WATCH, "--mqtt-username", TOO_LONG_MQTT], "65536"],
  ["a password, likewise", [...WATCHED, "--mqtt-password", TOO_LONG_MQTT], "--mqtt-password has"],
  ["a token and none", [...OPEN, "--token", "t", "--no-token"], "--token and --no-token exclude"],
  ["... in the other order", [...OPEN, "--no-token", "--token", "t"], "--token and --no-token"],
  [
    "an option in the place of a value",
    ["provision", "--ssid", "--open"],
    "'--ssid <ssid>' argument",
  ],
  ["... of a global one", ["keys", "--device", "--verbose"], "'--device <id>' argument missing"],
  ["a wrong password to run", [...RUN, "--password", "1234567"], "the WiFi password has 7 bytes"],
  ["an open network with a password to run", [...RUN, "--open", "--password", "p"], "exclude each"],
  ["a board with an address, and an AP", [...STATUS, "--ap", "X"], "--url and --ap exclude each"],
  ["... and an adapter", [...STATUS, "--wifi", "nmcli"], "--url and --wifi nmcli exclude each"],
  ["... and an interface", [...STATUS, "--iface", "w"], "--url and --iface exclude each"],
  [
    "a hand-joined AP, by name",
    ["scan", "--wifi", "manual", "--ap", "X"],
    "--wifi manual and --ap",
  ],
  ["the lab's air and an adapter", ["reset", "--lab", "--iface", "w"], "--lab and --iface exclude"],
  ["... to provision", [...OPEN, "--lab", "--wifi", "netsh"], "--lab and --wifi netsh exclude"],
  ["an address and an AP to run", [...RUN, "--url", BOARD, "--ap", "X"], "--url and --ap exclude"],
  ["a lab's broker, and a real board", [...RUN, "--broker", "mosquitto"], "--broker is for the"],
  ["a sanitizer, and a real board", [...RUN, "--sanitize", "address"], "--sanitize is for the"],
  ["an adapter for the virtual board", ["run", "--wifi", "nmcli"], "--wifi is for a real board"],
  ["a line rate for it", ["run", "--baud", "9600"], "--baud is for a real board"],
  ["a line rate without a line", ["reset", "--baud", "9600"], "no --port names one"],
  ["a reset over serial, in a lab", [...ERASE, "--lab"], "--port and --lab exclude each other"],
  ["... at an address", [...ERASE, "--url", BOARD], "--port and --url exclude each other"],
  ["... with an operator", [...ERASE, "--mqtt-ca", "a"], "--port and the operator's"],
  ["an image without --docker", ["build", "--idf-image", "espressif/idf"], "is not given"],
  ["a target that there is none of", ["build", "--target", "esp8266"], "--target: expected one of"],
  ["... to flash", ["flash", "--target", "prototype"], "--target: expected one of"],
  ["a pattern that is none", ["monitor", "--until", "("], "is not a regular expression"],
  ["a filter that is none", ["monitor", "--filter", "wifi:X"], "--filter: expected pairs"],
  [
    "half an address of a port",
    ["flash", "--port", "socket://desk"],
    "expected socket://HOST:PORT",
  ],
  ["... of another protocol", ["monitor", "--port", "tcp://desk:1"], "expected socket://HOST:PORT"],
  ["a device that cannot be", ["lab", "token", "a b"], "a device id is 1 to 64 of A-Z"],
  ["what no board can do", ["lab", "board", "hover"], "expected one of on, off, cut"],
  ["... nor an object", ["lab", "board", "constructor"], "expected one of on, off, cut"],
  ["all boards and one", ["flash", "--all", "--port", "/dev/ttyACM0"], "--all and --port"],
];

describe("no command", () => {
  test.each([
    ["prov", []],
    ["prov lab", ["lab"]],
    ["prov", ["--config", "help"]],
    ["prov", ["--quiet"]],
  ])(
    "%s alone shows its help on stdout, and ends with 2 as git and npm do with theirs",
    async (name, args) => {
      const { code, stdout, stderr } = await prov(args, here);
      expect([code, stderr]).toEqual([2, ""]);
      expect(stdout).toBe((await prov([...name.split(" ").slice(1), "--help"], here)).stdout);
      const { ok, error } = JSON.parse((await prov([...args, "--json"], here)).stdout);
      expect([ok, error.code, error.message]).toEqual([false, "usage", "no command given"]);
    },
  );
});

describe("a wrong command line", () => {
  test.each(MISUSES)("%s: exit 2, what and what next on stderr", async (_name, args, says) => {
    const { code, stdout, stderr } = await prov(args, here);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    const [error, next, ...more] = stderr.trimEnd().split("\n");
    expect(error).toMatch(/^error usage: /);
    expect(error).toContain(says);
    expect(next).toMatch(/^next: .*prov --help/);
    expect(more).toEqual([]);
  });

  test.each(MISUSES)("%s with --json: one document on stdout alone", async (_name, args, says) => {
    // Before the arguments, where `keys --config` cannot take it for its value.
    const { code, stdout, stderr } = await prov(["--json", ...args], here);
    expect(code).toBe(2);
    expect(stderr).toBe("");
    expect(stdout.endsWith("}\n")).toBe(true);
    const { ok, error } = JSON.parse(stdout);
    expect(ok).toBe(false);
    expect(Object.keys(error)).toEqual(["code", "stage", "message", "hint"]);
    expect(error).toMatchObject({ code: "usage", stage: "usage" });
    expect(error.message).toContain(says);
  });
});

test.each(["--passwrod=hunter22", "--tokn=hunter22'x", "--password-stdin=hunter22", "-x=hunter22"])(
  "the value of an option that is unknown is not shown: %s",
  async (option) => {
    const { code, stdout, stderr } = await prov(["provision", option], here);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`unknown option '${option.replace(/=.*/, "")}'`);
    expect(stderr).not.toContain("hunter22");
  },
);

describe("what nothing gave and nobody can be asked for", () => {
  const missing: readonly (readonly [string, readonly string[], string])[] = [
    ["the network", ["provision", "--password", "hunter22", "--token", "t"], "no WiFi network"],
    ["the password", [...HOME, "--token", "t"], "no WiFi password"],
    ["the token", [...HOME, "--password", "hunter22"], "no provisioning token"],
    ["the network, to run", ["run", "--port", "/dev/ttyACM0", "--token", "t"], "no WiFi network"],
    ["the token, to run", [...RUN, "--password", "hunter22"], "no provisioning token"],
  ];
  // In a folder without a manifest: neither it nor the WiFi nor a port has been looked at.
  test.each(missing)("%s: input_missing, exit 2", async (_name, args, says) => {
    const env = { PROV_WIFI_PASSWORD: "", PROV_TOKEN: "" };
    const { code, stdout } = await prov(["--json", ...args], { ...here, env });
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({ code: "input_missing" });
    expect(JSON.parse(stdout).error.message).toContain(says);
  });

  test("--open with a password in the environment is a contradiction", async () => {
    const env = { PROV_WIFI_PASSWORD: "hunter22" };
    const { code, stderr } = await prov([...OPEN, "--no-token"], { ...here, env });
    expect(code).toBe(2);
    expect(stderr).toContain("--open and PROV_WIFI_PASSWORD exclude each other");
  });

  test("--open for a device that joins no open network names the manifest's field", async () => {
    const cwd = projectWith('defineDevice({ id: "fern" })');
    const { code, stderr } = await prov([...OPEN, "--no-token"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("wifi.allowOpen: true in the manifest");
  });
});
