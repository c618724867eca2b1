import { escapeXml } from "../terminal/escape-xml.js";
import type { StageRecord } from "./stages.js";

/** A JUnit report: one test case per stage, a `failure` for the one that ended the run. */
export function renderJunit(suite: string, stages: readonly StageRecord[]): string {
  const failures = stages.filter((stage) => !stage.ok).length;
  const seconds = (ms: number): string => (ms / 1000).toFixed(3);
  const total = stages.reduce((sum, stage) => sum + stage.ms, 0);
  const cases = stages.map((stage) => {
    const open = `    <testcase classname="${escapeXml(suite)}" name="${escapeXml(stage.name)}" time="${seconds(stage.ms)}"`;
    if (stage.ok) return `${open}/>`;
    const { code = "internal", message = "" } = stage.error ?? {};
    return `${open}>\n      <failure type="${escapeXml(code)}" message="${escapeXml(message)}"/>\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${stages.length}" failures="${failures}" time="${seconds(total)}">`,
    `  <testsuite name="${escapeXml(suite)}" tests="${stages.length}" failures="${failures}" errors="0" time="${seconds(total)}">`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}
