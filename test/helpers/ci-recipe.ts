import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Outcome, outcomeOf, REPOSITORY } from "./prov.js";

/** One `run:` step of a workflow. */
export interface CiStep {
  readonly run: string;
  readonly env: Readonly<Record<string, string>>;
}

const RUN = /^- run: (.*?)(?: {2}#.*)?$/;
const VARIABLE = /^ {4}(\w+): (.*)$/;

/** The `run:` steps of the recipe in README.md, "In CI", word for word. */
export function readmeRecipe(): CiStep[] {
  const readme = readFileSync(join(REPOSITORY, "README.md"), "utf8");
  const recipe = /\n## In CI\n[\s\S]*?```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const steps: { run: string; env: Record<string, string> }[] = [];
  for (const line of recipe.split("\n")) {
    const run = RUN.exec(line)?.[1];
    if (run !== undefined) steps.push({ run, env: {} });
    const [, name, value] = VARIABLE.exec(line) ?? [];
    const step = steps.at(-1);
    if (step && name !== undefined && value !== undefined) step.env[name] = value;
  }
  return steps;
}

/** Runs a step as a runner does: by bash that ends at the first failure. */
export async function runStep({ run, env }: CiStep, cwd: string): Promise<Outcome> {
  const child = spawn("bash", ["-e", "-o", "pipefail", "-c", run], {
    cwd,
    env: { ...process.env, GITHUB_ACTIONS: "", NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return outcomeOf(child);
}
