import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import {
  fillStateDiagram,
  STATE_DIAGRAM_PATH,
  STATE_MACHINE_PATH,
} from "../../codegen/state-diagram.js";
import { DEVICE_STATES } from "../../codegen/states.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

describe("the state machine as it is compiled", () => {
  let machine: string;
  beforeAll(() => {
    const script = join(ROOT, "scripts", "state-machine.mjs");
    machine = execFileSync(process.execPath, [script], { encoding: "utf8" });
  });

  it("is the one that is written down: `npm run generate` otherwise", () => {
    expect(read(STATE_MACHINE_PATH)).toBe(machine);
  });

  it("is the one that is drawn: `npm run generate` otherwise", () => {
    const design = read(STATE_DIAGRAM_PATH);
    expect(design).toBe(fillStateDiagram(design, machine));
    for (const state of Object.keys(DEVICE_STATES)) expect(design).toMatch(`--> ${state}`);
  });
});

it("the diagram draws each pair of states once, and what holds in any state below", () => {
  const machine = `intro

AP_MODE
  OFFLINE_LONG → INIT: load credentials
  WINDOW_OVER: ap stop
  GIVE_UP → INIT: ap stop

any state
  RESET → INIT: factory reset

Events
  RESET  means → nothing: here
`;
  const text = "before\n<!-- states -->\nold\n<!-- /states -->\nafter";
  const drawn = fillStateDiagram(text, machine);
  expect(drawn.match(/-->/g)).toHaveLength(2 + 2);
  expect(drawn).toContain("AP_MODE --> INIT: OFFLINE_LONG, GIVE_UP\n");
  expect(drawn).toContain("In any state: RESET → INIT.");
});
