import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../codegen/limits.js";
import { launchBrowser } from "../helpers/browser.js";
import { forwardTo } from "../helpers/forward.js";
import { freshBoard, labUp, type RunningLab } from "../helpers/lab.js";
import { longer } from "../helpers/longer.js";
import { DEVICE_ID, prov } from "../helpers/prov.js";
import { type RawAnswer, rawClient, rawRequest } from "../helpers/raw-http.js";

/* Who is heard by the board's HTTP server, and for how long. Requests go out byte by byte: no client of the machine's
   would send most of them. */

const JSON_TYPE = "Content-Type: application/json";
const FORM = `ssid=Home&password=&provisioning_token=t&device_id=${DEVICE_ID}`;
const RESET = '{"scope":"all"}';
/** No handler is slower, and a request that is cut off is cut off after 4 s. */
const CUT_OFF_MS = 12_000;

let lab: RunningLab;
let base: string;
let own: string;

beforeAll(async () => {
  lab = await labUp("http-gate");
  await freshBoard(lab);
});

/** A board that was made to restart is somewhere else: one failure is no other test's. */
beforeEach(async () => {
  base = await lab.baseUrl();
  own = new URL(base).host;
});

afterAll(async () => {
  expect(await lab.stop()).toBe(0);
});

/** How often the board has opened its AP: once for each start. */
async function starts(): Promise<number> {
  let count = 0;
  for await (const line of lab.client.log()) if (/AP_MODE ssid=/.test(line)) count++;
  return count;
}

/** Nothing in `attempt` makes the board forget, restart or begin to provision. */
async function expectNoEffect(attempt: () => Promise<unknown>): Promise<void> {
  const before = await starts();
  await attempt();
  // On a connection of its own: one that fetch() keeps may be closed by now, to make room for others.
  const status = JSON.parse((await get("/status", `Host: ${own}`)).body);
  expect(status).toMatchObject({ state: "AP_MODE", attempt_id: null, error: null });
  expect(await starts()).toBe(before);
}

function request(line: string, headers: readonly string[], body = ""): Promise<RawAnswer> {
  return rawRequest(base, [line, ...headers, "", body].join("\r\n"));
}

function get(path: string, ...headers: string[]): Promise<RawAnswer> {
  return request(`GET ${path} HTTP/1.1`, headers);
}

function post(path: string, headers: readonly string[], body: string): Promise<RawAnswer> {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return request(`POST ${path} HTTP/1.1`, [...headers, length], body);
}

const PATHS = [
  "/status",
  "/scan",
  "/local-wifi",
  "/progress",
  "/",
  "/nope",
  "/provision",
  "/reset",
];

const FOREIGN_HOSTS: readonly (readonly [what: string, ...headers: string[]])[] = [
  ["a name", "Host: evil.example"],
  ["a name with the board's port", "Host: evil.example:80"],
  ["a name that begins with the address", "Host: 192.168.4.1.evil.example"],
  ["a name in upper case", "HOST: EVIL.EXAMPLE"],
  ["localhost", "Host: localhost"],
  ["another address", "Host: 10.0.0.1"],
  ["a neighbour's address", "Host: 192.168.4.2"],
  ["the address with a trailing dot", "Host: 192.168.4.1."],
  ["the address as one number", "Host: 3232236545"],
  ["the address in hexadecimal", "Host: 0xC0A80401"],
  ["the address with zeros in front", "Host: 192.168.004.001"],
  ["the address in IPv6", "Host: [::ffff:192.168.4.1]"],
  ["the loopback of IPv6", "Host: [::1]"],
  ["somebody at the address", "Host: user@192.168.4.1"],
  ["a list", "Host: 192.168.4.1, evil.example"],
  ["a port that is none", "Host: 192.168.4.1:http"],
  ["a port beyond all", "Host: 192.168.4.1:65536"],
  ["two hosts", "Host: evil.example", "Host: 192.168.4.1"],
  ["an empty host", "Host:"],
  ["no host"],
  ["something long", `Host: ${"a".repeat(300)}.example`],
];

