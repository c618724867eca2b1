import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { DEFAULT_LOADER_CHIP } from "../../codegen/chips.js";
import { DEVICE_ID_PATTERN } from "../../codegen/device-keys.js";
import { ProvError } from "../errors.js";
import { replaceFile } from "../files/files.js";
import { takeLock } from "../files/lock.js";
import { ensurePrivateDir } from "../files/private-dir.js";
import { optional } from "../optional.js";
import { prepareAir, readAir, writeAir } from "./air/air.js";
import { type LabBackend, startBackend } from "./backend/backend.js";
import { createTokenStore, type TokenStore } from "./backend/tokens.js";
import { createVirtualBoard, type VirtualBoard } from "./board/virtual-board.js";
import { type BrokerOptions, type LabBroker, startEmbeddedBroker } from "./broker/broker.js";
import { startMosquitto } from "./broker/mosquitto.js";
import { startControl } from "./control.js";
import type { LabEvent } from "./events.js";
import {
  checkFaults,
  isConnectionFault,
  isPacketFault,
  isRouteFault,
  isServerFault,
  type LabFault,
  type ServerFault,
} from "./faults.js";
import {
  type LabInfo,
  readLabInfo,
  readLastPorts,
  removeLabInfo,
  writeLabInfo,
  writeLastPorts,
} from "./lab-info.js";
import type { Lab, LabOptions } from "./lab-types.js";
import { type LabAuthority, openAuthority, SERVER_FLAWS } from "./pki/authority.js";
import {
  HANDSHAKE_FLAWS,
  type ServerIdentity,
  type TlsIdentity,
} from "./server/server-identity.js";
import { createStream } from "./stream.js";

const SOCKET_PREFIX = "prov-lab-";
const EVENTS_KEPT = 2_000;

/**
 * Starts backend, broker and board (off) on free ports of 127.0.0.1.
 * @throws ProvError lab_busy, lab_failed, tool_missing
 */
export async function startLab(options: LabOptions): Promise<Lab> {
  const root = resolve(options.root);
  ensurePrivateDir(root);
  const lock = takeLock(join(root, "lab.lock"));
  if ("heldBy" in lock) {
    throw new ProvError("lab_busy", `the lab ${basename(root)} runs already (pid ${lock.heldBy})`);
  }
  const undo: (() => unknown)[] = [lock.release];
  try {
    return await start(root, options, undo, lock.release);
  } catch (error) {
    await runAll(undo);
    throw error;
  }
}

async function start(
  root: string,
  options: LabOptions,
  undo: (() => unknown)[],
  release: () => void,
): Promise<Lab> {
  const events = createStream<LabEvent>(EVENTS_KEPT);
  removeOldSockets(root);
  const socketDir = mkdtempSync(join(tmpdir(), SOCKET_PREFIX)); // 0700, and short enough for a socket
  const removeSockets = (): void => rmSync(socketDir, { recursive: true, force: true });
  undo.push(removeSockets);
  const airDir = join(root, "air");
  prepareAir(airDir, options.air);
  const authority = await openAuthority(join(root, "ca"));
  const tokens = createTokenStore();
  const ports = readLastPorts(root);

  const backend = await startBackend({
    authority,
    tokens,
    onEvent: events.push,
    ...optional({
      preferredPort: ports?.backend,
      certificateDates: options.certificateDates,
    }),
  });
  undo.push(backend.stop);
  const broker = await startBroker(join(root, "broker"), options.broker ?? "embedded", {
    caPem: authority.caPem,
    server: await authority.issueServer(),
    onEvent: (event) => {
      const { what, outcome, deviceId } = event;
      if (what === "connect" && outcome === "ok" && deviceId !== null) tokens.settle(deviceId);
      events.push(event);
    },
    ...optional({ preferredPort: ports?.broker }),
  });
  undo.push(broker.stop);
  writeLastPorts(root, { backend: backend.port, broker: broker.port });
  const board = createVirtualBoard({
    dir: join(root, "board"),
    chip: options.chip ?? DEFAULT_LOADER_CHIP,
    airDir,
    mac: macFor(root),
    onEvent: events.push,
    ...optional({ environment: options.firmwareEnvironment }),
  });
  undo.push(board.stop);

  const tty = await openTty(board, join(socketDir, "tty"));
  const operator = await authority.issueOperator();
  const controlSocket = join(socketDir, "control");
  const info = describe(root, options, { backend, broker, board, tty, airDir, controlSocket });
  writeIdentity(info.operator, authority.caPem, operator);
  writeIdentity(info.spectator, authority.caPem, await authority.issueSpectator());

  const lab: Lab = {
    info,
    backend,
    broker,
    board,
    events,
    caPem: authority.caPem,
    operator,
    issueToken: (deviceId, length) => issueToken(tokens, deviceId, length),
    air: () => readAir(airDir),
    setAir: (air) => writeAir(airDir, air),
    setFaults: createFaultSetter(authority, backend, broker),
    stop: () => runAll(undo),
  };
  const control = await startControl(controlSocket, lab);
  undo.push(control.stop);
  writeLabInfo(root, info);
  undo.push(() => removeLabInfo(root));
  // Whoever exits without stop() still leaves nothing that claims to be a running lab.
  const leave = (): void => {
    removeLabInfo(root);
    removeSockets();
    release();
  };
  process.once("exit", leave);
  undo.push(() => process.removeListener("exit", leave));
  return lab;
}

