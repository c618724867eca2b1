import { z } from "zod";
import { prov } from "../helpers/prov.js";
import { median } from "./median.js";

/** From POST /provision to the broker's proof on the virtual board, one second of which the board waits on purpose. */
export const CHAIN_LIMIT_MS = 2_500;

const report = z.object({ stages: z.array(z.object({ name: z.string(), ms: z.number() })) });
/** The stages between the POST and the proof. */
const TIMED = new Set(["provision", "enrol", "mqtt"]);

/** Medians in milliseconds over `runs` whole chains. */
export async function benchChain(
  runs = 5,
): Promise<{ runs: number; postToProofMs: number; totalMs: number }> {
  const postToProof: number[] = [];
  const total: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const { code, stdout, stderr } = await prov(["run", "--json"]);
    if (code !== 0) throw new Error(`prov run ended with ${code}: ${stdout}${stderr}`);
    const { stages } = report.parse(JSON.parse(stdout));
    const sum = (wanted: (name: string) => boolean): number =>
      stages.filter(({ name }) => wanted(name)).reduce((ms, stage) => ms + stage.ms, 0);
    postToProof.push(sum((name) => TIMED.has(name)));
    total.push(sum(() => true));
  }
  return { runs, postToProofMs: median(postToProof), totalMs: median(total) };
}