describe("a request for another host", () => {
  it.each(FOREIGN_HOSTS)("%s: is led to the page, or refused", async (_what, ...headers) => {
    const hears = async () => {
      for (const path of PATHS) {
        const answer = await get(path, ...headers, "Accept: application/json");
        expect([path, answer.status]).toEqual([path, 303]);
        expect(answer.head).toContain("Location: http://192.168.4.1/");
        expect(answer.body).toMatch(/^Set up this device/);
      }
      for (const path of ["/provision", "/reset"]) {
        const answer = await post(path, [...headers, JSON_TYPE], RESET);
        expect([path, answer.status, JSON.parse(answer.body).code]).toEqual([
          path,
          403,
          "foreign_host",
        ]);
      }
      const form = "Content-Type: application/x-www-form-urlencoded";
      expect(await post("/", [...headers, form], FORM)).toMatchObject({ status: 403 });
    };
    await expectNoEffect(hears);
  });

  it("is refused with every other method, and on HTTP/1.0", async () => {
    for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"])
      expect(
        await request(`${method} /status HTTP/1.1`, ["Host: evil.example"]),
        method,
      ).toMatchObject({ status: 403 });
    expect(await request("GET /status HTTP/1.0", [])).toMatchObject({ status: 303 });
  });

  it("is refused when the host is in its target", async () => {
    const answer = await get("http://evil.example/status", `Host: ${own}`);
    expect(answer.status).toBe(303);
  });
});

describe("a request for the board", () => {
  it("is heard at its own address, and at the one where it was reached, whatever the port", async () => {
    const { hostname } = new URL(base);
    for (const host of ["192.168.4.1", "192.168.4.1:80", own, hostname, `${hostname}:1`])
      for (const origin of [[], [`Origin: http://${host}`]])
        expect(await get("/status", `Host: ${host}`, ...origin), host).toMatchObject({
          status: 200,
        });
  });

  it("comes from prov by whatever name prov was given", async () => {
    const forward = await forwardTo(async () => own);
    const url = `http://localhost:${forward.port}`;
    const { code, stdout } = await prov(["status", "--url", url, "--json"]);
    forward.close();
    expect([code, JSON.parse(stdout).ok], stdout).toEqual([0, true]);
  });

  it.each([
    ["another site", "http://evil.example"],
    ["a sandboxed page", "null"],
    ["an empty one", ""],
    ["the secure sibling", "https://192.168.4.1"],
    ["another port", "http://192.168.4.1:8080"],
    ["another way to write it", "http://192.168.4.1/"],
    ["the other address of the board", () => `http://${new URL(base).hostname}`],
  ])("is not heard from the page of %s", async (_what, page) => {
    const origin = typeof page === "string" ? page : page();
    const headers = ["Host: 192.168.4.1", `Origin: ${origin}`];
    await expectNoEffect(async () => {
      for (const path of PATHS)
        expect(await get(path, ...headers), path).toMatchObject({ status: 303 });
      for (const path of ["/provision", "/reset", "/"])
        expect(await post(path, [...headers, JSON_TYPE], RESET), path).toMatchObject({
          status: 403,
        });
    });
  });
});

describe("a page of another site whose name leads to the board", () => {
  /** What its script gets to know: the status and the text of each answer, or that there was none. */
  const ATTACK = async (paths: readonly string[], body: string): Promise<string[]> => {
    const ask = async (path: string, init: RequestInit) => {
      try {
        const answer = await fetch(path, init);
        return `${path} ${answer.status} ${await answer.text()}`;
      } catch {
        return `${path} nothing`;
      }
    };
    const heard: string[] = [];
    for (const path of paths) heard.push(await ask(path, {}));
    const headers = { "Content-Type": "application/json" };
    for (const path of ["/provision", "/reset"])
      heard.push(await ask(path, { method: "POST", headers, body }));
    return heard;
  };

  it("reads nothing and changes nothing, in Chromium", async () => {
    const name = "rebound.example";
    const browser = await launchBrowser([
      `--host-resolver-rules=MAP ${name} ${new URL(base).hostname}`,
      // A guard of its own, which few phones have yet.
      "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
    ]);
    try {
      const page = await browser.newPage();
      const origin = `http://${name}:${new URL(base).port}`;
      const html = { contentType: "text/html", body: "<title>a page of somebody else's</title>" };
      await page.route(`${origin}/page`, (route) => route.fulfill(html)); // before its name was rebound
      await page.goto(`${origin}/page`);
      await expectNoEffect(async () => {
        const heard = await page.evaluate(
          ([attack, paths, body]) => new Function(`return (${attack})`)()(paths, body),
          [ATTACK.toString(), PATHS, RESET] as const,
        );
        const [provisioned, wasReset] = heard.splice(PATHS.length);
        expect(heard).toEqual(PATHS.map((path) => `${path} nothing`));
        expect(provisioned).toMatch(/^\/provision 403 .*foreign_host/);
        expect(wasReset).toMatch(/^\/reset 403 .*foreign_host/);
      });
    } finally {
      await browser.close();
    }
  });
});

