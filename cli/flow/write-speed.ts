import type { FlashProgress } from "../serial/flasher.js";

/** How fast a board takes what is written, over all of it so far. Comparing and erasing count neither as time nor as bytes. */
export function createWriteSpeed(
  now: () => number = () => performance.now(),
): (progress: FlashProgress) => string | undefined {
  let last: { progress: FlashProgress; atMs: number } | undefined;
  let bytes = 0;
  let ms = 0;
  return (progress) => {
    const atMs = now();
    const isGoingOn =
      progress.stage === "write" &&
      last?.progress.stage === "write" &&
      last.progress.region === progress.region;
    // A run that is begun again goes back.
    if (isGoingOn && last && progress.done > last.progress.done) {
      bytes += progress.done - last.progress.done;
      ms += atMs - last.atMs;
    }
    last = { progress, atMs };
    return progress.stage === "write" && ms > 0 ? formatSpeed((bytes * 1000) / ms) : undefined;
  };
}

/** @param bytesPerSecond of the image, which goes compressed over the line */
function formatSpeed(bytesPerSecond: number): string {
  if (bytesPerSecond < 1_000) return `${Math.round(bytesPerSecond)} B/s`;
  if (bytesPerSecond < 1_000_000) return `${Math.round(bytesPerSecond / 1_000)} kB/s`;
  return `${(bytesPerSecond / 1_000_000).toFixed(1)} MB/s`;
}
