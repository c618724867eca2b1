import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FirmwareProcess, startFirmware } from "../../cli/lab/board/firmware-process.js";
import { openFlashChip } from "../../cli/lab/loader/flash-chip.js";
import {
  encodePartitionTable,
  PARTITION_TABLE_OFFSET,
  parsePartitions,
} from "../../codegen/partitions.js";
import { longer } from "../helpers/longer.js";
import { makeNamespaces, type Namespaces, namespacesMissing } from "../helpers/namespaces.js";
import { temporaryDir, writeManifest } from "../helpers/project.js";
import { prov, REPOSITORY, run } from "../helpers/prov.js";

/* The board between two networks, as the kernel sees it: whoever is on its SoftAP is heard, whoever is on the home
   network is not, by whatever address. A process of its own, in a network namespace with a cable to each. */

const missing = namespacesMissing();
if (missing !== null) process.stdout.write(`the SoftAP's interface: skipped, ${missing}\n`);

const PROJECT = join(REPOSITORY, ".cache", "e2e-ap-interface");
const AP = "192.168.4.1";
const STATION = "192.168.77.10";
/** A phone on the SoftAP, a neighbour on the home network, and one on a home network with the SoftAP's numbers. */
const NAMES = ["board", "phone", "neighbour", "twin"] as const;
/** An address of the twin's network that its kernel does not know. */
const NOBODY = "192.168.4.88";
const WAIT_MS = 30_000;
/** curl's word for a connection that was refused. */
const REFUSED = 7;

let net: Namespaces;
let dir: string;
let program: string;
let board: FirmwareProcess | null = null;
let log: string[] = [];
let wake = () => {};

async function build(): Promise<string> {
  writeManifest(PROJECT, 'defineDevice({ id: "between-networks", target: "host" })');
  const { code, stdout, stderr } = await prov(["build", "--json"], { cwd: PROJECT });
  if (code !== 0) throw new Error(`prov build: ${stdout}${stderr}`);
  return JSON.parse(stdout).elf;
}

async function lay(): Promise<void> {
  await net.link(["board", "ap0"], ["phone", "wlan0"]);
  await net.link(["board", "sta0"], ["neighbour", "lan0"]);
  await net.link(["board", "sta1"], ["twin", "lan0"]);
  await net.ip("phone", "address", "add", "192.168.4.2/24", "dev", "wlan0");
  await net.ip("neighbour", "address", "add", "192.168.77.2/24", "dev", "lan0");
  await net.ip("neighbour", "route", "add", "192.168.4.0/24", "via", STATION);
  await net.ip("twin", "address", "add", "192.168.4.77/24", "dev", "lan0");
  await net.ip("board", "address", "add", `${STATION}/24`, "dev", "sta0");
  // What is bound to no interface answers the twin: the route over its cable is the first.
  await net.ip("board", "address", "add", "192.168.4.50/24", "dev", "sta1");
  await net.ip("board", "address", "add", `${AP}/24`, "dev", "ap0", "noprefixroute");
  await net.ip("board", "route", "add", "192.168.4.0/24", "dev", "ap0", "src", AP, "metric", "100");
}

async function boot(): Promise<void> {
  const flashPath = join(dir, "flash.bin");
  log = [];
  board = await startFirmware({
    program,
    flashPath,
    airDir: dir,
    chip: "esp32c3",
    mac: "7cdfa1a1b2c2",
    clock: "unset",
    resetReason: "poweron",
    environment: { PROV_HOST_AP_INTERFACE: "ap0", LD_PRELOAD: join(dir, "late-bind.so") },
    onLine: (line) => {
      log.push(line);
      wake();
    },
    onDiagnostic: (line) => process.stderr.write(`${line}\n`),
  });
}

