import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { longer } from "../helpers/longer.js";
import { type NmcliStandIn, nmcliStandIn } from "../helpers/nmcli.js";
import { FERN, projectWith, temporaryDir } from "../helpers/project.js";
import { MAIN, prov, REPOSITORY, run, startProv } from "../helpers/prov.js";

const HANG_UP = join(REPOSITORY, "test", "support", "hang-up.py");

async function joined(machine: NmcliStandIn): Promise<void> {
  await expect
    .poll(() => machine.calls().some(({ call }) => call.startsWith("connection up id prov-")), {
      timeout: longer(30_000),
    })
    .toBe(true);
  expect(existsSync(machine.journal)).toBe(true);
}

function expectPutBack(machine: NmcliStandIn): void {
  expect(machine.state()).toEqual({ active: "HomeNet", profiles: [] });
  expect(existsSync(machine.journal)).toBe(false);
}

function textOf(child: ChildProcess): { stdout: string; stderr: string } {
  const text = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => {
    text.stdout += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    text.stderr += String(chunk);
  });
  return text;
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s on the board's AP: the WiFi is put back, exit 130",
  async (signal) => {
    const machine = nmcliStandIn();
    const cwd = projectWith(FERN);
    const child = startProv(["status", "--json", "--wifi", "nmcli"], { cwd, env: machine.env });
    const text = textOf(child);
    const closed = once(child, "close");
    await joined(machine);
    child.kill(signal);
    expect(await closed).toEqual([130, null]);
    expect(JSON.parse(text.stdout)).toMatchObject({ error: { code: "interrupted" } });
    expectPutBack(machine);
  },
);

test("a terminal that closes hangs up more than once: that hurries nobody", async () => {
  const machine = nmcliStandIn();
  const cwd = projectWith(FERN);
  const child = startProv(["status", "--wifi", "nmcli"], { cwd, env: machine.env });
  const closed = once(child, "close");
  await joined(machine);
  for (let time = 0; time < 4; time += 1) child.kill("SIGHUP");
  expect(await closed).toEqual([130, null]);
  expectPutBack(machine);
});

test("the terminal closes: the WiFi is put back, and node does not abort over what is gone", async () => {
  const machine = nmcliStandIn();
  const config = join(projectWith(FERN), "device.config.ts");
  const env = Object.entries(machine.env).map(([name, value]) => `${name}=${value}`);
  const command = [process.execPath, MAIN, "status", "--wifi", "nmcli", "--config", config];
  const { stdout } = await run("python3", [
    ...[HANG_UP, machine.log, "connection up id prov-", "env", ...env, ...command],
  ]);
  // Ended by the signal itself.
  expect(stdout.trim()).toBe("-1");
  expectPutBack(machine);
});

test("nobody reads the progress any more: the WiFi is put back all the same", async () => {
  const machine = nmcliStandIn();
  const cwd = projectWith(FERN);
  const child = startProv(["status", "--wifi", "nmcli", "--verbose"], { cwd, env: machine.env });
  const closed = once(child, "close");
  child.stderr?.destroy();
  await joined(machine);
  child.kill("SIGINT");
  expect(await closed).toEqual([130, null]);
  expectPutBack(machine);
});

test("a crash puts the WiFi back before it ends: exit 1", async () => {
  const machine = nmcliStandIn();
  const cue = join(temporaryDir(), "cue");
  const cwd = projectWith(`(() => {
    const look = () => {
      if (require("node:fs").existsSync(${JSON.stringify(cue)})) throw new Error("out of the blue");
    };
    setInterval(look, 10);
    return ${FERN};
  })()`);
  const child = startProv(["status", "--json", "--wifi", "nmcli"], { cwd, env: machine.env });
  const text = textOf(child);
  const closed = once(child, "close");
  await joined(machine);
  writeFileSync(cue, "");
  expect(await closed).toEqual([1, null]);
  expect(JSON.parse(text.stdout)).toMatchObject({
    error: { code: "internal", message: "out of the blue" },
  });
  expectPutBack(machine);
});

test("NetworkManager's tool learns none of prov's secrets", async () => {
  const machine = nmcliStandIn();
  const secrets = { PROV_WIFI_PASSWORD: "hunter22hunter22", PROV_TOKEN: "t-1", PROV_BEARER: "b-1" };
  const child = startProv(["status", "--wifi", "nmcli"], {
    cwd: projectWith(FERN),
    env: { ...machine.env, ...secrets },
  });
  const closed = once(child, "close");
  await joined(machine);
  child.kill("SIGINT");
  await closed;
  for (const { env } of machine.calls())
    for (const name of Object.keys(secrets)) expect(env).not.toHaveProperty(name);
});

test("a run that was killed is put right by the next one, in whatever project", async () => {
  const machine = nmcliStandIn();
  const killed = startProv(["status", "--wifi", "nmcli"], {
    cwd: projectWith(FERN),
    env: machine.env,
  });
  const closed = once(killed, "close");
  await joined(machine);
  killed.kill("SIGKILL");
  await closed;
  expect(machine.state().profiles).toHaveLength(1);

  const { code, stderr } = await prov(["keys"], { cwd: projectWith(FERN), env: machine.env });
  expect(code).toBe(0);
  expect(stderr).toContain("put back the WiFi that an earlier run left changed");
  expectPutBack(machine);
});

test("a journal that says nothing is in the way of the WiFi alone", async () => {
  const machine = nmcliStandIn();
  mkdirSync(dirname(machine.journal));
  writeFileSync(machine.journal, "{");
  const cwd = projectWith(FERN);
  const keys = await prov(["keys"], { cwd, env: machine.env });
  expect(keys.code).toBe(0);
  expect(keys.stderr).toContain(`remove ${machine.journal}`);
  const status = await prov(["status", "--json", "--wifi", "nmcli"], { cwd, env: machine.env });
  expect(status.code).toBe(10);
  expect(JSON.parse(status.stdout).error).toMatchObject({
    code: "file_inaccessible",
    hint: expect.stringContaining(`remove ${machine.journal}`),
  });
  expect(machine.state()).toEqual({ active: "HomeNet", profiles: [] });
});
