import { existsSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type AccessPointOptions,
  BOARD_NS,
  LAPTOP_IFACE,
  type RunningAp,
  SPARE_IFACE,
  startBoardAp,
} from "./air.js";
import { expectNothingLeft, expectRun, expectUntouched } from "./checks.js";
import { runLengthMs, slowly } from "./pace.js";
import { createProject, type Project } from "./prov.js";
import { daemon, end, must, run, until } from "./shell.js";

export interface Scenario {
  name: string;
  play(): Promise<void>;
}

const AP_PASSWORD = "prov12345678";
const BOARD: AccessPointOptions = {
  ssid: "ESP32-Prov-A1B2C3",
  psk: AP_PASSWORD,
  channel: 1,
  dhcp: true,
};
const SECRETS = [AP_PASSWORD, "homepass1234", "lab-token-4711"];
const FAKE_BOARD = fileURLToPath(new URL("./fake-board.js", import.meta.url));
/** Touched by the fake board when it gets a POST. */
const POSTED = "/tmp/board-posted";
/** Longer than a run takes on any machine that can play the lab at all. */
const MEASURED_TIMEOUT_S = 400;

const project = (overrides: { apPassword?: string; ssidPrefix?: string } = {}): Project =>
  createProject({
    apPassword: AP_PASSWORD,
    ssidPrefix: "ESP32-Prov",
    secrets: SECRETS,
    ...overrides,
  });

/** A board in the air (its AP and what answers behind it) while `play` runs. */
async function withBoard(
  options: Partial<AccessPointOptions>,
  play: (ap: RunningAp) => Promise<void>,
): Promise<void> {
  rmSync(POSTED, { force: true });
  const ap = await startBoardAp({ ...BOARD, ...options });
  process.env.BOARD_POSTED = POSTED;
  const board = daemon("board", "ip", "netns", "exec", BOARD_NS, process.execPath, FAKE_BOARD);
  try {
    await play(ap);
  } finally {
    await end(board);
    await ap.stop();
  }
}

async function statusThenHome(given: Project): Promise<void> {
  expectRun(await given.prov("status"), 0, null);
  await expectUntouched(given, SECRETS);
}

async function interrupted(signal: NodeJS.Signals, afterMs: number): Promise<string> {
  const given = project();
  const running = given.start("status");
  const timer = setTimeout(() => running.child.kill(signal), afterMs);
  const outcome = await running.done;
  clearTimeout(timer);
  const fine = signal === "SIGKILL" ? [null, 0] : [130, 0];
  if (!fine.includes(outcome.exitCode))
    throw new Error(`exit ${outcome.exitCode}: ${outcome.output}`);
  if (outcome.complaints.length > 0) throw new Error(outcome.complaints.join("; "));
  // Whatever the project: the radio is the machine's.
  if (signal === "SIGKILL") expectRun(await project().prov("status"), 0, null);
  await expectUntouched(given, SECRETS);
  return `${afterMs} ms → exit ${outcome.exitCode} after ${outcome.seconds.toFixed(1)} s`;
}

/** Random, but spread: one moment in each tenth of a run. */
async function interruptions(signal: NodeJS.Signals, count: number): Promise<void> {
  await withBoard({}, async () => {
    for (let i = 0; i < count; i += 1) {
      const afterMs = Math.round(((i + Math.random()) / count) * runLengthMs());
      process.stdout.write(`    ${signal} at ${await interrupted(signal, afterMs)}\n`);
    }
  });
}

/** How long a run that joins and comes home takes on this machine, in ms. */
export async function measureRun(): Promise<number> {
  let seconds = 0;
  await withBoard({}, async () => {
    const measured = await project().prov("status", "--timeout", String(MEASURED_TIMEOUT_S));
    expectRun(measured, 0, null);
    seconds = measured.seconds;
  });
  process.stdout.write(`     a run takes ${seconds.toFixed(1)} s here\n`);
  return seconds * 1000;
}

