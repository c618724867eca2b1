import { readFileSync } from "node:fs";
import { placeholderFields } from "../../codegen/manifest.js";
import type { CommandContext, GlobalOptions } from "../context.js";
import { ProvError } from "../errors.js";
import { type Check, type DoctorRequest, examine } from "../flow/doctor.js";
import { findLab } from "../lab/client.js";
import type { CommandResult, Output } from "../output.js";
import { openProject } from "./project.js";
import { renderTable } from "./table.js";

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
  const base = { env: context.env, signal: context.signal };
  try {
    const { manifest, root } = await openProject(options, context, true);
    const name = options.lab === true ? "default" : options.lab;
    if (name !== undefined) {
      const { info } = await findLab(root, name);
      return {
        ...base,
        manifest,
        backend: { url: info.backend.url, caPem: readFileSync(info.backend.caPath, "utf8") },
        brokerUri: info.broker.uri,
      };
    }
    const placeholders = placeholderFields(manifest);
    return {
      ...base,
      manifest,
      ...(placeholders.includes("backend.url")
        ? {}
        : { backend: { url: manifest.backend.url, caPem: manifest.backend.ca } }),
      ...(placeholders.includes("mqtt.uri") ? {} : { brokerUri: manifest.mqtt.uri }),
    };
  } catch (error) {
    if (!(error instanceof ProvError) || error.stage !== "manifest") throw error;
    return { ...base, manifest: error };
  }
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
    .map((check) => `${check.name}: ${check.fix ?? ""}`);
  return [
    renderTable(["", "CHECK", "FOUND"], rows),
    ...(fixes.length > 0 ? ["", "To mend:", ...fixes.map((line) => `  ${line}`)] : []),
  ].join("\n");
}
