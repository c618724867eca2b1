import type { CommandContext, GlobalOptions } from "../context.js";
import { ProvError } from "../errors.js";
import type { DoctorRequest } from "../flow/doctor.js";
import type { Check } from "../flow/doctor-check.js";
import type { Output } from "../terminal/output.js";
import type { Verb } from "../verb.js";
import { labName, labNameOf } from "./options/values.js";

interface DoctorOptions extends GlobalOptions {
  /** `true` when --lab has no name. */
  lab?: string | true;
}

/** `prov doctor`: what this machine has and lacks. Exit 10 when a line is red. */
export const doctor: Verb<DoctorOptions> = {
  name: "doctor",
  summary: "check what this machine has; every red line says how to mend it",
  options: (command) => command.option("--lab [name]", "also check a running lab", labName),
  async action(options, context) {
    const { examine } = await import("../flow/doctor.js");
    const checks = await examine(await prepare(options, context));
    const failed = checks.filter((check) => check.verdict === "failed");
    const text = await report(checks, context.out);
    if (failed.length === 0) return { json: { checks }, text };
    if (!options.json) context.out.print(text);
    const fixes = failed.map((check) => `${check.name}: ${check.fix ?? ""}`).join("\n");
    throw new ProvError(
      "doctor_failed",
      `${failed.length} of ${checks.length} checks failed: ${failed.map((check) => check.name).join(", ")}`,
      { hint: fixes, details: { checks } },
    );
  },
};

async function prepare(options: DoctorOptions, context: CommandContext): Promise<DoctorRequest> {
  const { doctorRequest, howToSetUp } = await import("../flow/doctor-request.js");
  const { checkHostBuild } = await import("../lab/stages/build-tools.js");
  const { labServers } = await import("../lab/stages/doctor.js");
  const name = labNameOf(options);
  const hostBuild = await checkHostBuild(context.env, context.signal, howToSetUp(context.cwd));
  const inLab = name === undefined ? undefined : (root: string) => labServers(root, name);
  return doctorRequest(options, context, hostBuild, inLab);
}

async function report(checks: readonly Check[], out: Output): Promise<string> {
  const { renderTable } = await import("../terminal/table.js");
  const { wrapProse } = await import("../terminal/wrap-prose.js");
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