export const scenarios: Scenario[] = [
  {
    name: "join with WPA2, ask the board, restore",
    play: () => withBoard({}, () => statusThenHome(project())),
  },
  {
    name: "an SSID with : \\ quotes and emoji",
    play: () =>
      withBoard({ ssid: "a:b\\c'd’🎉 \"x-A1B2C3" }, () =>
        statusThenHome(project({ ssidPrefix: "a:b\\c'd’🎉 \"x" })),
      ),
  },
  {
    name: "wrong AP password",
    play: () =>
      withBoard({ psk: "another-password" }, async () => {
        const given = project();
        expectRun(await given.prov("status"), 6, "ap_wrong_password");
        await expectUntouched(given, SECRETS);
      }),
  },
  {
    name: "an AP that gives no address",
    play: () =>
      withBoard({ dhcp: false }, async () => {
        const given = project();
        expectRun(await given.prov("status"), 6, "ap_no_dhcp");
        await expectUntouched(given, SECRETS);
      }),
  },
  {
    name: "the AP goes away in the middle",
    play: () =>
      withBoard({}, async (ap) => {
        const given = project();
        const args = [
          "provision",
          "--ssid",
          "HomeNet",
          "--wait",
          "wifi",
          "--timeout",
          String(slowly(25)),
          "--no-token",
        ];
        const running = given.start(...args, "--no-input");
        await until("POST /provision", 60, async () => existsSync(POSTED) || undefined);
        await ap.stop();
        expectRun(await running.done, 7, "outcome_unknown");
        await expectUntouched(given, SECRETS);
      }),
  },
  {
    name: "no board in the air",
    play: async () => {
      const given = project({ ssidPrefix: "Nobody" });
      const args = ["provision", "--ssid", "HomeNet", "--timeout", "8", "--no-input", "--no-token"];
      expectRun(await given.prov(...args), 6, "ap_not_found");
      await expectUntouched(given, SECRETS);
    },
  },
  {
    name: "a second adapter leaves the home connection alone",
    play: () =>
      withBoard({}, async () => {
        await must("nmcli", "device", "set", SPARE_IFACE, "managed", "yes");
        await until("spare adapter usable", 30, async () => {
          const status = await must("nmcli", "-t", "-f", "DEVICE,STATE", "device");
          return status.includes(`${SPARE_IFACE}:disconnected`) || undefined;
        });
        const since = await must(
          "nmcli",
          "-t",
          "-f",
          "GENERAL.CON-PATH",
          "device",
          "show",
          LAPTOP_IFACE,
        );
        const given = project();
        expectRun(await given.prov("status"), 0, null);
        expectRun(await given.prov("status", "--iface", SPARE_IFACE), 0, null);
        const now = await must(
          "nmcli",
          "-t",
          "-f",
          "GENERAL.CON-PATH",
          "device",
          "show",
          LAPTOP_IFACE,
        );
        await must("nmcli", "device", "set", SPARE_IFACE, "managed", "no");
        if (now !== since) throw new Error("the home connection was interrupted");
        await expectUntouched(given, SECRETS);
      }),
  },
  { name: "SIGINT at ten random moments", play: () => interruptions("SIGINT", 10) },
  { name: "SIGKILL, then one more call", play: () => interruptions("SIGKILL", 4) },
];

/** These leave the laptop without NetworkManager: play them last. */
export const brokenHostScenarios: Scenario[] = [
  {
    name: "an adapter unmanaged or missing, the radio off, no service",
    play: async () => {
      const given = project();
      expectRun(await given.prov("status", "--iface", SPARE_IFACE), 10, "wifi_unmanaged");
      expectRun(await given.prov("status", "--iface", "wlan9"), 10, "wifi_no_adapter");
      await expectUntouched(given, SECRETS);
      // This blocks every simulated radio, the home router's too: there is no way back.
      await must("nmcli", "radio", "wifi", "off");
      expectRun(await given.prov("status"), 10, "wifi_radio_off");
      await expectNothingLeft(given, SECRETS);
      await run("pkill", "-x", "NetworkManager");
      await delay(500);
      expectRun(await given.prov("status"), 10, "wifi_service_down");
    },
  },
];
