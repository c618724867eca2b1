import type { ChildProcess } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ProvError } from "../../errors.js";
import { readIfPresent, replaceFile } from "../../files/files.js";
import { ensurePrivateDir } from "../../files/private-dir.js";
import { createLineSplitter } from "../../lines.js";
import { hasExited, spawnBound, stopChild } from "../../processes/child.js";
import { requireProgram } from "../../processes/on-path.js";
import { type EventSink, labEvent } from "../events.js";
import { findFreePort } from "../server/listen.js";
import { NO_COMMON_CIPHER, type ServerIdentity } from "../server/server-identity.js";
import type { BrokerOptions, LabBroker } from "./broker.js";
import { MOSQUITTO_ACL } from "./topic-rules.js";

const START_ATTEMPTS = 5;
const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 3_000;
/** Debian puts it where an ordinary user's PATH does not look. */
export const MOSQUITTO_PLACES = [
  "/usr/sbin/mosquitto",
  "/usr/local/sbin/mosquitto",
  "/opt/homebrew/sbin/mosquitto",
];

/**
 * A real mosquitto behind the same interface as the embedded broker. It binds topics and client id to the
 * certificate's CN; where the embedded one refuses another client id, it replaces that by the CN.
 * @param dir for the generated configuration; made private
 * @throws ProvError tool_missing, lab_failed
 */
export async function startMosquitto(dir: string, options: BrokerOptions): Promise<LabBroker> {
  const report = options.onEvent ?? (() => {});
  const files = writeFiles(dir, options);
  let { child, port } = await startOnSomePort(files, options.preferredPort, report);

  return {
    kind: "mosquitto",
    port,
    uri: `mqtts://127.0.0.1:${port}`,
    pause: () => stopChild(child, STOP_GRACE_MS),
    async resume() {
      if (hasExited(child)) child = await start(files, port, report);
    },
    async setServerIdentity(server) {
      writeIdentity(files, server);
      // Reloading on SIGHUP says nothing when it is done; a restart does.
      await stopChild(child, STOP_GRACE_MS);
      child = await start(files, port, report);
    },
    setFaults(faults) {
      if (faults.length === 0) return;
      throw new ProvError("lab_failed", "faults: only the embedded broker can be told to do that");
    },
    stop: () => stopChild(child, STOP_GRACE_MS),
  };
}

async function startOnSomePort(files: Files, preferredPort: number | undefined, report: EventSink) {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort(attempt === 1 ? preferredPort : undefined);
    try {
      return { child: await start(files, port, report), port };
    } catch (error) {
      if (attempt === START_ATTEMPTS || !isAddressInUse(error)) throw error;
    }
  }
}

/** Resolves when it accepts connections. */
async function start(files: Files, port: number, report: EventSink): Promise<ChildProcess> {
  replaceFile(files.conf, configuration(files, port));
  const place = MOSQUITTO_PLACES.find((path) => existsSync(path));
  if (place === undefined) requireProgram("mosquitto", process.env);
  const program = place ?? "mosquitto";
  const child = spawnBound(program, ["-c", files.conf], { stdio: ["ignore", "pipe", "pipe"] });
  const log: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT_MS);
    const splitter = createLineSplitter((line) => {
      if (log.length < 50) log.push(line);
      if (/ running$/.test(line)) {
        clearTimeout(timer);
        resolve();
      }
      reportLine(line, report);
    });
    child.stdout?.on("data", splitter.feed);
    child.stderr?.on("data", splitter.feed);
    child.once("error", (cause) =>
      reject(new ProvError("tool_missing", "cannot start mosquitto", { cause })),
    );
    child.once("close", () => {
      clearTimeout(timer);
      reject(new ProvError("lab_failed", `mosquitto did not start: ${log.slice(-3).join(" | ")}`));
    });
  });
  return child;
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof ProvError && /address already in use/i.test(error.message);
}

type Files = ReturnType<typeof writeFiles>;

function writeFiles(dir: string, options: BrokerOptions) {
  ensurePrivateDir(dir);
  const files = {
    conf: join(dir, "mosquitto.conf"),
    cert: join(dir, "server.pem"),
    key: join(dir, "server-key.pem"),
    ca: join(dir, "ca.pem"),
    /** Absent when nothing is revoked. */
    crl: join(dir, "crl.pem"),
    acl: join(dir, "acl"),
    /** What its TLS is made of. */
    tls: join(dir, "tls"),
  };
  replaceFile(files.ca, options.caPem);
  replaceFile(files.acl, MOSQUITTO_ACL);
  writeIdentity(files, options.server);
  return files;
}

function writeIdentity(files: Files, { certPem, keyPem, crlPem, flaw }: ServerIdentity): void {
  replaceFile(files.tls, tlsLines(flaw).join("\n"));
  replaceFile(files.cert, certPem);
  replaceFile(files.key, keyPem);
  if (crlPem === undefined) rmSync(files.crl, { force: true });
  else replaceFile(files.crl, crlPem);
}

/** @throws ProvError lab_failed for what it cannot be told to do */
function tlsLines(flaw: ServerIdentity["flaw"]): string[] {
  if (flaw === undefined) return ["tls_version tlsv1.2"];
  if (flaw === "tls13_only") return ["tls_version tlsv1.3"];
  if (flaw === "no_common_cipher") return ["tls_version tlsv1.2", `ciphers ${NO_COMMON_CIPHER}`];
  throw new ProvError("lab_failed", `faults: mosquitto cannot show ${flaw}`);
}

function configuration(files: Files, port: number): string {
  return [
    "per_listener_settings false",
    // Started as root it would become `mosquitto`, who cannot read our private files.
    ...(process.getuid?.() === 0 ? ["user root"] : []),
    `listener ${port} 127.0.0.1`,
    `cafile ${files.ca}`,
    `certfile ${files.cert}`,
    `keyfile ${files.key}`,
    ...(existsSync(files.crl) ? [`crlfile ${files.crl}`] : []),
    "require_certificate true",
    "use_identity_as_username true",
    // Whatever client id a client asks for: no device takes another's session over.
    "use_username_as_clientid true",
    "allow_anonymous false",
    `acl_file ${files.acl}`,
    readIfPresent(files.tls) ?? "",
    "persistence false",
    "log_dest stderr",
    "log_type all",
    "",
  ].join("\n");
}

/** Its log lines in the words of the embedded broker's events. */
function reportLine(line: string, report: EventSink): void {
  const text = line.replace(/^\d+: /, "");
  const connect = /^New client connected from \S+ as (\S+) \(.*u'([^']*)'/.exec(text);
  if (connect) report(labEvent("broker", connect[2] ?? null, "connect", "ok", connect[1]));
  const denied = /^Denied PUBLISH from (\S+) \(.*'([^']*)'/.exec(text);
  if (denied) report(labEvent("broker", denied[1] ?? null, "publish", "topic_refused", denied[2]));
  const publish = /^Received PUBLISH from (\S+) \(.*'([^']*)'/.exec(text);
  if (publish) report(labEvent("broker", publish[1] ?? null, "publish", "ok", publish[2]));
  const goodbye = /^Received DISCONNECT from (\S+)/.exec(text);
  if (goodbye) report(labEvent("broker", goodbye[1] ?? null, "goodbye", "ok"));
  const gone = /^Client (\S+) (?:disconnected|closed its connection)/.exec(text);
  if (gone) report(labEvent("broker", gone[1] ?? null, "disconnect", "ok", gone[1]));
  if (/^OpenSSL Error|SSL routines/.test(text)) {
    report(labEvent("broker", null, "connect", "tls_refused", text.slice(0, 200)));
  }
}
