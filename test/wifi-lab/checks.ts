import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HOME_PROFILE, LAPTOP_IFACE } from "./air.js";
import { type Project, type ProvRun, STATE_DIR } from "./prov.js";
import { must } from "./shell.js";

/** Throws unless the run ended with this exit code and this error code (null: no error). */
export function expectRun(run: ProvRun, exitCode: number, code: string | null): void {
  const complaints = [...run.complaints];
  if (run.exitCode !== exitCode) complaints.push(`exit code ${run.exitCode}, expected ${exitCode}`);
  if (run.code !== code) complaints.push(`error ${run.code}, expected ${code}`);
  if (complaints.length > 0) throw new Error(`${complaints.join("; ")}\n${run.output}`);
}

/** Throws unless the host is as it was: home is active, no profile, journal or secret is left. */
export async function expectUntouched(project: Project, secrets: string[]): Promise<void> {
  const status = await must("nmcli", "-t", "-f", "DEVICE,STATE,CON-UUID", "device");
  const wanted = `${LAPTOP_IFACE}:connected:${HOME_PROFILE.uuid}`;
  if (!status.split("\n").includes(wanted)) throw new Error(`not back at home:\n${status}`);
  await expectNothingLeft(project, secrets);
}

/** Throws when a profile, the journal or a secret is left behind. */
export async function expectNothingLeft(project: Project, secrets: string[]): Promise<void> {
  const profiles = await must("nmcli", "-t", "-f", "NAME", "connection", "show");
  const left = profiles.split("\n").filter((name) => name.startsWith("prov-"));
  if (left.length > 0) throw new Error(`profiles left behind: ${left.join(", ")}`);
  if (existsSync(join(STATE_DIR, "host-wifi.json"))) throw new Error("journal left");
  for (const file of filesBelow(join(project.dir, ".prov")).concat(strayTempFiles()))
    for (const secret of secrets)
      if (readFileSync(file).includes(secret)) throw new Error(`a secret in ${file}`);
}

function strayTempFiles(): string[] {
  return readdirSync("/tmp")
    .filter((name) => name.startsWith("prov-"))
    .flatMap((name) => filesBelow(join("/tmp", name)));
}

function filesBelow(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
