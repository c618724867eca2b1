/** `npm run test:powercut`: every write of every scenario. */
import { cutPowerEverywhere } from "./powercut.js";

const tallies = await cutPowerEverywhere("powercut", {
  every: 1,
  onTally: ({ scenario, cuts, inconsistent }) => {
    process.stdout.write(
      `${scenario}: ${cuts} cut points, ${inconsistent.length} inconsistent boots\n`,
    );
    for (const fault of inconsistent) process.stdout.write(`${fault}\n`);
  },
});
const cuts = tallies.reduce((sum, tally) => sum + tally.cuts, 0);
const faults = tallies.reduce((sum, tally) => sum + tally.inconsistent.length, 0);
process.stdout.write(`${cuts} cut points, ${faults} inconsistent boots\n`);
process.exitCode = faults === 0 && cuts > 0 ? 0 : 1;
