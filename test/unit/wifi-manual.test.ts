import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { describe, expect, test } from "vitest";
import { virtualWifi } from "../../cli/lab/air/virtual-wifi.js";
import { manualWifi } from "../../cli/wifi/manual.js";
import { chooseKind, selectWifi } from "../../cli/wifi/select.js";
import { longer } from "../helpers/longer.js";
import { served } from "../helpers/served.js";

async function listen(onRequest: () => void = () => undefined) {
  const server = createServer((_request, response) => {
    onRequest();
    response.writeHead(404).end();
  });
  return `http://127.0.0.1:${await served(server)}`;
}

describe("the manual adapter", () => {
  test("anything that speaks HTTP at the address counts as reachable", async () => {
    const url = await listen();
    const joined = await manualWifi({ baseUrl: `${url}/` }).join({ ssid: "board" }, null, {
      signal: AbortSignal.timeout(longer(20_000)),
    });
    expect(joined).toEqual({ ssid: null, baseUrl: url });
  });

  test("something that does not speak HTTP is ap_unreachable and says why", async () => {
    const deadline = new AbortController();
    let connections = 0;
    const server = createTcpServer((socket) => {
      socket.resetAndDestroy();
      connections += 1;
      if (connections === 2) deadline.abort(new DOMException("too long", "TimeoutError"));
    });
    const port = await served(server);
    const adapter = manualWifi({ baseUrl: `http://127.0.0.1:${port}`, probeIntervalMs: 5 });
    await expect(
      adapter.join({ ssid: "x" }, null, { signal: deadline.signal }),
    ).rejects.toMatchObject({
      code: "ap_unreachable",
      exitCode: 6,
      message: expect.stringMatching(/nothing answers at .*ECONNRESET/),
    });
  });

  test("a bad URL is a usage error at once", async () => {
    const joining = manualWifi({ baseUrl: "not a url" }).join({ ssid: "x" }, null, {
      signal: AbortSignal.timeout(longer(20_000)),
    });
    await expect(joining).rejects.toMatchObject({ code: "usage" });
  });

  test("leaving changes nothing", async () => {
    expect(await manualWifi().leave()).toMatchObject({ changed: false, restored: true });
  });
});

describe("choosing the adapter", () => {
  const stateDir = ".prov";
  test.each([
    [{ platform: "linux" as const }, "nmcli"],
    [{ platform: "darwin" as const }, "networksetup"],
    [{ platform: "win32" as const }, "netsh"],
    [{ platform: "linux" as const, baseUrl: "http://10.0.0.2" }, "manual"],
    [{ platform: "linux" as const, virtual: virtualWifi("/air") }, "virtual"],
    [
      { platform: "linux" as const, virtual: virtualWifi("/air"), kind: "manual" as const },
      "manual",
    ],
  ])("%j is %s", (choice, kind) => {
    expect(chooseKind({ stateDir, ...choice })).toBe(kind);
  });

  test("an unknown platform names the way out", () => {
    expect(() => chooseKind({ stateDir, platform: "freebsd" })).toThrow(
      expect.objectContaining({ code: "wifi_no_adapter", exitCode: 10 }),
    );
  });

  test("virtual without an air is an environment error", () => {
    expect(() => selectWifi({ stateDir, kind: "virtual" })).toThrow(
      expect.objectContaining({ code: "lab_not_running" }),
    );
  });
});
