import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connectAsync } from "mqtt";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findLab } from "../../cli/lab/client.js";
import { startLab } from "../../cli/lab/lab.js";
import { labDir } from "../../cli/lab/lab-info.js";
import type { Lab, LabOptions } from "../../cli/lab/lab-types.js";
import { isProcessAlive } from "../../cli/processes/alive.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";

let project: string;
let labs: Lab[];

beforeEach(() => {
  project = temporaryDir();
  labs = [];
});

afterEach(async () => {
  for (const lab of labs) await lab.stop();
});

it("describes itself in a private file without secrets, and takes it away at the end", async () => {
  const lab = await start("default");
  const token = lab.issueToken("dev-1");
  const file = join(labDir(project, "default"), "lab.json");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = readFileSync(file, "utf8");
  expect(JSON.parse(text)).toEqual(lab.info);
  expect(text).not.toContain(token);
  expect(text).not.toContain("PRIVATE KEY");
  expect(lab.info).toMatchObject({
    name: "default",
    pid: process.pid,
    deviceIds: ["dev-1"],
    backend: { url: lab.backend.url },
    broker: { kind: "embedded", uri: lab.broker.uri },
  });
  await lab.stop();
  expect(existsSync(file)).toBe(false);
  expect(existsSync(dirname(lab.info.controlSocket))).toBe(false);
  await expect(findLab(project)).rejects.toMatchObject({ code: "lab_not_running" });
});

it("leaves nothing behind that others can read", async () => {
  const lab = await start("default", { broker: "mosquitto" });
  await lab.stop();
  const open = files(labDir(project, "default")).filter((file) => statSync(file).mode & 0o077);
  expect(open).toEqual([]);
});

it("keeps CA, ports and board between runs", async () => {
  const first = await start("default");
  const kept = [first.caPem, first.backend.port, first.broker.port, first.board.mac];
  first.board.flash.write(0x9000, Buffer.from("kept"));
  await first.stop();
  const second = await start("default");
  expect([second.caPem, second.backend.port, second.broker.port, second.board.mac]).toEqual(kept);
  expect(second.board.flash.read(0x9000, 4).toString()).toBe("kept");
});

it("runs beside another one, but not twice", async () => {
  const first = await start("first");
  const second = await start("second");
  const addresses = [first, second].flatMap((lab) => [
    lab.backend.port,
    lab.broker.port,
    lab.board.mac,
    lab.info.controlSocket,
    lab.info.board.tty,
  ]);
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(first.caPem).not.toBe(second.caPem);
  await expect(start("first")).rejects.toMatchObject({
    code: "lab_busy",
    message: expect.stringContaining(`runs already (pid ${process.pid})`),
  });
  expect((await findLab(project, "first")).info).toEqual(first.info);
});

it("takes other ports when its own are in use", async () => {
  const first = await start("first");
  const second = await start("second");
  await second.stop();
  const ports = join(labDir(project, "second"), "ports.json");
  writeFileSync(ports, JSON.stringify({ backend: first.backend.port, broker: first.broker.port }));
  const again = await start("second");
  expect(again.backend.port).not.toBe(first.backend.port);
  expect(again.broker.port).not.toBe(first.broker.port);
});

it("can be driven from outside", async () => {
  const lab = await start("default");
  const client = await findLab(project);
  expect(await client.issueToken("dev-1")).toMatch(/^[A-Za-z0-9_-]{43}$/);
  await expect(client.issueToken("not an id")).rejects.toMatchObject({ code: "usage" });
  expect(await client.boardStatus()).toEqual({ state: "off", baseUrl: null });
  expect(await client.board("power_on")).toEqual({ state: "halted", baseUrl: null }); // empty flash
  expect(await client.board("power_off")).toEqual({ state: "off", baseUrl: null });
  const air = { networks: [{ ...DEFAULT_NETWORK, ssid: "Changed" }] };
  await client.setAir(air);
  expect(await client.air()).toEqual(air);
  expect(lab.air()).toEqual(air);
  const bad = { networks: [{ ...DEFAULT_NETWORK, ssid: "" }] };
  await expect(client.setAir(bad)).rejects.toMatchObject({ code: "usage" });
  expect(lab.air()).toEqual(air);
});

it("lets others follow the log from where they like until they leave", async () => {
  const lab = await start("default");
  const client = await findLab(project);
  lab.board.log.push("first");
  lab.board.log.push("second");
  expect(await collect(client.log())).toEqual(["first", "second"]);
  const leaving = new AbortController();
  const heard: string[] = [];
  for await (const line of client.log({ lines: 1, follow: true, signal: leaving.signal })) {
    heard.push(line);
    if (line === "second") lab.board.log.push("third");
    if (line === "third") leaving.abort();
  }
  expect(heard).toEqual(["second", "third"]);
});

it("ends what its followers read when it stops", async () => {
  const lab = await start("default");
  const client = await findLab(project);
  lab.board.log.push("line");
  const heard: string[] = [];
  for await (const line of client.log({ follow: true })) {
    heard.push(line);
    await lab.stop();
  }
  expect(heard).toEqual(["line"]);
});

it("shows what was seen as events", async () => {
  await start("default");
  const client = await findLab(project);
  await client.board("power_on");
  expect(await collect(client.events())).toMatchObject([
    { source: "board", what: "boot", outcome: "halted" },
  ]);
});

it.each(["embedded", "mosquitto"] as const)("breaks and mends the %s broker", async (broker) => {
  const lab = await start("default", { broker });
  const connect = async (): Promise<void> => {
    const client = await connectAsync(
      lab.broker.uri,
      { ca: lab.caPem, cert: lab.operator.certPem, key: lab.operator.keyPem, reconnectPeriod: 0 },
      false,
    );
    await client.endAsync();
  };
  await connect();
  for (const kind of ["untrusted", "expired", "wrong_host", "down"] as const) {
    await lab.setFaults([{ server: "broker", kind }]);
    await expect(connect(), kind).rejects.toThrow();
  }
  await lab.setFaults([]);
  await connect();
});

it.runIf(process.platform === "linux")("takes its children with it when it is killed", async () => {
  const script = fileURLToPath(new URL("../support/lab-to-kill.ts", import.meta.url));
  const root = labDir(project, "killed");
  const parent = spawn(process.execPath, ["--import", "jiti/register", script, root], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: parent.stdout }), "line");
  const { children, socket }: { children: number[]; socket: string } = JSON.parse(String(line));
  expect(children.length).toBeGreaterThan(1); // mosquitto and socat
  const ended = once(parent, "exit");
  parent.kill("SIGKILL");
  await ended;
  await expect.poll(() => children.filter(isProcessAlive), { timeout: longer(10_000) }).toEqual([]);
  await expect(findLab(project, "killed")).rejects.toMatchObject({ code: "lab_not_running" });
  const sockets = dirname(socket);
  expect(existsSync(sockets)).toBe(true);
  await start("killed"); // the lock is in nobody's way
  expect(existsSync(sockets)).toBe(false);
});

const DEFAULT_NETWORK = {
  ssid: "Home",
  psk: "secret-pass",
  rssi: -50,
  channel: 6,
  auth: "wpa2",
} as const;

async function start(name: string, options: Partial<LabOptions> = {}): Promise<Lab> {
  const lab = await startLab({ root: labDir(project, name), deviceIds: ["dev-1"], ...options });
  labs.push(lab);
  return lab;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function files(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true }).map((entry) =>
    join(entry.parentPath, entry.name),
  );
}
