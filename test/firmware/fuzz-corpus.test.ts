import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { buildProject } from "../helpers/cmake.js";

const run = promisify(execFile);
const source = fileURLToPath(new URL("../fuzz", import.meta.url));
const build = fileURLToPath(new URL("../../.cache/fuzz-replay", import.meta.url));
const targets = readdirSync(source).flatMap((name) => /^(fuzz_\w+)\.c$/.exec(name)?.[1] ?? []);

beforeAll(() => buildProject(source, build, { defines: { PROV_FUZZ_REPLAY: "ON" } }));

describe("the fuzz targets on their corpora, under ASan and UBSan (npm run fuzz goes on from there)", () => {
  test.each(targets)("%s", async (target) => {
    const corpus = join(source, "corpus", target.replace("fuzz_", ""));
    const inputs = readdirSync(corpus).map((name) => join(corpus, name));
    expect(inputs.length).toBeGreaterThan(0);
    const { stdout } = await run(join(build, target), inputs);
    expect(stdout).toBe(`${inputs.length} inputs\n`);
  });
});
