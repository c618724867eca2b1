import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "./project.js";
import { REPOSITORY } from "./prov.js";

const STAND_IN = join(REPOSITORY, "test", "support", "nmcli-stand-in.mjs");

/** One call of the stand-in, without nmcli's output options. */
interface Call {
  call: string;
  env: Record<string, string | undefined>;
}

export interface NmcliStandIn {
  /** What prov needs to find it: PATH, and a place of its own for the journal. */
  readonly env: Record<string, string>;
  /** Where it notes its calls, one JSON object a line. */
  readonly log: string;
  /** Where the journal of this machine's WiFi is while it is changed. */
  readonly journal: string;
  calls(): Call[];
  /** The name of the active connection, and the temporary profiles that there are. */
  state(): { active: string; profiles: string[] };
}

/** A machine whose NetworkManager is a stand-in; nobody answers at the board's address. */
export function nmcliStandIn(): NmcliStandIn {
  const path = temporaryDir();
  writeFileSync(
    join(path, "nmcli"),
    `#!/bin/sh\nexec "${process.execPath}" "${STAND_IN}" "${path}" "$@"\n`,
    { mode: 0o755 },
  );
  const state = join(path, "state.json");
  const home = "HomeNet:11111111-2222-3333-4444-555555555555";
  writeFileSync(state, JSON.stringify({ active: home, profiles: [] }));
  const stateDir = join(path, "prov");
  const log = join(path, "calls.jsonl");
  return {
    env: { PATH: `${path}:${process.env.PATH ?? ""}`, PROV_STATE_DIR: stateDir },
    journal: join(stateDir, "host-wifi.json"),
    log,
    calls: () => {
      if (!existsSync(log)) return [];
      const lines = readFileSync(log, "utf8").trim().split("\n");
      return lines.map((line): Call => JSON.parse(line));
    },
    state: () => {
      const { active, profiles } = JSON.parse(readFileSync(state, "utf8"));
      return { active: active.split(":")[0], profiles };
    },
  };
}
