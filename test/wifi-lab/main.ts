import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { createRadios, startHomeAp, startNetworkManager } from "./air.js";
import { boardScenarios } from "./board-scenarios.js";
import { setPace, slowly } from "./pace.js";
import { brokenHostScenarios, measureRun, scenarios } from "./scenarios.js";
import { run } from "./shell.js";

/** Run in the VM: plays every scenario (or those whose name contains what /job/only says) and reports. */
const SCENARIO_LIMIT_MS = 420_000;

const results: { name: string; seconds: number; failure: string | null }[] = [];

/** A scenario that hangs ends the whole run: what it left running would spoil the others. */
async function tooLong(name: string, over: AbortSignal): Promise<void> {
  await delay(slowly(SCENARIO_LIMIT_MS), undefined, { ref: false, signal: over }).catch(
    () => undefined,
  );
  if (over.aborted) return;
  await run("sh", "-c", "cp /tmp/*.log /job/");
  process.stdout.write(`FAIL ${name}: still not done\n${(await run("ps", "axfww")).stdout}`);
  process.exit(1);
}

await createRadios();
await startHomeAp();
await startNetworkManager();
setPace(await measureRun());
const only = existsSync("/job/only") ? readFileSync("/job/only", "utf8") : "";
for (const { name, play } of [...scenarios, ...boardScenarios, ...brokenHostScenarios].filter(
  (scenario) => scenario.name.includes(only),
)) {
  const started = performance.now();
  process.stdout.write(`     ${name} …\n`);
  let failure: string | null = null;
  const over = new AbortController();
  try {
    await Promise.race([play(), tooLong(name, over.signal)]);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  } finally {
    over.abort();
  }
  const seconds = (performance.now() - started) / 1000;
  results.push({ name, seconds, failure });
  const verdict = failure === null ? "ok  " : "FAIL";
  process.stdout.write(`${verdict} ${name} (${seconds.toFixed(1)} s)\n`);
  if (failure !== null) process.stdout.write(`${failure}\n`);
}
writeFileSync("/job/results.json", JSON.stringify(results, null, 2));
const failed = results.filter(({ failure }) => failure !== null);
await run("sh", "-c", "cp /tmp/*.log /job/");
process.stdout.write(`${results.length - failed.length} of ${results.length} scenarios passed\n`);
process.exit(failed.length === 0 ? 0 : 1);
