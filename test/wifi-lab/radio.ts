import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { z } from "zod";
import { STATION_IFACE } from "./air.js";
import {
  parseLink,
  parseScan,
  parseSupplicantLine,
  REASON_NO_AP_FOUND,
  type Sighting,
} from "./radio-parse.js";
import { end, must, run, until } from "./shell.js";

/**
 * The radio of the board's station, for firmware/host/src/wifi_radio.c: scans by iw, associations by
 * wpa_supplicant, addresses by udhcpc, all of them real. It runs in the board's network namespace.
 */
const requestSchema = z.discriminatedUnion("op", [
  z.object({ op: z.literal("scan") }),
  z.object({ op: z.literal("disconnect") }),
  z.object({ op: z.literal("connect"), id: z.int(), ssid: z.string(), password: z.string() }),
]);

interface Attempt {
  id: number;
  ssid: string;
  children: ChildProcess[];
  isOver: boolean;
}

const SUPPLICANT_CONFIG = "/tmp/station.conf";
const DHCP_SCRIPT = "/tmp/udhcpc.sh";
/** One takes 4 s here. */
const SCAN_LIMIT_S = 20;

export async function startRadio(socketPath: string): Promise<{ close(): Promise<void> }> {
  await must("ip", "link", "set", STATION_IFACE, "up");
  writeFileSync(DHCP_SCRIPT, dhcpScript(), { mode: 0o755 });
  rmSync(socketPath, { force: true });
  const undo: (() => Promise<void>)[] = [];
  createServer((socket) => undo.push(serve(socket))).listen(socketPath);
  return {
    close: async () => {
      for (const giveUp of undo) await giveUp();
    },
  };
}

/** Serves one boot of the board; the function returned ends its connection. */
function serve(socket: Socket): () => Promise<void> {
  let attempt: Attempt | null = null;
  const send = (event: object) => {
    if (socket.writable) socket.write(`${JSON.stringify(event)}\n`);
  };
  const giveUp = async () => {
    const given = attempt;
    attempt = null;
    if (given !== null) await stop(given);
  };
  // One request after the other: a connection starts only when the one before has been undone.
  let queue = Promise.resolve();
  createInterface({ input: socket }).on("line", (line) => {
    const request = requestSchema.parse(JSON.parse(line));
    queue = queue.then(async () => {
      if (request.op === "scan") return send({ event: "scanned", networks: await scan() });
      await giveUp();
      if (request.op === "connect") attempt = await connect(request, send);
    });
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    queue = queue.then(giveUp);
  });
  return async () => {
    queue = queue.then(giveUp);
    await queue;
  };
}

/**
 * Every network in reach. `iw scan`, which waits for the end of its scan, has been seen to miss it and
 * to spin for ever; so it is told to start one, and asked to start another until that is not refused
 * as "busy" any more.
 */
async function scan(): Promise<Sighting[]> {
  await startScan();
  const startedAt = performance.now();
  await startScan();
  await run("iw", "dev", STATION_IFACE, "scan", "abort");
  const elapsedMs = performance.now() - startedAt;
  return parseScan(await must("iw", "dev", STATION_IFACE, "scan", "dump"), elapsedMs);
}

async function startScan(): Promise<void> {
  await until("a scan can start", SCAN_LIMIT_S, async () => {
    const outcome = await run("iw", "dev", STATION_IFACE, "scan", "trigger");
    return outcome.code === 0 || undefined;
  });
}

async function connect(
  request: { id: number; ssid: string; password: string },
  send: (event: object) => void,
): Promise<Attempt> {
  const attempt: Attempt = { id: request.id, ssid: request.ssid, children: [], isOver: false };
  // wpa_supplicant would go on looking for ever; the chip's driver gives up after one scan.
  if (!(await scan()).some(({ ssid }) => ssid === request.ssid)) {
    attempt.isOver = true;
    send({ event: "disconnected", id: attempt.id, reason: REASON_NO_AP_FOUND });
    return attempt;
  }
  writeFileSync(SUPPLICANT_CONFIG, supplicantConfig(request.ssid, request.password), {
    mode: 0o600,
  });
  const args = ["-i", STATION_IFACE, "-D", "nl80211", "-c", SUPPLICANT_CONFIG];
  const child = spawn("wpa_supplicant", args, { stdio: ["ignore", "pipe", "inherit"] });
  attempt.children.push(child);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = parseSupplicantLine(line);
    if (event === null || attempt.isOver) return;
    process.stdout.write(`radio: ${line}\n`);
    if (event.kind === "connected") {
      associated(attempt, event.bssid, send).catch((error) => process.stdout.write(`${error}\n`));
      return;
    }
    attempt.isOver = true;
    send({ event: "disconnected", id: attempt.id, reason: event.reason });
  });
  return attempt;
}

async function associated(
  attempt: Attempt,
  bssid: string,
  send: (event: object) => void,
): Promise<void> {
  const link = parseLink(await must("iw", "dev", STATION_IFACE, "link"));
  const auth = (await must("iw", "dev", STATION_IFACE, "scan", "dump")).includes("RSN:")
    ? "wpa2"
    : "open";
  if (attempt.isOver) return;
  send({ event: "associated", id: attempt.id, ssid: attempt.ssid, bssid, auth, ...link });
  const args = ["udhcpc", "-i", STATION_IFACE, "-f", "-q", "-n", "-t", "8", "-T", "2"];
  const child = spawn("busybox", [...args, "-s", DHCP_SCRIPT], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  attempt.children.push(child);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [word, ip, netmask, gateway] = line.split(" ");
    if (word !== "ADDRESS" || attempt.isOver) return;
    send({ event: "address", id: attempt.id, ip, netmask, gateway: gateway || ip });
  });
}

async function stop(attempt: Attempt): Promise<void> {
  attempt.isOver = true;
  for (const child of attempt.children) await end(child);
  await run("ip", "addr", "flush", "dev", STATION_IFACE);
  await run("ip", "link", "set", STATION_IFACE, "up");
}

function supplicantConfig(ssid: string, password: string): string {
  const psk = /^[0-9a-f]{64}$/i.test(password) ? password : `"${password}"`;
  const key = password === "" ? "key_mgmt=NONE" : `key_mgmt=WPA-PSK\n  psk=${psk}`;
  const hex = Buffer.from(ssid).toString("hex");
  return `network={\n  ssid=${hex}\n  scan_ssid=1\n  ${key}\n}\n`;
}

function dhcpScript(): string {
  return `#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
[ -n "$router" ] && ip route replace default via "$router" dev "$interface"
echo "ADDRESS $ip $subnet $router"
`;
}
