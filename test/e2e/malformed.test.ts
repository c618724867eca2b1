import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../codegen/limits.js";
import { labUp, provisionArgs, type RunningLab } from "../helpers/lab.js";
import { longerSeconds } from "../helpers/longer.js";
import { DEVICE_ID, prov, run } from "../helpers/prov.js";

/** partitions.csv: where the NVS lies in flash. */
const NVS = { offset: 0x9000, size: 0x6000 };

let lab: RunningLab;
let base: string;

beforeAll(async () => {
  lab = await labUp("malformed");
  base = await lab.baseUrl();
});

afterAll(async () => {
  await lab.stop();
});

function nvsHash(): string {
  const flash = readFileSync(join(lab.client.info.airDir, "..", "board", "flash.bin"));
  return createHash("sha256")
    .update(flash.subarray(NVS.offset, NVS.offset + NVS.size))
    .digest("hex");
}

interface Answer {
  status: number;
  body: ReturnType<typeof JSON.parse>;
}

/** curl, which sends whatever it is told to; a file keeps big bodies out of its arguments. */
async function post(
  body: string | Buffer,
  headers: readonly string[] = ["Content-Type: application/json"],
  path = "/provision",
): Promise<Answer> {
  const args = [
    "-sS",
    "--max-time",
    longerSeconds(20),
    "-X",
    "POST",
    ...headers.flatMap((header) => ["-H", header]),
    "--data-binary",
    "@-",
    "-w",
    "\n%{http_code}",
    `${base}${path}`,
  ];
  const { stdout, stderr, code } = await run("curl", args, body.toString("latin1"));
  const lines = stdout.split("\n");
  const status = Number(lines.pop());
  if (code !== 0 && status === 0) throw new Error(`curl: ${stderr}`);
  return { status, body: JSON.parse(lines.join("\n")) };
}

/** Whose request is slower than the next connections is purged before it has come, and comes again. */
async function postUntilAnswered(body: string): Promise<Answer> {
  for (;;) {
    try {
      return await post(body);
    } catch (error) {
      if (!/curl: \((?:52|56)\)/.test(String(error))) throw error;
    }
  }
}

const good = {
  ssid: "Home",
  password: "password-1",
  device_id: DEVICE_ID,
  provisioning_token: "token",
};
const without = (field: keyof typeof good) => JSON.stringify({ ...good, [field]: undefined });
const withField = (field: string, value: unknown) => JSON.stringify({ ...good, [field]: value });

const MALFORMED: readonly [
  name: string,
  body: string,
  status: number,
  code: string,
  named?: string,
][] = [
  ["no JSON", "{ssid:", 400, "bad_json"],
  ["an empty body", "", 400, "bad_json"],
  ["JSON with a tail", `${JSON.stringify(good)}x`, 400, "bad_json"],
  ["an array", "[]", 400, "bad_json"],
  ["a number", "7", 400, "bad_json"],
  ["no ssid", without("ssid"), 400, "bad_field", "ssid"],
  ["no device_id", without("device_id"), 400, "bad_field", "device_id"],
  ["no provisioning_token", without("provisioning_token"), 400, "bad_field", "provisioning_token"],
  ["an empty ssid", withField("ssid", ""), 400, "bad_field", "ssid"],
  ["an ssid of 33 bytes", withField("ssid", "x".repeat(33)), 400, "bad_field", "ssid"],
  [
    "an ssid of 17 two-byte characters",
    withField("ssid", "é".repeat(17)),
    400,
    "bad_field",
    "ssid",
  ],
  ["an ssid that is a number", withField("ssid", 5), 400, "bad_field", "ssid"],
  ["an ssid that is null", withField("ssid", null), 400, "bad_field", "ssid"],
  ["a NUL in the ssid", withField("ssid", "a\u0000b"), 400, "bad_json"],
  ["a password of 7 bytes", withField("password", "seven77"), 400, "bad_field", "password"],
  ["a password of 65 bytes", withField("password", "p".repeat(65)), 400, "bad_field", "password"],
  [
    "a password of 64 bytes that is no key",
    withField("password", "p".repeat(64)),
    400,
    "bad_field",
    "password",
  ],
  ["a password that is an object", withField("password", {}), 400, "bad_field", "password"],
  ["a NUL in the password", withField("password", "password\u0000x"), 400, "bad_json"],
  [
    "a token that is a byte too long",
    withField("provisioning_token", "t".repeat(LIMITS.provisioningTokenMaxBytes + 1)),
    400,
    "bad_field",
    "provisioning_token",
  ],
  [
    "a token that is a list",
    withField("provisioning_token", ["t"]),
    400,
    "bad_field",
    "provisioning_token",
  ],
  [
    "an attempt_id of 65 bytes",
    withField("attempt_id", "a".repeat(65)),
    400,
    "bad_field",
    "attempt_id",
  ],
  ["a time that is a text", withField("time", "now"), 400, "bad_field", "time"],
  ["a time of 1970", withField("time", 12), 400, "bad_field", "time"],
  [
    "a field twice",
    `{"ssid":"A","ssid":"B","password":"password-1","device_id":"${DEVICE_ID}","provisioning_token":"t"}`,
    400,
    "bad_json",
  ],
  ["another device's id", withField("device_id", "another-device"), 409, "wrong_device"],
  ["9 KiB", withField("filler", "f".repeat(9000)), 413, "too_large"],
];

describe("POST /provision", () => {
  it.each(MALFORMED)("refuses %s and stores nothing", async (_name, body, status, code, named) => {
    const before = nvsHash();
    const answer = await post(body);
    expect([answer.status, answer.body.status, answer.body.code]).toEqual([status, "error", code]);
    if (named) expect(answer.body.message).toContain(named);
    expect(nvsHash()).toBe(before);
  });

  it("refuses 10 MiB without reading them all into memory", async () => {
    const before = nvsHash();
    const answer = await post(Buffer.alloc(10 * 1024 * 1024, 0x20));
    expect([answer.status, answer.body.code]).toEqual([413, "too_large"]);
    expect(nvsHash()).toBe(before);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])(
    "refuses %s",
    async (type) => {
      const answer = await post(JSON.stringify(good), [`Content-Type: ${type}`]);
      expect([answer.status, answer.body.code]).toEqual([415, "not_json"]);
    },
  );

  it("refuses a Bearer token that is too long", async () => {
    const answer = await post(JSON.stringify(good), [
      "Content-Type: application/json",
      `Authorization: Bearer ${"b".repeat(1100)}`,
    ]);
    expect(answer.status).toBe(400);
  });

  it("answers 404 and 405 in JSON", async () => {
    expect(await post("{}", ["Content-Type: application/json"], "/nowhere")).toMatchObject({
      status: 404,
      body: { status: "error", code: "not_found" },
    });
    expect(await post("{}", ["Content-Type: application/json"], "/status")).toMatchObject({
      status: 405,
      body: { status: "error", code: "method_not_allowed" },
    });
  });

  it("survives 200 of them at once, unchanged, and still provisions", async () => {
    const before = nvsHash();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => MALFORMED[index % MALFORMED.length]).map((row) =>
        row ? postUntilAnswered(row[1]) : undefined,
      ),
    );
    for (const answer of answers) expect(answer?.status).toBeGreaterThanOrEqual(400);
    for (const answer of answers) expect(answer?.status).toBeLessThan(500);
    expect(nvsHash()).toBe(before);
    const { code, stdout } = await prov(provisionArgs(lab), {
      env: { PROV_WIFI_PASSWORD: lab.home.password, PROV_TOKEN: await lab.token() },
    });
    expect(code, stdout).toBe(0);
  });
});
