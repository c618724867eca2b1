import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { waitingStatus } from "../helpers/board-status.js";
import { projectWith } from "../helpers/project.js";
import { prov } from "../helpers/prov.js";
import { served } from "../helpers/served.js";

/** What somebody nearby may call a network, and a stranger's device may say. */
const EVIL =
  "\n::error::A\r\n ::add-mask::B\u001b[2J\u001b]0;t\u0007\u009b31m\u202e##[error]C\u2028\u200b";
const STATUS = {
  ...waitingStatus("fern"),
  state: `AP_MODE${EVIL}`,
  ip: EVIL,
  error: { code: "dns_failed", message: EVIL },
  fw: EVIL,
};
const NETWORKS = [{ ssid: EVIL, rssi: -40, channel: 1, secure: true }];
const COLORS = [{}, { FORCE_COLOR: "1", NO_COLOR: "" }];

async function strangeBoard(answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await served(createHttpServer(answer))}`;
}

/** A serial port at the other end of TCP that prints a log. */
async function strangeLog(log: string): Promise<string> {
  const server = createServer((socket) => socket.on("error", () => {}).write(log));
  return `socket://127.0.0.1:${await served(server)}`;
}

/** What neither a terminal nor GitHub's runner may find in it, but for prov's own colours and its own annotation. */
function expectHarmless(text: string): void {
  const own = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g");
  const lines = text.replace(own, "").split("\n");
  for (const line of lines) {
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(line).not.toContain("##[");
    expect(line).not.toMatch(/^\s*::(?!error title=prov [a-z_]+::)/);
  }
}

describe("text of a stranger, under GitHub Actions", () => {
  test.each(["status", "scan"])("%s shows it without obeying it", async (command) => {
    const url = await strangeBoard((request, response) => {
      const body = request.url === "/scan" ? { networks: NETWORKS, count: 1 } : STATUS;
      response.end(JSON.stringify(body));
    });
    const cwd = projectWith(`defineDevice({ id: "fern", target: "esp32c3" })`);
    for (const color of COLORS) {
      const env = { GITHUB_ACTIONS: "true", ...color };
      const { code, stdout, stderr } = await prov([command, "--url", url], { cwd, env });
      expect(code, stderr).toBe(0);
      expectHarmless(stdout);
      expectHarmless(stderr);
      expect(stdout).toContain("\\u{202e}");
    }
    const { stdout } = await prov([command, "--url", url, "--json"], { cwd });
    expectHarmless(stdout);
    // The name of a network is data: whoever asks for JSON gets it as it is.
    if (command === "scan") expect(JSON.parse(stdout).networks).toEqual(NETWORKS);
    else expect(JSON.parse(stdout).status.error.message).toContain("\\u{a}::error::A");
  });

  test("a refusal is an error and its annotation, each on lines of its own", async () => {
    const refusal = { status: "error", code: `busy${EVIL}`, message: EVIL };
    const url = await strangeBoard((request, response) => {
      const { method } = request;
      response.statusCode = method === "POST" ? 409 : 200;
      response.end(JSON.stringify(method === "POST" ? refusal : STATUS));
    });
    const cwd = projectWith(`defineDevice({ id: "fern", target: "esp32c3" })`);
    for (const color of COLORS) {
      const env = { GITHUB_ACTIONS: "true", ...color };
      const { code, stdout, stderr } = await prov(["reset", "--url", url, "--verbose"], {
        cwd,
        env,
      });
      expect(code).toBe(7);
      expect(stdout).toBe("");
      expectHarmless(stderr);
      expect(stderr.match(/^::error title=prov provision_refused::.*$/gm)).toHaveLength(1);
    }
  });

  test("another device's id names it, and no more", async () => {
    const url = await strangeBoard((_request, response) => {
      response.end(JSON.stringify({ ...STATUS, device_id: EVIL }));
    });
    const cwd = projectWith(`defineDevice({ id: "fern", target: "esp32c3" })`);
    const env = { GITHUB_ACTIONS: "true" };
    const { code, stderr } = await prov(["status", "--url", url], { cwd, env });
    expect(code).toBe(6);
    expectHarmless(stderr);
  });

  test("the monitor shows a log with its colours at most", async () => {
    const log = `::error::A\r\n\u0000  ::warning::B\r\nI (1) ##[error]C\r\n${EVIL}\r\n\u001b[31m::error::D\u001b[0m\r\nend\r\n`;
    for (const color of COLORS) {
      const env = { GITHUB_ACTIONS: "true", ...color };
      const port = await strangeLog(log);
      const { code, stdout, stderr } = await prov(["monitor", "--port", port, "--until", "end"], {
        env,
      });
      expect(code, stderr).toBe(0);
      expectHarmless(stdout);
      expect(stdout).toMatch(/^\\u\{3a\}:error::A$/m);
      const isColored = stdout.includes("\u001b[31m");
      expect(isColored).toBe("FORCE_COLOR" in color);
    }
    const port = await strangeLog(log);
    const env = { GITHUB_ACTIONS: "true" };
    const { stdout, stderr } = await prov(["monitor", "--port", port, "--until", "end", "--json"], {
      env,
    });
    expectHarmless(stderr);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, matched: "end" });
  });
});
