import { Option } from "commander";
import type { CommandContext, GlobalOptions } from "../../context.js";
import type { LabClient } from "../../lab/client.js";
import type { Sanitizer } from "../../lab/stages/build-host.js";
import { labName } from "./values.js";

export interface LabOptions extends GlobalOptions {
  name: string;
}

export function whichLab(): Option {
  return new Option("--name <name>", "which lab").argParser(labName).default("default");
}

export function whichBroker(help: string): Option {
  return new Option("--broker <kind>", help).choices(["embedded", "mosquitto"]);
}

export function whichSanitizer(help: string): Option {
  return new Option("--sanitize <kind>", help).choices([
    "address",
    "undefined",
    "thread",
  ] satisfies Sanitizer[]);
}

/** The running lab that is meant. @throws ProvError of the manifest stage, lab_not_running */
export async function openLab(options: LabOptions, context: CommandContext): Promise<LabClient> {
  const { loadManifestFor } = await import("../../flow/project.js");
  const { findLab } = await import("../../lab/client.js");
  const { root } = await loadManifestFor(options, context);
  return findLab(root, options.name);
}
