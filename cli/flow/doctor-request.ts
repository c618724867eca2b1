import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { placeholderFields } from "../../codegen/manifest-fields.js";
import { MANIFEST_NAME } from "../config/load-manifest.js";
import type { GlobalOptions, WorkContext } from "../context.js";
import { ProvError } from "../errors.js";
import { installRoot } from "../paths.js";
import { shellQuote } from "../terminal/shell-quote.js";
import type { DoctorRequest } from "./doctor.js";
import { type Check, failed, warning } from "./doctor-check.js";
import type { BackendToTry, BrokerToTry } from "./doctor-servers.js";
import { openDevices } from "./project.js";

/** The servers to try, and what was found on the way to them. */
export type ServersToTry = Pick<DoctorRequest, "backends" | "brokers" | "found">;

/**
 * What there is to examine: this machine, and the project here if there is one.
 * @param hostBuild what was found of what the lab needs
 * @param labServers finds those of a lab, which then stand in for the manifest's
 * @throws ProvError usage, interrupted
 */
export async function doctorRequest(
  options: GlobalOptions,
  context: WorkContext,
  hostBuild: readonly Check[],
  labServers?: (root: string) => Promise<ServersToTry>,
): Promise<DoctorRequest> {
  const { env, signal } = context;
  const base = { env, signal, hostBuild };
  try {
    const { root, devices } = await openDevices(options, context);
    const servers = labServers ? await labServers(root) : ownServers(devices);
    return { ...base, root, devices, ...servers };
  } catch (error) {
    if (!(error instanceof ProvError) || error.stage === "usage" || error.stage === "interrupted")
      throw error;
    const { config, device } = options;
    const isMeant = config !== MANIFEST_NAME || device !== undefined || labServers !== undefined;
    return { ...base, devices: [], ...noServers(manifestTrouble(error, isMeant)) };
  }
}

/** No server can be tried, and why. */
export function noServers(found: Check): ServersToTry {
  return { backends: [], brokers: [], found: [found] };
}

/** A folder without a manifest is none of prov's projects, which is no fault where nobody says that it is one. */
function manifestTrouble({ code, message, hint }: ProvError, isMeant: boolean): Check {
  const isNone = code === "manifest_not_found" && !isMeant;
  return (isNone ? warning : failed)("manifest", message, hint);
}

/** Those of the manifest, each once, as far as they are more than placeholders. */
function ownServers(devices: readonly DeviceManifest[]): ServersToTry {
  const backends = new Map<string, BackendToTry>();
  const brokers = new Map<string, BrokerToTry>();
  for (const device of devices) {
    const { backend, mqtt } = device;
    const { allSuites } = device.tls;
    const placeholders = placeholderFields(device);
    if (!placeholders.includes("backend.url"))
      backends.set(`${backend.url} ${allSuites} ${backend.ca}`, {
        url: backend.url,
        caPem: backend.ca,
        allSuites,
      });
    if (!placeholders.includes("mqtt.uri"))
      brokers.set(`${mqtt.uri} ${allSuites}`, { uri: mqtt.uri, allSuites });
  }
  return { backends: [...backends.values()], brokers: [...brokers.values()], found: [] };
}

/** prov's own packages are installed from prov's own folder, wherever this is. */
export function howToSetUp(cwd: string): string {
  const root = installRoot();
  if (!existsSync(join(root, "scripts", "setup.mjs"))) return "Install what is missing.";
  return cwd === root
    ? "Run `npm run setup`."
    : `Run \`npm --prefix ${shellQuote(root)} run setup\`.`;
}
