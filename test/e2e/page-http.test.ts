import { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../codegen/limits.js";
import { inflatePage, PAGE_INC_PATH } from "../../codegen/page.js";
import { FAILURE_WORDS, FIELD_WORDS, REFUSAL_WORDS } from "../../codegen/page-words.js";
import { freshBoard, labUp, type RunningLab } from "../helpers/lab.js";
import { longer } from "../helpers/longer.js";
import { DEVICE_ID, REPOSITORY, run } from "../helpers/prov.js";

const FORM = `ssid=Home&password=&provisioning_token=t&device_id=${DEVICE_ID}`;
const FORM_TYPE = "application/x-www-form-urlencoded";
const HTML = "text/html; charset=utf-8";

let lab: RunningLab;
let base: string;
let dnsPort: number;

beforeAll(async () => {
  lab = await labUp("page-http");
});

afterAll(async () => {
  expect(await lab.stop()).toBe(0);
});

beforeEach(async () => {
  ({ baseUrl: base, dnsPort } = await freshBoard(lab));
});

async function post(path: string, headers: Record<string, string> = {}, body = FORM) {
  const response = await fetch(`${base}${path}`, {
    method: "POST",
    headers: { "Content-Type": FORM_TYPE, ...headers },
    body,
  });
  const type = response.headers.get("content-type");
  return { status: response.status, type, text: await response.text() };
}

/** GET with curl: it lets the Host header be anybody's, and follows nothing. */
async function get(path: string, ...headers: string[]) {
  const args = headers.flatMap((header) => ["-H", header]);
  const { stdout, stderr, code } = await run("curl", [
    "-sSi",
    "-m",
    "20",
    ...args,
    `${base}${path}`,
  ]);
  expect(code, stderr).toBe(0);
  const [head = "", ...body] = stdout.split("\r\n\r\n");
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1]?.trim();
  return { status: Number(head.split(" ")[1]), field, body: body.join("\r\n\r\n") };
}

describe("GET /", () => {
  it("is the committed page, compressed, with a policy that lets nothing else in", async () => {
    const response = await fetch(`${base}/`);
    expect(response.status).toBe(200);
    expect(Number(response.headers.get("content-length"))).toBeLessThanOrEqual(10 * 1024);
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("content-type")).toBe(HTML);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-security-policy")).toMatch(
      /^default-src 'none';.*;script-src 'sha256-/,
    );
    const html = await response.text();
    expect(html).toBe(inflatePage(readFileSync(join(REPOSITORY, PAGE_INC_PATH), "utf8")));
    expect(html).not.toMatch(/\b(src|srcset)=|https?:|@import|url\(/);
  });
});

