import { describe, expect, it } from "vitest";
import { emitSdkconfigDefaults } from "../../codegen/sdkconfig.js";
import { SDKCONFIG_SYMBOLS } from "../../codegen/sdkconfig-table.js";
import { idfKconfig } from "../helpers/idf-kconfig.js";
import { IDF_RELEASES, PARTIAL_OPTIONS } from "../helpers/idf-options.js";
import { longer } from "../helpers/longer.js";
import { ID, soundDevice } from "../helpers/manifest.js";

/** What ESP-IDF's own Kconfig makes of the options that prov sets: each is one that it has, and takes. */

const { missing, version, chips, configure, options } = idfKconfig();
if (missing !== undefined)
  process.stderr.write(`skipped: the options of TLS against ESP-IDF's own Kconfig (${missing})\n`);
const TIMEOUT_MS = 60_000;

const manifestOf = (tls: object) =>
  soundDevice({ ...ID, target: "esp32c3", backend: { url: "https://b.example" }, tls });

/** The lines of mbedTLS that prov writes, as far as this release has their options. */
function expectedLines(tls: object): string[] {
  const manifest = manifestOf(tls);
  const names = SDKCONFIG_SYMBOLS.map(({ name }) => name).filter((name) => {
    const releases = PARTIAL_OPTIONS[name.replace("CONFIG_", "")];
    return /MBEDTLS/.test(name) && (releases?.includes(version) ?? true);
  });
  const lines = emitSdkconfigDefaults(manifest).split("\n");
  return lines.filter((line) => names.some((name) => new RegExp(`\\b${name}\\b`).test(line)));
}

function switchedOn(line: string): string {
  return line.replace(/^# (\w+) is not set$/, "$1=y");
}

describe.skipIf(missing !== undefined)(
  `ESP-IDF ${version}`,
  { timeout: longer(TIMEOUT_MS) },
  () => {
    it("has the options that prov sets", () => {
      const own = options();
      const names = SDKCONFIG_SYMBOLS.map(({ name }) => name.replace("CONFIG_", ""));
      const foreign = names.filter((name) => !name.startsWith("PROV_"));
      const lacking = foreign.filter((name) => !own.has(name));
      const known = Object.entries(PARTIAL_OPTIONS).filter(([name]) => foreign.includes(name));
      const expected = known.filter(([, releases]) => !releases.includes(version));
      expect(IDF_RELEASES).toContain(version);
      expect(lacking.sort()).toEqual(expected.map(([name]) => name).sort());
    });

    it.each(
      chips.flatMap((chip) =>
        [{}, { allSuites: true }, { dynamicBuffers: false }].map((tls) => ({ chip, tls })),
      ),
    )("$chip takes them with tls: $tls", async ({ chip, tls }) => {
      const defaults = emitSdkconfigDefaults({ ...manifestOf(tls), target: chip });
      const lines = new Set((await configure(chip, defaults)).split("\n"));
      // What depends on something that is off has no line at all.
      const isTaken = (line: string): boolean =>
        lines.has(line) || (line.endsWith(" is not set") && !lines.has(switchedOn(line)));
      expect(expectedLines(tls).filter((line) => !isTaken(line))).toEqual([]);
    });
  },
);
