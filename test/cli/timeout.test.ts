import { createServer } from "node:http";
import { expect, test } from "vitest";
import { boundsOf } from "../../cli/flow/timeouts.js";
import { bootVirtualBoard } from "../../cli/lab/stages/board.js";
import { silent } from "../../cli/terminal/progress.js";
import { waitingStatus } from "../helpers/board-status.js";
import { projectWith } from "../helpers/project.js";
import { prov } from "../helpers/prov.js";
import { served } from "../helpers/served.js";

/** Time for the first answer on a busy machine, and less than the 8 s that one call has. */
const TIMEOUT_S = "6";

/** A board on its AP that answers `GET /status` and nothing else. */
async function halfBoard(deviceId: string): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url !== "/status") return;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(waitingStatus(deviceId)));
  });
  return `http://127.0.0.1:${await served(server)}`;
}

test("--timeout raises and lowers the bound on the AP too; without it that is shorter than the whole", () => {
  expect(boundsOf(undefined)).toEqual({ joinTimeoutMs: 45_000, timeoutMs: 120_000 });
  expect(boundsOf(300)).toEqual({ joinTimeoutMs: 300_000, timeoutMs: 300_000 });
  expect(boundsOf(2)).toEqual({ joinTimeoutMs: 2_000, timeoutMs: 2_000 });
});

test("it bounds the boot of the virtual board too", async () => {
  const lab = {
    info: { deviceIds: [] },
    events: { recent: () => [] },
    board: { log: { recent: () => ["the last line"] }, baseUrl: () => null },
  } as unknown as Parameters<typeof bootVirtualBoard>[0];
  const context = {
    out: silent,
    signal: new AbortController().signal,
  } as unknown as Parameters<typeof bootVirtualBoard>[1];
  await expect(bootVirtualBoard(lab, context, 0.05)).rejects.toMatchObject({
    code: "boot_timeout",
    message: "the board did not get to AP_MODE within 0.05 s; its last line: the last line",
  });
});

test.each([["scan"], ["reset"]])("`prov %s` ends with it when the board hangs", async (verb) => {
  const cwd = projectWith(`defineDevice({ id: "fern" })`);
  const url = await halfBoard("fern");
  const { code, stdout } = await prov([verb, "--json", "--url", url, "--timeout", TIMEOUT_S], {
    cwd,
  });
  const { error } = JSON.parse(stdout);
  expect([code, error.code]).toEqual([6, "ap_unreachable"]);
  expect(error.message).toContain("time was up");
});

test.each([["scan"], ["status"], ["reset"], ["provision"], ["run"]])(
  "`prov %s` tells of it in its help",
  async (verb) => {
    const { stdout } = await prov([verb, "--help"]);
    expect(stdout.replace(/\s+/g, " ")).toMatch(
      /--timeout <seconds> bound on .* 45 to find the AP/,
    );
  },
);
