import { expect, it } from "vitest";
import { soak } from "../attack/soak.js";
import { longer } from "../helpers/longer.js";

it(
  "takes no more descriptors and threads after twenty provisionings, and hardly more memory",
  async () => {
    const { before, after, crashes } = await soak("soak-test", { cycles: 20, resets: 3 });
    expect(crashes).toBe(0);
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
    expect(after.threads).toBeLessThanOrEqual(before.threads);
    // A leak of a certificate per cycle would be 60 KiB; the rest is what the allocator does not give back.
    expect(after.rssKiB - before.rssKiB).toBeLessThan(1024);
  },
  longer(300_000),
);
