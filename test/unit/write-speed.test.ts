import { expect, test } from "vitest";
import { createWriteSpeed } from "../../cli/flow/write-speed.js";
import type { FlashStage } from "../../cli/serial/flasher.js";

/** What is shown for each of the given moments. */
function shown(
  ...moments: readonly (readonly [ms: number, stage: FlashStage, done: number, region: string])[]
): (string | undefined)[] {
  let now = 0;
  const speed = createWriteSpeed(() => now);
  return moments.map(([ms, stage, done, region]) => {
    now = ms;
    return speed({ stage, done, total: 1_000_000, region });
  });
}

test("is the bytes per second of all that was written so far", () => {
  expect(
    shown(
      [0, "write", 16_000, "app"],
      [100, "write", 32_000, "app"],
      [400, "write", 48_000, "app"],
    ),
  ).toEqual([undefined, "160 kB/s", "80 kB/s"]);
});

test("counts neither a comparison, nor what was in flash already, nor a run that is begun again", () => {
  expect(
    shown(
      [0, "write", 1_000, "boot"],
      [100, "write", 2_000, "boot"],
      [150, "verify", 4_000, "boot"],
      [9_000, "compare", 4_000, "app"],
      [9_500, "write", 900_000, "app"],
      [9_600, "write", 901_000, "app"],
      [9_700, "write", 900_000, "app"],
      [9_800, "write", 901_000, "app"],
    ),
  ).toEqual([
    undefined,
    "10 kB/s",
    undefined,
    undefined,
    "10 kB/s",
    "10 kB/s",
    "10 kB/s",
    "10 kB/s",
  ]);
});

test.each([
  [5, "5 B/s"],
  [999, "999 B/s"],
  [1_500_000, "1.5 MB/s"],
])("%d bytes in a second are %s", (bytes, text) => {
  expect(shown([0, "write", 0, "app"], [1_000, "write", bytes, "app"])[1]).toBe(text);
});
