import { expect, it } from "vitest";
import { cutPowerEverywhere } from "../attack/powercut.js";
import { longer, WITH_ALL } from "../helpers/longer.js";

/** Coprime to the number of writes per record, so that each kind of write has its turn. */
const EVERY = WITH_ALL ? 13 : 31;

it(
  `survives a power cut at every ${EVERY}th write (npm run test:powercut tries each)`,
  async () => {
    const tallies = await cutPowerEverywhere("powercut-test", { every: EVERY });
    expect(tallies.flatMap((tally) => tally.inconsistent)).toEqual([]);
    for (const { scenario, cuts } of tallies) expect(cuts, scenario).toBeGreaterThan(0);
  },
  longer(300_000),
);