async function logged(pattern: RegExp): Promise<void> {
  const deadline = AbortSignal.timeout(longer(WAIT_MS));
  while (!log.some((line) => pattern.test(line))) {
    deadline.throwIfAborted();
    await new Promise<void>((resolve) => {
      wake = resolve;
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

/** curl from `name`: its exit code, and the status code of the answer. */
async function ask(name: string, address: string, ...more: string[]) {
  const args = ["curl", "-sS", "-m", "5", "-o", join(dir, "answer"), "-w", "%{http_code}", ...more];
  const { code, stdout } = await net.exec(name, ...args);
  return { code, status: Number(stdout), address };
}

const status = (name: string, address: string) => ask(name, address, `http://${address}/status`);

const reset = (name: string, address: string) =>
  ask(
    name,
    address,
    ...["-H", "Content-Type: application/json", "-d", '{"scope":"all"}'],
    `http://${address}/reset`,
  );

/** The IPv4 address of a name, asked of `server` from `name`; the error's code when there is none. */
async function resolve(name: string, server: string, timeoutMs: number): Promise<string> {
  const script = `const { Resolver } = require("node:dns/promises");
    const resolver = new Resolver({ timeout: ${timeoutMs}, tries: 1 });
    resolver.setServers(["${server}"]);
    resolver.resolve4("a.example").then(([a]) => console.log(a), (error) => console.log(error.code));`;
  return (await net.exec(name, process.execPath, "-e", script)).stdout.trim();
}

interface Handshakes {
  /** To which the server agreed while they were begun. */
  readonly half_open: number;
  readonly answered: number;
}

/** Begins handshakes on the twin's cable until stopped, which ends them; what became of them. */
async function handshakes(server: string): Promise<() => Promise<Handshakes>> {
  const macOf = async (name: string, device: string) =>
    (await net.exec(name, "cat", `/sys/class/net/${device}/address`)).stdout.trim();
  const [server_mac, own_mac] = [await macOf("board", "sta1"), await macOf("twin", "lan0")];
  const neighbour = ["neigh", "replace", NOBODY, "lladdr", own_mac, "dev", "sta1"];
  await net.ip("board", ...neighbour, "nud", "permanent");
  const script = join(REPOSITORY, "test", "support", "half-open.py");
  const answerS = String(longer(1500) / 1000);
  const program = ["python3", script, "lan0", server_mac, NOBODY, server, answerS];
  return (await talk("twin", ...program)) as () => Promise<Handshakes>;
}

interface Knocks {
  readonly attempts: number;
  readonly connected: number;
  readonly answered: number;
}

/** Knocks from `name` until stopped. */
async function knock(name: string, ...doors: string[]): Promise<() => Promise<Knocks>> {
  const script = join(REPOSITORY, "test", "support", "knock.mjs");
  return (await talk(name, process.execPath, script, ...doors)) as () => Promise<Knocks>;
}

/** Starts a program in `name`, and resolves when it has said something; then the end of its input has it sum up. */
async function talk(name: string, ...program: string[]): Promise<() => Promise<unknown>> {
  const [command, args] = net.enter(name, ...program);
  const child: ChildProcess = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  if (!child.stdout) throw new Error("no stdout");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return async () => {
    child.stdin?.end();
    return JSON.parse(String((await lines.next()).value));
  };
}

describe.skipIf(missing !== null)("the board's servers", () => {
  let knocks: Record<string, Knocks>;

  beforeAll(async () => {
    dir = temporaryDir();
    const elf = await build();
    // The moment between the server's first connection and its binding to the SoftAP, made long enough to be met.
    const source = join(REPOSITORY, "test", "support", "late-bind.c");
    await run("cc", ["-shared", "-fPIC", "-o", join(dir, "late-bind.so"), source]);
    net = await makeNamespaces(NAMES);
    await lay();
    const executable = join(dir, "prov_firmware"); // the build folder keeps it without the right to execute it
    copyFileSync(elf, executable);
    chmodSync(executable, 0o700);
    const [command, args] = net.enter("board", executable);
    program = join(dir, "firmware");
    writeFileSync(program, `#!/bin/sh\nexec ${[command, ...args].join(" ")}\n`);
    chmodSync(program, 0o700);
    mkdirSync(join(dir, "aps"));
    writeFileSync(join(dir, "air.json"), JSON.stringify({ networks: [] }));
    const flash = openFlashChip(join(dir, "flash.bin"));
    const partitions = readFileSync(join(REPOSITORY, "firmware", "partitions.csv"), "utf8");
    flash.write(PARTITION_TABLE_OFFSET, encodePartitionTable(parsePartitions(partitions)));
    flash.close();
    // From before the server is there until it has been for a while: its first moment is the one that counts.
    const stops = {
      neighbour: await knock("neighbour", `${STATION}:80`, `${AP}:80`, `${STATION}:80`),
      twin: await knock("twin", `${AP}:80`, "192.168.4.50:80"),
    };
    await boot();
    await logged(/dns: every name/);
    await status("phone", AP);
    knocks = { neighbour: await stops.neighbour(), twin: await stops.twin() };
  });

  afterAll(async () => {
    await board?.powerOff();
    await net?.remove();
  });

  it("hear whoever is on the SoftAP", async () => {
    expect(await status("phone", AP)).toMatchObject({ status: 200 });
    expect(await resolve("phone", AP, longer(10_000))).toBe(AP);
  });

  it.each([
    ["a neighbour who asks for the station's address", "neighbour", STATION],
    ["a neighbour who asks for the SoftAP's address through the station", "neighbour", AP],
    [
      "a home network that has the SoftAP's numbers, by the station's address",
      "twin",
      "192.168.4.50",
    ],
    ["a home network that has the SoftAP's numbers, by the SoftAP's address", "twin", AP],
  ])("do not hear %s", async (_who, name, address) => {
    expect(await status(name, address)).toMatchObject({ code: REFUSED, status: 0 });
    expect(await reset(name, address)).toMatchObject({ code: REFUSED, status: 0 });
    expect(await resolve(name, address, longer(700))).toMatch(/^(ETIMEOUT|ECONNREFUSED)$/);
    expect(await status("phone", AP)).toMatchObject({ status: 200 });
  });

  it.each([
    ["phone", "wlan0", "ap0"],
    ["neighbour", "lan0", "sta0"],
  ])("have no IPv6 address for a %s to try", async (name, near, far) => {
    const { stdout } = await net.exec("board", "ip", "-6", "-br", "address", "show", "dev", far);
    const linkLocal = /fe80:[0-9a-f:]+/.exec(stdout)?.[0];
    if (linkLocal === undefined) return; // a kernel without IPv6
    const address = `[${linkLocal}%25${near}]`;
    expect(await status(name, address)).toMatchObject({ code: REFUSED, status: 0 });
    expect(await reset(name, address)).toMatchObject({ code: REFUSED, status: 0 });
  });

  it("have heard nobody there from their first moment on", () => {
    for (const [name, { attempts, answered }] of Object.entries(knocks)) {
      expect(attempts, name).toBeGreaterThan(10);
      expect(answered, name).toBe(0);
    }
    expect(log.filter((line) => /AP_MODE ssid=/.test(line))).toHaveLength(1);
  });

  it.each([AP, "192.168.4.50"])(
    "answer nobody whose handshake with %s began before they were bound, however late it ends",
    async (address) => {
      await board?.powerOff();
      const end = await handshakes(address);
      await boot();
      await logged(/dns: every name/);
      expect(await status("phone", AP)).toMatchObject({ status: 200 });
      const { half_open, answered } = await end();
      expect(half_open).toBeGreaterThan(0);
      expect(answered).toBe(0);
      expect(await status("phone", AP)).toMatchObject({ status: 200 });
    },
  );

  it("are bound to the SoftAP's interface, again after a restart", async () => {
    const bound = async () => {
      const { stdout } = await net.exec("board", "ss", "-Hlntu");
      const local = stdout.split("\n").flatMap((line) => line.trim().split(/\s+/)[4] ?? []);
      return local.filter((address) => /:(80|53)$/.test(address)).sort();
    };
    const ours = ["0.0.0.0%ap0:80", `${AP}%ap0:53`];
    expect(await bound()).toEqual(ours);
    const exited = board?.exited;
    expect(await reset("phone", AP)).toMatchObject({ status: 200 });
    expect(await exited).toMatchObject({ kind: "restart" });
    await boot();
    await logged(/dns: every name/);
    expect(await bound()).toEqual(ours);
    expect(await status("phone", AP)).toMatchObject({ status: 200 });
  });
});
