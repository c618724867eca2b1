import { beforeEach, expect, test, vi } from "vitest";

const machine = { load: 0, cpus: 2, running: 1, work: 0 };

vi.mock("node:os", () => ({
  availableParallelism: () => machine.cpus,
  loadavg: () => [machine.load, 0, 0],
}));
vi.mock("node:fs", () => ({ readFileSync: () => `0.10 0.20 0.30 ${machine.running}/245 841\n` }));
vi.mock("node:crypto", () => ({
  pbkdf2Sync: () => {
    const end = performance.now() + machine.work;
    while (performance.now() < end);
  },
}));

beforeEach(() => {
  vi.resetModules();
  Object.assign(machine, { load: 0, cpus: 2, running: 1, work: 0 });
});

async function measure(given: Partial<typeof machine>) {
  Object.assign(machine, given);
  const { longer, longerSeconds } = await import("../helpers/longer.js");
  return [longer(1000), longerSeconds(2.5)];
}

test.each([
  ["the suite alone", { load: 3.5 }, [1000, "3"]],
  ["busy in the last minute", { load: 20 }, [5000, "13"]],
  ["busy at this moment", { running: 20 }, [5000, "13"]],
  ["more CPUs for the same", { running: 20, cpus: 10 }, [1000, "3"]],
  ["stuck", { load: 4000 }, [10_000, "25"]],
])("%s", async (_name, given, expected) => {
  expect(await measure(given)).toEqual(expected);
});

test("a machine that works more slowly is given more time", async () => {
  const [bound] = await measure({ work: 30 });
  expect(bound).toBeGreaterThanOrEqual(3000);
});
