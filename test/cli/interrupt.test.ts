import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { idfStandIn, running } from "../helpers/idf.js";
import { FERN, projectWith } from "../helpers/project.js";
import { prov, startProv } from "../helpers/prov.js";

async function interruptedBuild(signal: NodeJS.Signals, times: number) {
  const cwd = projectWith(FERN);
  const idf = idfStandIn();
  idf.hang(["configure"]);
  const child = startProv(["build", "--json", "--verbose"], { cwd, env: { IDF_PATH: idf.path } });
  const closed = once(child, "close");
  let stdout = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  if (!child.stderr) throw new Error("no stderr");
  for await (const line of createInterface({ input: child.stderr })) {
    // The stand-in's compiler is up, and deaf to SIGTERM.
    if (line.includes("[1/9] up")) for (let time = 0; time < times; time += 1) child.kill(signal);
  }
  const [code] = await closed;
  return { cwd, idf, code, stdout };
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s during a build: exit 130, one JSON document, no process is left, and the next build works",
  async (signal) => {
    const { cwd, idf, code, stdout } = await interruptedBuild(signal, 1);
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: "interrupted", stage: "interrupted" },
    });
    expect(idf.pids()).toHaveLength(2);
    await expect.poll(() => running(idf.pids())).toEqual([]);

    idf.play(["configure", "start", "end", "end-fits"]);
    expect((await prov(["build"], { cwd, env: { IDF_PATH: idf.path } })).code).toBe(0);
  },
);

test("nobody has to wait for a compiler that will not end: the third Ctrl-C kills it", async () => {
  const { idf, code } = await interruptedBuild("SIGINT", 3);
  expect(code).toBe(130);
  await expect.poll(() => running(idf.pids())).toEqual([]);
});
