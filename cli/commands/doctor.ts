import { existsSync } from "node:fs";
import { join } from "node:path";
import { type DeviceManifest, placeholderFields } from "../../codegen/manifest.js";
import { MANIFEST_NAME } from "../config/load-manifest.js";
import type { CommandContext, GlobalOptions } from "../context.js";
import { ProvError } from "../errors.js";
import { readText } from "../files/files.js";
import { type DoctorRequest, examine } from "../flow/doctor.js";
import type { Check } from "../flow/doctor-check.js";
import type { BackendToTry } from "../flow/doctor-servers.js";
import { openDevices } from "../flow/project.js";
import { findLab } from "../lab/client.js";
import { checkHostBuild } from "../lab/stages/build-tools.js";
import { installRoot } from "../paths.js";
import type { CommandResult, Output } from "../terminal/output.js";
import { shellQuote } from "../terminal/shell-quote.js";
import { renderTable } from "../terminal/table.js";
import { wrapProse } from "../terminal/wrap-prose.js";
import { labNameOf } from "./options/board.js";

export interface DoctorOptions extends GlobalOptions {
  lab?: string | true;
}

/** `prov doctor`: what this machine has and lacks. Exit 10 when a line is red. */
export function doctorCommand(
  options: DoctorOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
    const request = await prepare(options, context);
    const checks = await examine(request);
    const failed = checks.filter((check) => check.verdict === "failed");
    if (failed.length === 0) return { json: { checks }, text: report(checks, context.out) };
    if (!options.json) context.out.print(report(checks, context.out));
    const fixes = failed.map((check) => `${check.name}: ${check.fix ?? ""}`).join("\n");
    throw new ProvError(
      "doctor_failed",
      `${failed.length} of ${checks.length} checks failed: ${failed.map((check) => check.name).join(", ")}`,
      { hint: fixes, details: { checks } },
    );
  };
}

async function prepare(options: DoctorOptions, context: CommandContext): Promise<DoctorRequest> {
  const { env, signal, cwd } = context;
  const hostBuild = await checkHostBuild(env, signal, howToSetUp(cwd));
  const base = { env, signal, hostBuild };
  try {
    const { root, devices } = await openDevices(options, context);
    const name = labNameOf(options);
    if (name === undefined) return { ...base, root, devices, found: [], ...ownServers(devices) };
    return { ...base, root, devices, ...(await labServers(root, name)) };
  } catch (error) {
    if (!(error instanceof ProvError) || error.stage === "usage" || error.stage === "interrupted")
      throw error;
    return { ...base, devices: [], found: [manifestTrouble(error, options)], ...NO_SERVERS };
  }
}

const NO_SERVERS = { backends: [], brokerUris: [] };

/** A folder without a manifest is none of prov's projects, which is no fault where nobody says that it is one. */
function manifestTrouble(error: ProvError, { config, device, lab }: DoctorOptions): Check {
  const isMeant = config !== MANIFEST_NAME || device !== undefined || lab !== undefined;
  const isNone = error.code === "manifest_not_found" && !isMeant;
  const { message: detail, hint: fix } = error;
  return { name: "manifest", verdict: isNone ? "warning" : "failed", detail, fix };
}

type Servers = Pick<DoctorRequest, "backends" | "brokerUris">;

/** Those of the manifest, each once, as far as they are more than placeholders. */
function ownServers(devices: readonly DeviceManifest[]): Servers {
  const backends = new Map<string, BackendToTry>();
  const brokerUris = new Set<string>();
  for (const device of devices) {
    const { backend, mqtt } = device;
    const placeholders = placeholderFields(device);
    if (!placeholders.includes("backend.url"))
      backends.set(`${backend.url} ${backend.ca}`, { url: backend.url, caPem: backend.ca });
    if (!placeholders.includes("mqtt.uri")) brokerUris.add(mqtt.uri);
  }
  return { backends: [...backends.values()], brokerUris: [...brokerUris] };
}

/** A lab's own, or why there are none. */
async function labServers(root: string, name: string): Promise<Servers & { found: Check[] }> {
  try {
    const { info } = await findLab(root, name);
    const caPem = readText(info.backend.caPath);
    const backends = [{ url: info.backend.url, caPem }];
    return { found: [], backends, brokerUris: [info.broker.uri] };
  } catch (error) {
    if (!(error instanceof ProvError)) throw error;
    const { message: detail, hint: fix } = error;
    return { found: [{ name: "lab", verdict: "failed", detail, fix }], ...NO_SERVERS };
  }
}

/** prov's own packages are installed from prov's own folder, wherever this is. */
function howToSetUp(cwd: string): string {
  const root = installRoot();
  if (!existsSync(join(root, "scripts", "setup.mjs"))) return "Install what is missing.";
  return cwd === root
    ? "Run `npm run setup`."
    : `Run \`npm --prefix ${shellQuote(root)} run setup\`.`;
}

function report(checks: readonly Check[], out: Output): string {
  const mark = {
    ok: out.paint("green", "ok"),
    warning: out.paint("yellow", "warn"),
    failed: out.paint("red", "FAIL"),
  };
  const rows = checks.map((check) => [mark[check.verdict], check.name, check.detail]);
  const fixes = checks
    .filter((check) => check.verdict !== "ok")
    .map((check) => wrapProse(`${check.name}: ${check.fix ?? ""}`, out.columns && out.columns - 2));
  return [
    renderTable(["", "CHECK", "FOUND"], rows, out.columns),
    ...(fixes.length > 0
      ? ["", "To mend:", ...fixes.map((fix) => `  ${fix.replaceAll("\n", "\n  ")}`)]
      : []),
  ].join("\n");
}
