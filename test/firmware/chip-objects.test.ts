import { describe, expect, it } from "vitest";
import {
  compileForChip,
  flashBytes,
  missingCompiler,
  PREFIX,
  undefinedSymbols,
} from "../attack/chip-objects.js";
import { edgesOf, linkedEdges, readCGraph } from "../helpers/c-graph.js";

/** Everything of ours that lies in a device's flash, the page included. */
const FLASH_MAX = 66 * 1024;

const missing = missingCompiler();
if (missing !== undefined)
  process.stderr.write(`skipped: the objects as the chips' compiler makes them (${missing})\n`);

describe.skipIf(missing !== undefined)("firmware/main, compiled for the chips", () => {
  it("fits 66 KiB of flash", async () => {
    const bytes = await flashBytes(await compileForChip("rv32imac"));
    process.stdout.write(
      `own code and constants: ${bytes} of ${FLASH_MAX} bytes, the page included\n`,
    );
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThanOrEqual(FLASH_MAX);
  });

  it("has the edges between its files that its sources tell", async () => {
    const linked = await linkedEdges(await compileForChip("rv32imac"), `${PREFIX}nm`);
    expect(linked.length).toBeGreaterThan(100);
    expect(edgesOf(readCGraph("firmware/main"))).toEqual(linked);
  });

  it("asks for no atomic helper where the chip has atomic instructions", async () => {
    // ESP-IDF brings none of up to four bytes for such a chip, and GCC 12 calls those of one and two.
    const symbols = await undefinedSymbols(await compileForChip("rv32imac"));
    expect(symbols).toContain("wifi_link.o: esp_wifi_start");
    expect(symbols.filter((symbol) => /: __(atomic|sync)_/.test(symbol))).toEqual([]);
  });

  it("asks for those of whole words alone where it has none", async () => {
    const symbols = await undefinedSymbols(await compileForChip("rv32imc"));
    const helpers = symbols.filter((symbol) => /: __(atomic|sync)_/.test(symbol));
    expect(helpers.filter((symbol) => !symbol.endsWith("_4"))).toEqual([]);
  });
});
