import type { ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BOARD_NS, HOME_NS, HOME_PROFILE, startSilentAp } from "./air.js";
import { expectRun, expectUntouched } from "./checks.js";
import { FULL_BOARD_DIR } from "./full-board.js";
import { slowly } from "./pace.js";
import { openProject, type Project, type ProvRun } from "./prov.js";
import type { Scenario } from "./scenarios.js";
import { daemon, end, until } from "./shell.js";

/**
 * Scenarios with the real firmware: its AP by hostapd, its station by wpa_supplicant, the backend and
 * the broker behind the home router, and `prov provision` on the laptop.
 */
const SOURCE = join("/repo", FULL_BOARD_DIR);
const SERVICES_DIR = "/tmp/services";
const SILENT = { ssid: "Silent : \\ net", psk: "silentpass1234" };
const AP_PASSWORD = "prov12345678";
/** A wrong password, DHCP and retries take their time under emulation. */
const TIMEOUT_S = 170;

const script = (name: string) => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

interface FullBoard {
  project: Project;
  secrets: string[];
  provision(ssid: string, password: string, token: string): Promise<ProvRun>;
  nextToken(): string;
}

let services: ChildProcess | null = null;
let tokens: string[] = [];

/** Backend and broker live as long as the VM. */
async function startServices(): Promise<void> {
  if (services !== null) return;
  mkdirSync(SERVICES_DIR, { recursive: true });
  const args = [script("services"), join(SOURCE, "ca"), SERVICES_DIR];
  services = daemon("services", "ip", "netns", "exec", HOME_NS, process.execPath, ...args);
  const file = join(SERVICES_DIR, "tokens.json");
  await until("backend and broker", 60, async () => existsSync(file) || undefined);
  tokens = z.array(z.string()).parse(JSON.parse(readFileSync(file, "utf8")));
}

async function withFullBoard(play: (board: FullBoard) => Promise<void>): Promise<void> {
  await startServices();
  const dir = mkdtempSync(join(tmpdir(), "board-"));
  cpSync(join(SOURCE, "device.config.ts"), join(dir, "device.config.ts"));
  cpSync(join(SOURCE, "ca", "ca.pem"), join(dir, "ca", "ca.pem"));
  const build = join(SOURCE, ".prov", "devices", "lab-board", "build", "host");
  const args = [script("board"), join(dir, "board"), build];
  const firmware = daemon("firmware", "ip", "netns", "exec", BOARD_NS, process.execPath, ...args);
  const secrets = [AP_PASSWORD, HOME_PROFILE.psk, SILENT.psk, ...tokens];
  const project = openProject(dir, secrets);
  const provision = (ssid: string, password: string, token: string) =>
    project.provWith(
      { PROV_WIFI_PASSWORD: password, PROV_TOKEN: token },
      ...["provision", "--ssid", ssid, "--timeout", String(slowly(TIMEOUT_S)), "--no-input"],
      ...["--mqtt-ca", join(SERVICES_DIR, "ca.pem")],
      ...["--mqtt-cert", join(SERVICES_DIR, "operator.pem")],
      ...["--mqtt-key", join(SERVICES_DIR, "operator-key.pem")],
    );
  const nextToken = () => {
    const token = tokens.shift();
    if (token === undefined) throw new Error("out of tokens");
    return token;
  };
  try {
    await play({ project, secrets, provision, nextToken });
  } finally {
    await end(firmware);
  }
}

const reportSchema = z.object({
  reached: z.string(),
  evidence: z.array(z.object({ witness: z.string() })),
});

function expectOnline(run: ProvRun): void {
  expectRun(run, 0, null);
  const report = reportSchema.parse(JSON.parse(run.stdout));
  const witnesses = report.evidence.map(({ witness }) => witness).join(", ");
  if (report.reached !== "mqtt") throw new Error(`only reached ${report.reached}`);
  process.stdout.write(`    online, seen by ${witnesses}, after ${run.seconds.toFixed(1)} s\n`);
}

export const boardScenarios: Scenario[] = [
  {
    name: "the real firmware: provisioned over the air, to MQTT",
    play: () =>
      withFullBoard(async ({ project, secrets, provision, nextToken }) => {
        expectOnline(await provision(HOME_PROFILE.ssid, HOME_PROFILE.psk, nextToken()));
        await expectUntouched(project, secrets);
      }),
  },
  {
    name: "the real firmware: wrong home password, then the right one at once",
    play: () =>
      withFullBoard(async ({ project, secrets, provision, nextToken }) => {
        const token = nextToken();
        const wrong = await provision(HOME_PROFILE.ssid, "not-the-password", token);
        expectRun(wrong, 7, "wifi_wrong_password");
        await expectUntouched(project, secrets);
        expectOnline(await provision(HOME_PROFILE.ssid, HOME_PROFILE.psk, token));
        await expectUntouched(project, secrets);
      }),
  },
  {
    name: "the real firmware: a home network that gives no address, one that is not there",
    play: () =>
      withFullBoard(async ({ project, secrets, provision, nextToken }) => {
        const silent = await startSilentAp(SILENT.ssid, SILENT.psk);
        const token = nextToken();
        expectRun(await provision(SILENT.ssid, SILENT.psk, token), 7, "dhcp_timeout");
        await expectUntouched(project, secrets);
        await silent.stop();
        expectRun(await provision("Nowhere", "whatever-1234", token), 7, "wifi_ap_not_found");
        await expectUntouched(project, secrets);
      }),
  },
];
