/** `npm run test:oom -- [EVERY]`: every (k-th) allocation of provisioning and renewal fails once. */

import { failEachAllocation } from "./oom.js";
import { describeSite } from "./oom-sites.js";

/** All of it is to end in 20 minutes; building and recording take some. */
const BUDGET_MS = 17 * 60_000;

const [every = 1] = process.argv.slice(2).map(Number);
const tally = await failEachAllocation("oom", {
  workers: 2,
  budgetMs: BUDGET_MS,
  every,
  onFault: (fault) => process.stdout.write(`${fault}\n\n`),
  onProgress: ({ runs, tried, seen, faults }) => {
    if (runs % 25 === 0)
      process.stderr.write(`${runs} runs: ${tried} of ${seen} sites, ${faults} faults\n`);
  },
});
for (const site of tally.missed.slice(0, 20))
  process.stdout.write(`not reached again: ${describeSite(site)}\n`);
const endings = [...tally.endings].map(([ending, count]) => `${ending} ${count}`).join(", ");
process.stdout.write(`${tally.runs} runs ended: ${endings}\n`);
process.stdout.write(
  `${tally.tried} of ${tally.seen} sites tried, ${tally.missed.length} not reached again, ${tally.faults} faults\n`,
);
process.exitCode = tally.faults === 0 && tally.tried > 0 ? 0 : 1;
