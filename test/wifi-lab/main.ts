import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRadios, startHomeAp, startNetworkManager } from "./air.js";
import { boardScenarios } from "./board-scenarios.js";
import { brokenHostScenarios, scenarios } from "./scenarios.js";
import { run } from "./shell.js";

/** Run in the VM: plays every scenario (or those whose name contains what /job/only says) and reports. */
const results: { name: string; seconds: number; failure: string | null }[] = [];

await createRadios();
await startHomeAp();
await startNetworkManager();
const only = existsSync("/job/only") ? readFileSync("/job/only", "utf8") : "";
for (const { name, play } of [...scenarios, ...boardScenarios, ...brokenHostScenarios].filter(
  (scenario) => scenario.name.includes(only),
)) {
  const started = performance.now();
  let failure: string | null = null;
  try {
    await play();
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const seconds = (performance.now() - started) / 1000;
  results.push({ name, seconds, failure });
  const verdict = failure === null ? "ok  " : "FAIL";
  process.stdout.write(`${verdict} ${name} (${seconds.toFixed(1)} s)\n`);
  if (failure !== null) process.stdout.write(`${failure}\n`);
}
writeFileSync("/job/results.json", JSON.stringify(results, null, 2));
const failed = results.filter(({ failure }) => failure !== null);
if (failed.length > 0) await run("sh", "-c", "cp /tmp/*.log /job/");
process.stdout.write(`${results.length - failed.length} of ${results.length} scenarios passed\n`);
process.exit(failed.length === 0 ? 0 : 1);