describe("its two ways in", () => {
  it("are apart: /provision takes JSON alone, / the form alone", async () => {
    expect(await post("/provision")).toMatchObject({ status: 415, type: "application/json" });
    const json = { "Content-Type": "application/json" };
    expect(await post("/", json, "{}")).toMatchObject({ status: 415, type: HTML });
  });

  it.each([
    ["another device's id", FORM.replace(DEVICE_ID, "other"), 409, REFUSAL_WORDS.wrong_device],
    [
      "a name that is too long",
      `ssid=${"a".repeat(33)}&provisioning_token=t`,
      400,
      FIELD_WORDS.ssid,
    ],
    ["a token with a space", "ssid=a&provisioning_token=a+b", 400, FIELD_WORDS.provisioning_token],
    ["a broken escape", "ssid=%4&provisioning_token=t", 400],
    ["a NUL", "ssid=a%00b&provisioning_token=t", 400],
    ["a name twice", "ssid=a&ssid=b&provisioning_token=t", 400],
    ["nothing", "", 400],
    ["too much", `ssid=${"a".repeat(LIMITS.requestBodyMaxBytes)}`, 413, REFUSAL_WORDS.too_large],
  ])("refuse %s", async (_name, body, status, words = "") => {
    const answer = await post("/", {}, body);
    expect(answer.text.replaceAll("&#39;", "'")).toContain(words);
    expect(answer).toMatchObject({ status, type: HTML });
    expect(answer.text).toContain('role="alert"');
  });

  it("refuse a form that another site's page sends", async () => {
    const foreign = ["http://evil.example", "null", base.replace("http:", "https:"), `${base}0`];
    for (const origin of foreign)
      expect(await post("/", { Origin: origin }), origin).toMatchObject({ status: 403 });
    expect(await post("/", { Origin: base })).toMatchObject({ status: 200 });
  });

  it("refuse a second form while the first is at work", async () => {
    expect(await post("/")).toMatchObject({ status: 200 });
    expect(await post("/")).toMatchObject({ status: 409, type: HTML });
  });

  it("tell why it failed, to a browser without scripts too", async () => {
    const unknown = new URLSearchParams({
      ssid: "Nobody's",
      password: "",
      provisioning_token: "t",
    });
    await expect
      .poll(async () => (await post("/", {}, unknown.toString())).status, {
        timeout: longer(60_000),
      })
      .toBe(200);
    await expect
      .poll(async () => (await get("/progress")).body.replaceAll("&#39;", "'"), {
        timeout: longer(60_000),
      })
      .toContain(FAILURE_WORDS.wifi_weak_security);
  });
});

describe("the captive portal", () => {
  it.each([
    ["Android", "connectivitycheck.gstatic.com", "/generate_204"],
    ["iOS and macOS", "captive.apple.com", "/hotspot-detect.html"],
    ["Windows", "www.msftconnecttest.com", "/connecttest.txt"],
    ["Windows' browser", "www.msftconnecttest.com", "/redirect"],
    ["Firefox", "detectportal.firefox.com", "/canonical.html"],
    ["Ubuntu", "connectivity-check.ubuntu.com", "/"],
    ["anything typed", "neverssl.com", "/"],
  ])("leads %s to the page", async (_who, host, path) => {
    const answer = await get(path, `Host: ${host}`, "Accept: */*");
    expect(answer.status).toBe(303);
    expect(answer.field("Location")).toBe("http://192.168.4.1/");
    expect(answer.body.length).toBeGreaterThan(0);
  });

  it("leaves programs their errors, and the API its paths", async () => {
    const json = { status: "error", code: "not_found" };
    const asked = await get("/nope", "Accept: application/json, text/plain, */*");
    expect([asked.status, JSON.parse(asked.body)]).toMatchObject([404, json]);
    const posted = await post("/nope");
    expect([posted.status, JSON.parse(posted.text)]).toMatchObject([404, json]);
    expect((await get("/provision")).status).toBe(405);
  });

  it("answers every name with the device's address, as long as the AP is up", async () => {
    const resolver = new Resolver({ timeout: longer(10_000), tries: 2 });
    resolver.setServers([`${new URL(base).hostname}:${dnsPort}`]);
    expect(await resolver.resolve4("connectivitycheck.gstatic.com")).toEqual(["192.168.4.1"]);
    expect(await resolver.resolve4("a.b.c.example", { ttl: true })).toEqual([
      { address: "192.168.4.1", ttl: 1 },
    ]);
    await expect(resolver.resolve6("captive.apple.com")).rejects.toMatchObject({ code: "ENODATA" });

    const closed = lab.logLine(/the AP is closed/, { fromNow: true });
    const { ssid, password } = lab.home;
    const fields = { ssid, password, provisioning_token: await lab.token() };
    expect((await post("/", {}, new URLSearchParams(fields).toString())).status).toBe(200);
    await lab.enters("MQTT_CONNECTED");
    expect((await get("/progress")).body).toContain("Your device is online");
    await closed;
    await expect(resolver.resolve4("example.com")).rejects.toMatchObject({
      code: expect.stringMatching(/^(ECONNREFUSED|ETIMEOUT)$/),
    });
  });
});
