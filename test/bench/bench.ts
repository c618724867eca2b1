import { benchChain, CHAIN_LIMIT_MS } from "./chain-bench.js";
import { benchFlash, judgeFlash } from "./flash-bench.js";
import { benchHelp, HELP_OVERHEAD_LIMIT_MS } from "./help-bench.js";

/** `npm run bench`: prints every figure; exits 1 when one is over its limit. */
const problems: string[] = [];

const help = await benchHelp();
console.log("prov --help", help);
if (help.overheadMs > HELP_OVERHEAD_LIMIT_MS)
  problems.push(`prov --help takes ${help.overheadMs} ms more than bare node`);

const chain = await benchChain();
console.log("whole chain on the virtual board", chain);
if (chain.postToProofMs > CHAIN_LIMIT_MS)
  problems.push(`from POST to proof takes ${chain.postToProofMs} ms`);

const flash = await benchFlash();
console.log("flashing 1 MiB", JSON.stringify(flash, null, 2));
problems.push(...judgeFlash(flash));

for (const problem of problems) console.log(`over its limit: ${problem}`);
console.log(
  problems.length === 0
    ? "every figure is within its limit"
    : `${problems.length} over their limits`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
