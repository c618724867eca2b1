import { accessSync, constants } from "node:fs";
import type { Chip } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { placeholderFields } from "../../codegen/manifest-fields.js";
import { HOST_FAILURES, ProvError } from "../errors.js";
import { isNodeSupported, NODE_AT_LEAST } from "../node-version.js";
import { isOnPath } from "../processes/on-path.js";
import { runTool } from "../processes/tool.js";
import { listPorts } from "../serial/ports.js";
import { type Check, failed, ok, warning } from "./doctor-check.js";
import { checkTracked } from "./doctor-git.js";
import {
  type BackendToTry,
  type BrokerToTry,
  checkBackend,
  checkBroker,
} from "./doctor-servers.js";
import { findIdf, howToInstall } from "./idf.js";

export interface DoctorRequest {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** The folder of the manifest. */
  readonly root?: string;
  /** The devices of the manifest; none where there is no manifest, which is no fault of the machine. */
  readonly devices: readonly DeviceManifest[];
  /** What is to be said besides: of a manifest that is missing or wrong, of a lab. */
  readonly found: readonly Check[];
  /** The addresses to try; a lab's in the place of the manifest's. */
  readonly backends: readonly BackendToTry[];
  readonly brokers: readonly BrokerToTry[];
  /** What the virtual board's firmware is built with. */
  readonly hostBuild: readonly Check[];
}

/** Looks at everything that the chain needs on this machine. Never throws for what it finds. */
export async function examine(request: DoctorRequest): Promise<Check[]> {
  const groups = await Promise.all([
    checkNode(),
    request.hostBuild,
    checkIdf(request),
    checkPorts(),
    checkWifi(request),
    request.found,
    request.devices.map(checkDevice),
    request.root !== undefined && isOnPath("git", request.env)
      ? checkTracked(request.root, request.signal)
      : [],
    ...request.backends.map(checkBackend),
    ...request.brokers.map(checkBroker),
  ]);
  return groups.flat();
}

function checkNode(): Check[] {
  if (isNodeSupported(process.versions.node)) return [ok("Node", process.versions.node)];
  const fix = `Install Node ${NODE_AT_LEAST.join(".")} or newer.`;
  return [failed("Node", process.versions.node, fix)];
}

/** One line where the same ESP-IDF does for all chips, or else one for each. */
function checkIdf({ env, devices }: DoctorRequest): Check[] {
  const chips = [...new Set(devices.map(({ target }) => target))].filter((chip) => chip !== "host");
  if (chips.length === 0) return [idfFor(env, undefined)];
  const checks = chips.map((chip) => idfFor(env, chip));
  const [first] = checks;
  if (first && checks.every(({ verdict, detail }) => verdict === "ok" && detail === first.detail))
    return [first];
  return checks.map((check, index) =>
    chips.length === 1 ? check : { ...check, name: `${check.name} for ${chips[index]}` },
  );
}

/** @param chip undefined: any will do, and there is nothing that could be built in a container */
function idfFor(env: NodeJS.ProcessEnv, chip: Chip | undefined): Check {
  try {
    return ok("ESP-IDF", findIdf(env, chip ?? "esp32"));
  } catch (error) {
    if (!(error instanceof ProvError)) throw error;
    const fix = chip === undefined ? howToInstall("all") : error.hint;
    return warning("ESP-IDF", `${error.message}; only the virtual board can be built for`, fix);
  }
}

async function checkPorts(): Promise<Check[]> {
  const ports = await listPorts();
  if (ports.length === 0)
    return [warning("serial ports", "none", "Connect a board with a cable that carries data.")];
  return ports.map((port): Check => {
    const name = `port ${port.path}`;
    try {
      accessSync(port.path, constants.R_OK | constants.W_OK);
      return ok(name, port.name);
    } catch {
      return failed(name, `${port.name}: no permission`, HOST_FAILURES.port_forbidden.hint);
    }
  });
}

async function checkWifi({ env, signal }: DoctorRequest): Promise<Check[]> {
  const name = "WiFi service";
  if (process.platform !== "linux")
    return [ok(name, `driven through ${process.platform === "darwin" ? "networksetup" : "netsh"}`)];
  const fix =
    "Install and start NetworkManager, or join the board's AP yourself and use `--wifi manual`.";
  if (!isOnPath("nmcli", env)) return [warning(name, "nmcli is not installed", fix)];
  const { lines } = await runTool({
    command: "nmcli",
    args: ["-t", "-f", "DEVICE,TYPE,STATE", "device"],
    cwd: "/",
    env: { LC_ALL: "C" },
    signal,
  });
  const adapters = lines.filter((line) => line.split(":")[1] === "wifi");
  if (adapters.length > 0) return [ok(name, adapters.join(", "))];
  return [warning(name, lines[0]?.startsWith("Error") ? lines[0] : "no WiFi adapter", fix)];
}

function checkDevice(manifest: DeviceManifest): Check {
  const { id, target } = manifest;
  const placeholders = placeholderFields(manifest);
  if (placeholders.length === 0) return ok("manifest", `${id} (${target})`);
  return warning(
    "manifest",
    `${id} (${target}): placeholder in ${placeholders.join(", ")}`,
    "Put your own addresses there before flashing a real board.",
  );
}
