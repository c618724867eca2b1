import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { placeholderFields } from "../../codegen/manifest.js";
import { ProvError } from "../errors.js";
import { listPorts } from "../serial/ports.js";
import { runTool } from "../tool.js";
import { shakeHands } from "./handshake.js";
import { findIdf } from "./idf.js";

export type Verdict = "ok" | "warning" | "failed";

/** One line of the doctor's report. `fix` is there unless the verdict is ok. */
export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  readonly detail: string;
  readonly fix?: string;
}

export interface DoctorRequest {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Checked too when there is one; a missing manifest is one line of the report. */
  readonly manifest: DeviceManifest | ProvError;
  /** The addresses to try; a lab's in the place of the manifest's. */
  readonly backend?: { url: string; caPem: string | null };
  readonly brokerUri?: string;
}

const EXPIRY_WARNING_DAYS = 14;
/** TLS tolerates minutes; more than this and certificates that are fresh look not yet valid. */
const SKEW_WARNING_S = 60;
const DAY_MS = 86_400_000;
const NODE_AT_LEAST = [20, 19] as const;
const TOOLS = ["cc", "cmake", "ninja", "strip", "socat"];
/** Debian's mbedTLS brings nothing for pkg-config. */
const MBEDTLS_HEADER = "mbedtls/version.h";
const INCLUDE_DIRS = ["/usr/include", "/usr/local/include", "/opt/homebrew/include"];
const LIBRARIES = ["libcurl", "libmosquitto", "openssl", "libcjson"];

/** Looks at everything that the chain needs on this machine. Never throws for what it finds. */
export async function examine(request: DoctorRequest): Promise<Check[]> {
  const groups = await Promise.all([
    checkNode(),
    checkTools(request.env),
    checkLibraries(request),
    checkIdf(request),
    checkPorts(),
    checkWifi(request),
    checkManifest(request.manifest),
    request.backend ? checkBackend(request.backend) : [],
    request.brokerUri ? checkBroker(request.brokerUri) : [],
  ]);
  return groups.flat();
}

function checkNode(): Check[] {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const recent =
    major > NODE_AT_LEAST[0] || (major === NODE_AT_LEAST[0] && minor >= NODE_AT_LEAST[1]);
  if (recent) return [{ name: "Node", verdict: "ok", detail: process.versions.node }];
  return [
    {
      name: "Node",
      verdict: "failed",
      detail: process.versions.node,
      fix: `Install Node ${NODE_AT_LEAST.join(".")} or newer.`,
    },
  ];
}

function checkTools(env: NodeJS.ProcessEnv): Check[] {
  const missing = TOOLS.filter((tool) => !onPath(tool, env));
  if (missing.length === 0)
    return [{ name: "host build tools", verdict: "ok", detail: TOOLS.join(", ") }];
  return [
    {
      name: "host build tools",
      verdict: "failed",
      detail: `missing: ${missing.join(", ")}`,
      fix: "Run `npm run setup`.",
    },
  ];
}

async function checkLibraries({ env, signal }: DoctorRequest): Promise<Check[]> {
  const name = "host build libraries";
  if (!onPath("pkg-config", env))
    return [
      { name, verdict: "failed", detail: "pkg-config is missing", fix: "Run `npm run setup`." },
    ];
  const { exitCode, lines } = await runTool({
    command: "pkg-config",
    args: ["--print-errors", "--exists", ...LIBRARIES],
    cwd: "/",
    signal,
  });
  const mbedtls = INCLUDE_DIRS.some((dir) => existsSync(join(dir, MBEDTLS_HEADER)));
  if (exitCode === 0 && mbedtls) {
    return [{ name, verdict: "ok", detail: `${LIBRARIES.join(", ")}, mbedtls` }];
  }
  return [
    {
      name,
      verdict: "failed",
      detail: lines[0] ?? "mbedtls is missing",
      fix: "Run `npm run setup`.",
    },
  ];
}

function checkIdf({ env, manifest }: DoctorRequest): Check[] {
  const chip =
    manifest instanceof ProvError || manifest.target === "host" ? "esp32c3" : manifest.target;
  try {
    return [{ name: "ESP-IDF", verdict: "ok", detail: findIdf(env, chip) }];
  } catch (error) {
    if (!(error instanceof ProvError)) throw error;
    return [
      {
        name: "ESP-IDF",
        verdict: "warning",
        detail: `${error.message}; only the virtual board can be built for`,
        fix: error.hint,
      },
    ];
  }
}

