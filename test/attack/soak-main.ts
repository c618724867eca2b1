/** `npm run test:soak -- [CYCLES [RESETS]]` */
import { type Footprint, soak } from "./soak.js";

/** Per thousand cycles; what a leak of one small block in each would exceed. */
const MOST_GROWTH_KIB = 1024;

const [cycles = 1000, resets = 100] = process.argv.slice(2).map(Number);
const describe = ({ rssKiB, descriptors, threads }: Footprint): string =>
  `${rssKiB} KiB, ${descriptors} descriptors, ${threads} threads`;
const { before, after, crashes } = await soak("soak", {
  cycles,
  resets,
  onProgress: (done, footprint) => process.stderr.write(`${done}: ${describe(footprint)}\n`),
});
const hasGrown =
  after.rssKiB - before.rssKiB > MOST_GROWTH_KIB ||
  after.descriptors > before.descriptors ||
  after.threads > before.threads;
process.stdout.write(`after a tenth: ${describe(before)}\nat the end:    ${describe(after)}\n`);
process.stdout.write(
  `${cycles} cycles without a restart and ${resets} resets: ${hasGrown ? "IT GROWS" : "no growth"}, ${crashes} crashes\n`,
);
process.exitCode = hasGrown || crashes > 0 ? 1 : 0;