/** A lab that was killed leaves them; we hold its lock, so nobody uses them any more. */
function removeOldSockets(root: string): void {
  const old = readLabInfo(root)?.controlSocket;
  if (old === undefined || !basename(dirname(old)).startsWith(SOCKET_PREFIX)) return;
  rmSync(dirname(old), { recursive: true, force: true });
}

/** The board's serial port; null for a chip whose ROM loader the virtual board does not speak. */
async function openTty(board: VirtualBoard, link: string): Promise<string | null> {
  await board.serial?.openPty(link);
  return board.serial === null ? null : link;
}

function startBroker(dir: string, kind: LabBroker["kind"], options: BrokerOptions) {
  return kind === "mosquitto" ? startMosquitto(dir, options) : startEmbeddedBroker(options);
}

function issueToken(tokens: TokenStore, deviceId: string, length?: number): string {
  if (DEVICE_ID_PATTERN.test(deviceId)) return tokens.issue(deviceId, length);
  throw new ProvError("usage", "a device id has 1 to 64 of A-Z a-z 0-9 _ -");
}

function identityPaths(root: string, name: string): LabInfo["operator"] {
  const inDir = (file: string): string => join(root, name, file);
  return { certPath: inDir("cert.pem"), keyPath: inDir("key.pem"), caPath: inDir("ca.pem") };
}

function writeIdentity(
  paths: LabInfo["operator"],
  caPem: string,
  { certPem, keyPem }: TlsIdentity,
): void {
  replaceFile(paths.caPath, caPem);
  replaceFile(paths.certPath, certPem);
  replaceFile(paths.keyPath, keyPem);
}

interface Parts
  extends Pick<Lab, "backend" | "broker" | "board">,
    Pick<LabInfo, "airDir" | "controlSocket"> {
  readonly tty: string | null;
}

function describe(root: string, options: LabOptions, parts: Parts): LabInfo {
  const caPath = join(root, "ca", "ca.pem");
  return {
    name: basename(root),
    pid: process.pid,
    deviceIds: [...options.deviceIds],
    backend: { url: parts.backend.url, caPath },
    broker: { kind: parts.broker.kind, uri: parts.broker.uri, caPath },
    operator: identityPaths(root, "operator"),
    spectator: identityPaths(root, "spectator"),
    board: {
      chip: parts.board.chip,
      mac: parts.board.mac,
      tty: parts.tty,
      modemSocket: parts.tty === null ? null : `${parts.tty}.ctl`,
    },
    airDir: parts.airDir,
    controlSocket: parts.controlSocket,
  };
}

function createFaultSetter(authority: LabAuthority, backend: LabBackend, broker: LabBroker) {
  const shown = new Map<ServerFault["server"], ServerFault["kind"] | null>();
  return async (raw: readonly LabFault[]): Promise<void> => {
    const faults = checkFaults(raw);
    const ofConnections = (name: string) =>
      faults.filter(isConnectionFault).filter(({ connection }) => connection === name);
    backend.setFaults([...faults.filter(isRouteFault), ...ofConnections("backend")]);
    broker.setFaults([...faults.filter(isPacketFault), ...ofConnections("broker")]);
    const servers = [
      ["backend", backend],
      ["broker", broker],
    ] as const;
    for (const [name, server] of servers) {
      const kind = faults.filter(isServerFault).find((each) => each.server === name)?.kind ?? null;
      if ((shown.get(name) ?? null) === kind) continue;
      shown.set(name, kind);
      if (kind === "down") await server.pause();
      else {
        await server.setServerIdentity(await identityFor(authority, kind));
        await server.resume();
      }
    }
  };
}

async function identityFor(
  authority: LabAuthority,
  kind: Exclude<ServerFault["kind"], "down"> | null,
): Promise<ServerIdentity> {
  if (kind === "revoked") {
    return { ...(await authority.issueServer()), crlPem: authority.revokeDevices() };
  }
  const flaw = HANDSHAKE_FLAWS.find((each) => each === kind);
  if (flaw !== undefined) return { ...(await authority.issueServer()), flaw };
  return authority.issueServer(SERVER_FLAWS.find((each) => each === kind));
}

/** A stable MAC with Espressif's prefix, different for each lab folder. */
function macFor(root: string): string {
  return `7cdfa1${createHash("sha256").update(root).digest("hex").slice(0, 6)}`;
}

/** The last started is the first to go; every step runs, whatever the others do, and only once. */
async function runAll(undo: (() => unknown)[]): Promise<void> {
  const problems: unknown[] = [];
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
    try {
      await step();
    } catch (error) {
      problems.push(error);
    }
  }
  if (problems.length > 0) {
    throw new ProvError("lab_failed", "the lab did not stop cleanly", { cause: problems[0] });
  }
}