describe("a body that cannot be read", () => {
  it.each([
    ["chunked", "Transfer-Encoding: chunked"],
    ["chunked, in capitals", "TRANSFER-ENCODING: CHUNKED"],
    ["in small letters", "transfer-encoding: chunked"],
    ["gzip", "Transfer-Encoding: gzip"],
    ["gzip, then chunked", "Transfer-Encoding: gzip, chunked"],
    ["identity", "Transfer-Encoding: identity"],
    ["an empty one", "Transfer-Encoding:"],
    ["something", "Transfer-Encoding: xchunked"],
    ["gzip, with a length", "Transfer-Encoding: gzip", `Content-Length: ${RESET.length}`],
    ["chunked, with a length", "Transfer-Encoding: chunked", `Content-Length: ${RESET.length}`],
  ])("is refused on every path and method, and ends the session: %s", async (what, ...coding) => {
    const status = what === "chunked, with a length" ? 400 : 411; // the server itself refuses that one
    const chunks = `f\r\n${RESET}\r\n0\r\n\r\n`;
    await expectNoEffect(async () => {
      for (const path of ["/reset", "/provision", "/", "/status"])
        for (const method of ["POST", "GET"]) {
          const { socket, closed } = rawClient(base);
          const head = [`${method} ${path} HTTP/1.1`, `Host: ${own}`, JSON_TYPE, ...coding, "", ""];
          socket.write(`${head.join("\r\n")}${chunks}`);
          // What follows must not pass for another request.
          socket.write(
            `POST /reset HTTP/1.1\r\nHost: ${own}\r\n${JSON_TYPE}\r\nContent-Length: 15\r\n\r\n${RESET}`,
          );
          const answer = await closed;
          expect([method, path, answer.status]).toEqual([method, path, status]);
          expect(answer.body.match(/HTTP\/1\.1/g)).toBeNull();
        }
    });
  });

  it.each([
    [String(LIMITS.requestBodyMaxBytes + 1), 413],
    ["4294967296", 413],
    ["4294967311", 413],
    ["8589934607", 413],
    ["9223372036854775823", 413],
    // Beyond 64 bits the server itself refuses.
    ["18446744073709551615", 400],
    ["18446744073709551616", 400],
    [`1${"0".repeat(40)}`, 400],
    [`1${"0".repeat(100)}`, 400],
    ["-1", 400],
    ["-4294967281", 400],
    ["+15", 400],
    ["15,15", 400],
    ["0xf", 400],
    ["fifteen", 400],
    ["15 15", 400],
    ["", 400],
  ])("is refused for Content-Length: %s", async (length, status) => {
    await expectNoEffect(async () => {
      for (const path of ["/reset", "/provision", "/status"]) {
        const { socket, closed } = rawClient(base);
        const method = path === "/status" ? "GET" : "POST";
        const head = [
          `${method} ${path} HTTP/1.1`,
          `Host: ${own}`,
          JSON_TYPE,
          `Content-Length: ${length}`,
        ];
        socket.write([...head, "", RESET].join("\r\n"));
        expect([path, (await closed).status]).toEqual([path, status]);
      }
    });
  });

  it("is refused with two lengths", async () => {
    await expectNoEffect(async () => {
      for (const [first, second] of [
        ["15", "15"],
        ["15", "0"],
        ["0", "15"],
      ]) {
        const lengths = [`Content-Length: ${first}`, `content-length: ${second}`];
        const answer = await request(
          "POST /reset HTTP/1.1",
          [`Host: ${own}`, JSON_TYPE, ...lengths],
          RESET,
        );
        expect(answer.status).toBe(400);
      }
    });
  });
});

describe("POST /reset", () => {
  it.each([
    ["no body and no type", [], ""],
    ["no body", [JSON_TYPE], ""],
    ["an empty object", [JSON_TYPE], "{}"],
    ["a scope that is null", [JSON_TYPE], '{"scope":null}'],
    ["a scope in capitals", [JSON_TYPE], '{"scope":"ALL"}'],
    ["a misspelt scope", [JSON_TYPE], '{"scop":"all"}'],
  ] as const)("asks for its scope: %s", async (_what, headers, body) => {
    await expectNoEffect(async () => {
      const answer = await post("/reset", [`Host: ${own}`, ...headers], body);
      const { code, message } = JSON.parse(answer.body);
      expect([answer.status, code]).toEqual([400, "bad_field"]);
      expect(message).toContain("scope");
    });
    const bare = await request("POST /reset HTTP/1.1", [`Host: ${own}`]);
    expect([bare.status, JSON.parse(bare.body).code]).toEqual([400, "bad_field"]);
  });
});

