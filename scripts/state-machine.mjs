#!/usr/bin/env node
// Prints the firmware's state machine in words (test/golden/state-machine.txt), by compiling its table and asking it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAIN = join(ROOT, "firmware", "main");

const dir = mkdtempSync(join(tmpdir(), "prov-states-"));
try {
  const program = join(dir, "state_machine");
  const sources = [
    join(ROOT, "test", "golden", "state_machine.c"),
    join(MAIN, "machine", "prov_sm.c"),
    join(MAIN, "prov_state.c"),
  ];
  const flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror"];
  flags.push(`-I${MAIN}`, `-I${join(MAIN, "machine")}`);
  execFileSync("cc", [...flags, "-o", program, ...sources], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  process.stdout.write(execFileSync(program));
} finally {
  rmSync(dir, { recursive: true });
}
