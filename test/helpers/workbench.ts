import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { type CiStep, readmeRecipe } from "./ci-recipe.js";
import { type Forward, forwardTo } from "./forward.js";
import { type IdfStandIn, idfStandIn } from "./idf.js";
import { labUp, type RunningLab } from "./lab.js";
import { longerSeconds } from "./longer.js";
import { temporaryDir } from "./project.js";
import { MAIN, PROJECT, prov, withDefaults } from "./prov.js";

export const DEVICE_ID = "e2e-real";

/* `prov run --port` as on a workbench: the lab's board is behind its serial port and an address, its backend and broker are
 * "somebody's". Only idf.py is a stand-in: it hands out the firmware compiled for the board. */

export let lab: RunningLab;
export let idf: IdfStandIn;
/** One address for the board, whichever port its AP has in this boot. */
let wire: Forward;
export let url: string;
export let config: string;

beforeAll(async () => {
  lab = await labUp("real");
  const { backend, broker } = lab.client.info;
  config = join(PROJECT, "real.config.ts");
  writeFileSync(
    config,
    `export default ${JSON.stringify({
      id: DEVICE_ID,
      target: "esp32c3",
      backend: { url: backend.url, ca: backend.caPath },
      mqtt: { uri: broker.uri, statusIntervalSeconds: 1 },
    })};\n`,
  );
  const build = await prov(["build", "--config", config, "--target", "host"]);
  expect(build.code, build.stderr).toBe(0);
  idf = idfStandIn();
  idf.handOut(join(PROJECT, ".prov", "devices", DEVICE_ID, "build", "host"));
  wire = await forwardTo(async () => {
    const { baseUrl } = await lab.client.boardStatus();
    return baseUrl === null ? null : new URL(baseUrl).host;
  });
  url = `http://127.0.0.1:${wire.port}`;
});

afterAll(async () => {
  wire.close();
  await lab.stop();
});

function boardDefaults(): Record<string, string> {
  return {
    "--ssid": lab.home.ssid,
    "--wifi": "manual",
    "--url": url,
    "--timeout": longerSeconds(40),
  };
}

export async function runOnPort(...more: string[]) {
  const { tty } = lab.client.info.board;
  const { code, stdout, stderr } = await prov(
    [
      ...["run", "--json", "--no-input", "--config", config, "--port", tty ?? ""],
      ...withDefaults(boardDefaults(), more),
    ],
    {
      env: {
        IDF_PATH: idf.path,
        PROV_WIFI_PASSWORD: lab.home.password,
        PROV_TOKEN: await lab.token(DEVICE_ID),
      },
    },
  );
  return { code, stderr, document: JSON.parse(stdout) };
}

export async function provision(...more: string[]) {
  return prov(
    [
      ...["provision", "--json", "--no-input", "--config", config],
      ...withDefaults(boardDefaults(), more),
    ],
    {
      env: {
        PROV_WIFI_PASSWORD: lab.home.password,
        PROV_TOKEN: await lab.token(DEVICE_ID),
      },
    },
  );
}

export async function forgetEverything() {
  const { tty } = lab.client.info.board;
  const reset = await prov(["reset", "--scope", "all", "--port", tty ?? "", "--config", config]);
  expect(reset.code, reset.stderr).toBe(0);
}

export type Operator = RunningLab["client"]["info"]["operator"];

/** A manifest of another device than the one on the port. */
export function otherConfig(): string {
  const path = join(temporaryDir(), "other.config.ts");
  writeFileSync(path, 'export default { id: "another-one", target: "esp32c3" };\n');
  return path;
}

export function operatorArgs(): string[] {
  const { caPath, certPath, keyPath } = lab.client.info.operator;
  return ["--mqtt-ca", caPath, "--mqtt-cert", certPath, "--mqtt-key", keyPath];
}

/** The README's recipe for CI, with this workbench in the place of a runner's: its port, its board's address, its backend. */
export function recipeSteps(folder: string): CiStep[] {
  const prov = `node ${MAIN} --config ${config}`;
  const here: readonly (readonly [string, string])[] = [
    ["npx prov", prov],
    ["/dev/ttyACM0", lab.client.info.board.tty ?? ""],
    ["--docker", "--target host"],
    [" flash ", " flash --target host "],
    ["./new-token", `${prov} lab token --name ${lab.name} ${DEVICE_ID}`],
    ["provision.xml", join(folder, "provision.xml")],
    ["--no-input", `--no-input --wifi manual --url ${url}`],
  ];
  const given: Readonly<Record<string, string>> = {
    "${{ vars.TEST_SSID }}": lab.home.ssid,
    "${{ secrets.TEST_WIFI_PASSWORD }}": lab.home.password,
  };
  return readmeRecipe()
    .filter(({ run }) => run !== "npm run setup")
    .map(({ run, env }) => ({
      run: here.reduce((text, [there, own]) => text.replaceAll(there, own), run),
      env: Object.fromEntries(
        Object.entries(env).map(([name, value]) => [name, given[value] ?? value]),
      ),
    }));
}