async function checkPorts(): Promise<Check[]> {
  const ports = await listPorts();
  if (ports.length === 0)
    return [
      {
        name: "serial ports",
        verdict: "warning",
        detail: "none",
        fix: "Connect a board with a cable that carries data.",
      },
    ];
  return ports.map((port): Check => {
    const name = `port ${port.path}`;
    try {
      accessSync(port.path, constants.R_OK | constants.W_OK);
      return { name, verdict: "ok", detail: port.name };
    } catch {
      return {
        name,
        verdict: "failed",
        detail: `${port.name}: no permission`,
        fix: "sudo usermod -aG dialout $USER, then log in again.",
      };
    }
  });
}

async function checkWifi({ env, signal }: DoctorRequest): Promise<Check[]> {
  const name = "WiFi service";
  if (process.platform !== "linux")
    return [
      {
        name,
        verdict: "ok",
        detail: `driven through ${process.platform === "darwin" ? "networksetup" : "netsh"}`,
      },
    ];
  const fix =
    "Install and start NetworkManager, or join the board's AP yourself and use `--wifi manual`.";
  if (!onPath("nmcli", env))
    return [{ name, verdict: "warning", detail: "nmcli is not installed", fix }];
  const { lines } = await runTool({
    command: "nmcli",
    args: ["-t", "-f", "DEVICE,TYPE,STATE", "device"],
    cwd: "/",
    env: { LC_ALL: "C" },
    signal,
  });
  const adapters = lines.filter((line) => line.split(":")[1] === "wifi");
  if (adapters.length > 0) return [{ name, verdict: "ok", detail: adapters.join(", ") }];
  return [
    {
      name,
      verdict: "warning",
      detail: lines[0]?.startsWith("Error") ? lines[0] : "no WiFi adapter",
      fix,
    },
  ];
}

function checkManifest(manifest: DeviceManifest | ProvError): Check[] {
  if (manifest instanceof ProvError)
    return [{ name: "manifest", verdict: "failed", detail: manifest.message, fix: manifest.hint }];
  const placeholders = placeholderFields(manifest);
  if (placeholders.length === 0)
    return [{ name: "manifest", verdict: "ok", detail: `${manifest.id} (${manifest.target})` }];
  return [
    {
      name: "manifest",
      verdict: "warning",
      detail: `placeholder in ${placeholders.join(", ")}`,
      fix: "Put your own addresses there before flashing a real board.",
    },
  ];
}

async function checkBackend({
  url,
  caPem,
}: {
  url: string;
  caPem: string | null;
}): Promise<Check[]> {
  const { hostname, port } = new URL(url);
  const seen = await shakeHands({
    host: hostname,
    port: Number(port || 443),
    ca: caPem,
    askTime: true,
  });
  if ("problem" in seen)
    return [
      {
        name: "backend",
        verdict: "failed",
        detail: `${url}: ${seen.problem}`,
        fix: "Check backend.url and backend.ca in the manifest, and the network.",
      },
    ];
  const checks = [expiryCheck("backend", url, seen.validTo)];
  if (seen.skewS !== undefined) {
    const off = Math.abs(seen.skewS) > SKEW_WARNING_S;
    checks.push({
      name: "clock",
      verdict: off ? "failed" : "ok",
      detail: `${seen.skewS} s from the backend's`,
      ...(off
        ? { fix: "Set this machine's clock (NTP): prov hands it to devices that have none." }
        : {}),
    });
  }
  return checks;
}

async function checkBroker(uri: string): Promise<Check[]> {
  const { hostname, port } = new URL(uri);
  // Which CA the broker needs is the backend's to say, so only its presence and dates are looked at.
  const seen = await shakeHands({
    host: hostname,
    port: Number(port || 8883),
    ca: null,
    askTime: false,
    anyCa: true,
  });
  if ("problem" in seen)
    return [
      {
        name: "broker",
        verdict: "failed",
        detail: `${uri}: ${seen.problem}`,
        fix: "Check mqtt.uri in the manifest, and that the port is open.",
      },
    ];
  return [expiryCheck("broker", uri, seen.validTo)];
}

function expiryCheck(name: string, where: string, validTo: Date): Check {
  const days = Math.floor((validTo.getTime() - Date.now()) / DAY_MS);
  const detail = `${where}, certificate for another ${days} days`;
  if (days >= EXPIRY_WARNING_DAYS) return { name, verdict: "ok", detail };
  return {
    name,
    verdict: days < 0 ? "failed" : "warning",
    detail,
    fix: "Renew the server's certificate.",
  };
}

function onPath(tool: string, env: NodeJS.ProcessEnv): boolean {
  return (env.PATH ?? "").split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
