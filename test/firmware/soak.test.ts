import { expect, it } from "vitest";
import { soak } from "../attack/soak.js";
import { longer, WITH_ALL } from "../helpers/longer.js";

const CYCLES = WITH_ALL ? 20 : 13;

it(
  `takes no more descriptors and threads after ${CYCLES} provisionings, and hardly more memory (npm run test:soak: 1000)`,
  async () => {
    const { before, after, crashes } = await soak("soak-test", { cycles: CYCLES, resets: 2 });
    expect(crashes).toBe(0);
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
    expect(after.threads).toBeLessThanOrEqual(before.threads);
    // A leak of a certificate per cycle would be 60 KiB; the rest is what the allocator does not give back.
    expect(after.rssKiB - before.rssKiB).toBeLessThan(1024);
  },
  longer(300_000),
);
