import { join } from "node:path";
import { expect, it } from "vitest";
import { labUp, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { writeManifest } from "../helpers/project.js";
import { prov, REPOSITORY } from "../helpers/prov.js";

const ID = "talkative";
const PROJECT = join(REPOSITORY, ".cache", "e2e-log-level");
const PAIRING_SECRET = "pairing-4f1a90c2";
const BROKER_PASSWORD = "broker-2be60f93";
const BEARER = "bearer-77d0b1e5";

/**
 * Provisions a device that logs at this level.
 * @param meanwhile with the broker down, until it is over
 * @returns its log, and what must not be in it
 */
async function logOf(
  logLevel: string,
  meanwhile: (lab: RunningLab) => Promise<unknown>,
): Promise<{ log: string[]; secrets: string[] }> {
  writeManifest(
    PROJECT,
    `defineDevice({
  id: "${ID}",
  target: "esp32c3",
  logLevel: "${logLevel}",
  softAp: { pairingSecret: "${PAIRING_SECRET}" },
  mqtt: { statusIntervalSeconds: 1, username: "u", password: "${BROKER_PASSWORD}" },
})`,
  );
  const lab = await labUp("log-level", { project: PROJECT });
  try {
    const token = await lab.token(ID);
    const { password } = lab.home;
    await lab.client.setFaults([{ server: "broker", kind: "down" }]);
    const provisioning = prov(provisionArgs(lab), {
      cwd: PROJECT,
      env: { PROV_WIFI_PASSWORD: password, PROV_TOKEN: token, PROV_BEARER: BEARER },
    });
    await meanwhile(lab);
    await lab.client.setFaults([]);
    const outcome = await provisioning;
    expect(outcome.code, outcome.stderr).toBe(0);
    const log: string[] = [];
    for await (const line of lab.client.log()) log.push(line);
    return { log, secrets: [token, password, BEARER, PAIRING_SECRET, BROKER_PASSWORD] };
  } finally {
    expect(await lab.stop()).toBe(0);
  }
}

it("verbose: the log tells everything but the secrets", async () => {
  const detail = /^D \(\d+\) mqtt: transport/;
  const { log, secrets } = await logOf("verbose", (lab) => lab.logLine(detail));
  for (const secret of secrets) expect(log.filter((line) => line.includes(secret))).toEqual([]);
});

it("warn: the log is short, and the lab and prov do without the rest", async () => {
  const { log } = await logOf("warn", (lab) => lab.logLine(/^W \(\d+\) mqtt: broker_unreachable/));
  expect(log.filter((line) => /^[IDV] \(\d+\) /.test(line))).toEqual([]);
});
