import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createDeviceApi } from "../../cli/device/device-api.js";
import { ProvError } from "../../cli/errors.js";
import { failure } from "../helpers/failure.js";
import { served } from "../helpers/served.js";

async function serve(
  handler: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => handler(request, response, Buffer.concat(chunks).toString()));
  });
  return `http://127.0.0.1:${await served(server)}`;
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const { signal } = new AbortController();
const request = {
  ssid: "Home",
  password: "pass-word-secret",
  deviceId: "d",
  token: "token-secret",
  bearer: "bearer-secret",
  attemptId: "a",
  timeSeconds: 1_800_000_000,
};

describe("the client of the board's API", () => {
  it("posts the documented body, the Bearer token in its header", async () => {
    const seen: { body: unknown; authorization: string | undefined }[] = [];
    const url = await serve((incoming, response, body) => {
      seen.push({ body: JSON.parse(body), authorization: incoming.headers.authorization });
      json(response, 200, { status: "ok", message: "Credentials saved" });
    });
    await createDeviceApi(url).provision(request, signal);
    expect(seen).toEqual([
      {
        body: {
          ssid: "Home",
          password: "pass-word-secret",
          device_id: "d",
          provisioning_token: "token-secret",
          attempt_id: "a",
          time: 1_800_000_000,
        },
        authorization: "Bearer bearer-secret",
      },
    ]);
  });

  it.each([
    [409, "wrong_device", "device_mismatch"],
    [409, "busy", "provision_busy"],
    [503, "scan_unavailable", "scan_failed"],
    [500, "storage_failed", "storage_failed"],
    [400, "bad_field", "provision_refused"],
    [413, "too_large", "provision_refused"],
  ])("turns HTTP %i %s into %s", async (status, code, expected) => {
    const url = await serve((_, response) =>
      json(response, status, { status: "error", code, message: "because" }),
    );
    const error = await failure(createDeviceApi(url).provision(request, signal));
    expect(error.code).toBe(expected);
    expect(error.message).toContain("because");
  });

  it("posts over a connection of its own: the one of the GET before may have been closed", async () => {
    const used: unknown[] = [];
    const url = await serve((incoming, response) => {
      if (used.includes(incoming.socket)) return incoming.socket.resetAndDestroy();
      used.push(incoming.socket);
      json(
        response,
        200,
        incoming.method === "GET" ? { networks: [], count: 0 } : { status: "ok" },
      );
    });
    const api = createDeviceApi(url);
    expect(await api.scan(signal)).toEqual([]);
    await api.provision(request, signal);
    await api.reset("wifi", signal);
    expect(used).toHaveLength(3);
  });

  it("never carries a secret in an error", async () => {
    const url = await serve((incoming) => incoming.socket.destroy());
    const error = await failure(createDeviceApi(url).provision(request, signal));
    expect(error.code).toBe("ap_unreachable");
    expect(inspect(error, { depth: 10 })).not.toContain("secret");
  });

  it("does not follow redirects, which could carry the secrets elsewhere", async () => {
    const url = await serve((_, response) =>
      response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    );
    expect((await failure(createDeviceApi(url).provision(request, signal))).code).toBe(
      "bad_answer",
    );
  });

  it("calls a board as it calls itself, at the address where it was found", async () => {
    const hosts: (string | undefined)[] = [];
    const status = {
      ...{ status: "provisioning", state: "AP_MODE", device_id: "d", ip: "", error: null },
      ...{ attempts_remaining: 1, fw: "1", attempt_id: null, wifi_connected: false },
      ...{ certificate: false, last_error: null },
    };
    const url = await serve((incoming, response) => {
      hosts.push(incoming.headers.host);
      if (incoming.headers.host !== "192.168.4.1")
        response.writeHead(303, { location: "http://192.168.4.1/" }).end("Set up this device");
      else json(response, 200, incoming.method === "GET" ? status : { status: "ok" });
    });
    const api = createDeviceApi(url);
    expect((await api.status(signal)).deviceId).toBe("d");
    await api.reset("wifi", signal);
    expect(hosts).toEqual([new URL(url).host, "192.168.4.1", "192.168.4.1"]);
  });

  it.each(["http://evil.example/", "https://192.168.4.1/", "/status", "nonsense", "http://[::1]/"])(
    "takes %s for no board's own address",
    async (location) => {
      let calls = 0;
      const url = await serve((_, response) => {
        calls++;
        response.writeHead(303, { location }).end();
      });
      expect((await failure(createDeviceApi(url).status(signal))).code).toBe("bad_answer");
      expect(calls).toBe(1);
    },
  );

  it.each([
    [401, "pairing_required", /softAp\.pairingSecret/],
    [429, "locked", /Restart the board/],
    [429, "slow_down", /Wait/],
    [403, "foreign_host", /--url/],
    [400, "bad_field", /field that the board names/],
    [400, "constructor", /field that the board names/],
  ])("tells what to do about HTTP %i %s", async (status, code, hint) => {
    const url = await serve((_, response) =>
      json(response, status, { status: "error", code, message: "because" }),
    );
    const error = await failure(createDeviceApi(url).reset("wifi", signal));
    expect(error.code).toBe("provision_refused");
    expect(error.hint).toMatch(hint);
  });

  it.each<[string, Record<string, string>, string]>([
    ["is longer than any of a board", {}, "[".repeat(100_000)],
    ["says it is compressed and is not", { "content-encoding": "gzip" }, "not gzip"],
  ])("does not ask again for an answer that %s", async (_name, headers, body) => {
    const url = await serve((_, response) => response.writeHead(200, headers).end(body));
    const error = await failure(createDeviceApi(url).status(signal));
    expect(error.code).toBe("bad_answer");
    expect(error.message).toContain("too long, or garbled");
  });

  it.each(["<html>login</html>", "null", "[]", ""])("says of %j that it is none", async (body) => {
    const url = await serve((_, response) => response.end(body));
    const error = await failure(createDeviceApi(url).status(signal));
    expect(error.message).toBe(
      "unexpected answer from the board: no JSON document of this firmware",
    );
  });

  it("names the field of an unexpected answer", async () => {
    const url = await serve((_, response) => json(response, 200, { status: "online" }));
    const error = await failure(createDeviceApi(url).status(signal));
    expect(error.code).toBe("bad_answer");
    expect(error.message).toContain("status");
  });

  it("passes an abort on as what it is", async () => {
    const url = await serve(() => {});
    const abort = new AbortController();
    const pending = createDeviceApi(url).status(abort.signal);
    abort.abort(new ProvError("interrupted", "stop"));
    expect((await failure(pending)).code).toBe("interrupted");
  });
});