/** Writes `text` a byte every 300 ms, until the server has enough; longer than anybody would wait. */
function drip(base: string, sent: string, text: string): Promise<RawAnswer> {
  const { socket, closed } = rawClient(base);
  socket.write(sent);
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ""), 300);
  return closed.finally(() => clearInterval(timer));
}

function inTime<T>(promise: Promise<T>): Promise<T | "still there"> {
  return Promise.race([
    promise,
    new Promise<"still there">((resolve) =>
      setTimeout(() => resolve("still there"), longer(CUT_OFF_MS)).unref(),
    ),
  ]);
}

describe("a client that is slow", () => {
  const head = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: ${own}\r\n`;

  it.each([
    [
      "drips the header of a GET",
      () => drip(base, "", `${head("GET", "/status")}X-A: ${"a".repeat(500)}`),
    ],
    ["drips the header of a POST", () => drip(base, head("POST", "/reset"), "X-A: b\r\n")],
    [
      "drips a body",
      () => drip(base, `${head("POST", "/reset")}${JSON_TYPE}\r\nContent-Length: 900\r\n\r\n`, " "),
    ],
    [
      "drips a body that nobody wants",
      () => drip(base, `${head("GET", "/status")}Content-Length: 900\r\n\r\n`, " "),
    ],
    [
      "stops in the header",
      async () => {
        const { socket, closed } = rawClient(base);
        socket.write(head("GET", "/status"));
        return closed;
      },
    ],
    [
      "stops in the body",
      async () => {
        const { socket, closed } = rawClient(base);
        socket.write(`${head("POST", "/reset")}${JSON_TYPE}\r\nContent-Length: 15\r\n\r\n{`);
        return closed;
      },
    ],
  ])("is cut off and does not keep others from their answers: it %s", async (_what, attack) => {
    await expectNoEffect(async () => {
      const ended = attack();
      const other = fetch(`${base}/status`);
      expect(await inTime(ended)).not.toBe("still there");
      expect((await other).status).toBe(200);
    });
  });
});

describe("a request that nobody waits for", () => {
  it("is not carried out: its client hung up while the server was busy", async () => {
    await expectNoEffect(async () => {
      const slow = rawClient(base);
      slow.socket.write(
        `POST /reset HTTP/1.1\r\nHost: ${own}\r\n${JSON_TYPE}\r\nContent-Length: 15\r\n\r\n{`,
      );
      await new Promise((resolve) => slow.socket.once("connect", resolve).once("error", resolve));
      const gone = Array.from({ length: 5 }, async () => {
        const { socket, closed } = rawClient(base);
        socket.end(
          `POST /reset HTTP/1.1\r\nHost: ${own}\r\n${JSON_TYPE}\r\nContent-Length: 15\r\n\r\n${RESET}`,
        );
        return (await closed).status;
      });
      expect((await slow.closed).status).toBe(0);
      expect(await Promise.all(gone)).toEqual([0, 0, 0, 0, 0]);
    });
  });

  it("costs the next one no time: 100 at once that are gone, then one that waits", async () => {
    await expectNoEffect(async () => {
      const body = "x".repeat(4000);
      const gone = Array.from({ length: 100 }, async () => {
        const { socket } = rawClient(base);
        await new Promise((resolve) => socket.once("connect", resolve).once("error", resolve));
        socket.write(
          `POST /provision HTTP/1.1\r\nHost: ${own}\r\n${JSON_TYPE}\r\nContent-Length: 4000\r\n\r\n${body}`,
        );
        socket.destroy();
      });
      await Promise.all(gone);
      expect(await inTime(get("/status", `Host: ${own}`))).toMatchObject({ status: 200 });
    });
  });

  it("is answered, each of 100 at once, when their clients do wait", async () => {
    await expectNoEffect(async () => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, async () => {
          for (;;) {
            const answer = await post("/provision", [`Host: ${own}`, JSON_TYPE], "{}");
            // Whose request is slower than the next connections is purged before it has come, and comes again.
            if (answer.status !== 0) return answer;
          }
        }),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 400));
    });
  });
});
