import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EXIT, HOST_FAILURES } from "../../cli/errors.js";
import { DEVICE_FAILURES } from "../../codegen/failures.js";

/** The README's troubleshooting table, as the tables in the code have it. */
function failureTable(): string {
  const host = Object.entries(HOST_FAILURES).map(([code, { stage, hint }]) => ({
    code,
    stage,
    hint,
  }));
  const rows = [...host, ...DEVICE_FAILURES].map(
    ({ code, stage, hint }) =>
      `| \`${code}\` | ${EXIT[stage]} | ${hint.replaceAll("|", "\\|").replaceAll("\n", " ")} |`,
  );
  return ["| code | exit | what to do |", "|---|---|---|", ...rows].join("\n");
}

describe("the README", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

  it("tells what to do about every failure", () => {
    const section = /<!-- failures -->\n([\s\S]*?)\n?<!-- \/failures -->/.exec(readme)?.[1];
    expect(section).toBe(failureTable());
  });

  it("names every exit code", () => {
    for (const code of Object.values(EXIT))
      expect(readme).toMatch(new RegExp(`\\b${code} [a-z]`, "i"));
  });
});
