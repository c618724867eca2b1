import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LabBackend, startBackend } from "../../cli/lab/backend/backend.js";
import { createTokenStore, type TokenStore } from "../../cli/lab/backend/tokens.js";
import { type LabAuthority, openAuthority } from "../../cli/lab/pki/authority.js";
import { BACKEND_CONTRACT_PATH } from "../../codegen/backend-contract.js";
import { STATUSES } from "../answers/statuses.js";
import { type CurlAnswer, content, curlClient } from "../helpers/curl-client.js";
import { temporaryDir } from "../helpers/project.js";
import { run } from "../helpers/prov.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CONTRACT = readFileSync(join(ROOT, BACKEND_CONTRACT_PATH), "utf8");

const dir = temporaryDir();
let authority: LabAuthority;
let tokens: TokenStore;
let backend: LabBackend;
const outcomes: string[] = [];
const { curl, makeCsr, post, postJson, save, sign } = curlClient(dir, () => backend.url);

beforeAll(async () => {
  authority = await openAuthority(join(dir, "ca"));
  tokens = createTokenStore();
  backend = await startBackend({
    authority,
    tokens,
    onEvent: ({ outcome }) => outcomes.push(outcome),
  });
});

afterAll(() => backend.stop());

/** The rows `status, code, when` of the dev backend's refusals. */
function documentedRefusals(): string[] {
  const rows = CONTRACT.matchAll(/^\| (\d{3}) \| `([a-z_]+)` \| .+ \|$/gm);
  return [...rows].map(([, status, code]) => `${status} ${code}`).sort();
}

/** A device with its first certificate, and how curl shows that. */
async function enrolled(id: string) {
  const csr = await makeCsr(id);
  const { body } = await sign(id, csr.pem, tokens.issue(id));
  const cert = save(`${id}.crt`, content(body, "certificate"));
  return { csr, shown: ["--cert", cert, "--key", csr.key] };
}

const JSON_TYPE = ["-H", "Content-Type: application/json"];

/** A request for each of the refusals. */
const REFUSALS: Readonly<Record<string, () => Promise<CurlAnswer>>> = {
  "401 token_rejected": async () => sign("dev-1", (await makeCsr("dev-1")).pem, "unknown"),
  "403 token_rejected": async () =>
    sign("dev-1", (await makeCsr("dev-1")).pem, tokens.issue("dev-2")),
  "400 bad_json": () => post("/sign-csr", [...JSON_TYPE, "--data", "{"], tokens.issue("dev-1")),
  "400 bad_field": () => postJson("/sign-csr", { device_id: "dev-1" }, tokens.issue("dev-1")),
  "400 csr_rejected": async () =>
    sign("dev-1", (await makeCsr("dev-2")).pem, tokens.issue("dev-1")),
  "413 too_large": () => sign("dev-1", "x".repeat(17 * 1024), tokens.issue("dev-1")),
  "415 not_json": () => post("/sign-csr", ["--data", "{}"], tokens.issue("dev-1")),
  "401 certificate_rejected": async () =>
    postJson("/renew-csr", { device_id: "dev-1", csr: (await makeCsr("dev-1")).pem }, null),
  "403 wrong_device": async () => {
    const { csr, shown } = await enrolled("dev-1");
    return postJson("/renew-csr", { device_id: "dev-2", csr: csr.pem }, null, shown);
  },
  "409 key_changed": async () => {
    const { shown } = await enrolled("dev-1");
    const other = await makeCsr("dev-1");
    return postJson("/renew-csr", { device_id: "dev-1", csr: other.pem }, null, shown);
  },
  "404 not_found": () => post("/nope", [...JSON_TYPE, "--data", "{}"], null),
  "405 method_not_allowed": () => curl("/sign-csr", []),
  "500 internal": async () => {
    const signDevice = () => {
      throw new Error("the HSM is gone");
    };
    const broken = await startBackend({ authority: { ...authority, signDevice }, tokens });
    const client = curlClient(dir, () => broken.url);
    const csr = await makeCsr("dev-1");
    const answer = await client.sign("dev-1", csr.pem, tokens.issue("dev-1"));
    await broken.stop();
    return answer;
  },
  "500 injected": async () => {
    backend.setFaults([{ route: "/sign-csr", kind: "status", times: 1 }]);
    return sign("dev-1", (await makeCsr("dev-1")).pem, tokens.issue("dev-1"));
  },
};

describe("the dev backend and docs/backend-contract.md", () => {
  it.each(documentedRefusals())("it refuses with %s, in the written form", async (row) => {
    const answer = await REFUSALS[row]?.();
    const [status, code] = row.split(" ");
    expect(answer?.status).toBe(Number(status));
    expect(answer?.body).toEqual({ status: "error", code, message: expect.any(String) });
  });

  it("every refusal in its source is in the table, and each row has its request", () => {
    expect(documentedRefusals()).toEqual(Object.keys(REFUSALS).sort());
    const sources = ["cli/lab/backend", "cli/lab/server"].flatMap((folder) =>
      readdirSync(join(ROOT, folder)).map((name) => readFileSync(join(ROOT, folder, name), "utf8")),
    );
    // Of a status that is none, the table has the one that it is by default.
    const written = sources.join("\n").matchAll(/\brefuse\(\s*(\w+),\s*"([a-z_]+)"/g);
    const codes = [...written].map(([, of = "", code]) => `${/^\d/.test(of) ? of : 500} ${code}`);
    expect(codes).toContain("500 injected");
    expect(codes.length).toBeGreaterThan(10);
    expect(documentedRefusals()).toEqual(expect.arrayContaining(codes));
  });

  it("a token is spent by what it signs only, and the same request gets the same answer", async () => {
    const token = tokens.issue("dev-1");
    const foreign = await makeCsr("dev-2");
    expect((await sign("dev-1", foreign.pem, token)).status).toBe(400);
    const csr = await makeCsr("dev-1");
    const first = await sign("dev-1", csr.pem, token);
    expect(first.status).toBe(200);
    expect(await sign("dev-1", csr.pem, token)).toEqual(first);
    const other = await makeCsr("dev-1");
    expect((await sign("dev-1", other.pem, token)).status).toBe(401);
    expect(await sign("dev-1", csr.pem, token)).toEqual(first);
  });

  it("refuses in the contract's form, and plays what does not: a firewall, a redirect", async () => {
    outcomes.length = 0;
    const token = tokens.issue("dev-1");
    const csr = await makeCsr("dev-1");
    const ask = () => sign("dev-1", csr.pem, token, ["--dump-header", headers]);
    const headers = save("headers", "");
    backend.setFaults([
      { route: "/sign-csr", kind: "status", status: 403, times: 1 },
      { route: "/sign-csr", kind: "page", times: 1 },
      { route: "/sign-csr", kind: "redirect", times: 1 },
      { route: "/sign-csr", kind: "serve", status: 201, times: 1 },
    ]);
    expect(await ask()).toMatchObject({ status: 403, body: { status: "error", code: "injected" } });
    const page = await ask();
    expect([page.status, page.body]).toEqual([403, null]);
    expect(page.text).toContain("<h1>403 Forbidden</h1>");
    expect((await ask()).status).toBe(302);
    expect(readFileSync(headers, "utf8")).toMatch(/^content-type: text\/html\r$.+^location: \//ims);
    const created = await ask();
    expect(created.status).toBe(201);
    expect(await ask()).toEqual({ ...created, status: 200 }); // none of them has spent the token
    expect(outcomes).toEqual([
      ...["fault_status_403", "fault_page_403", "fault_redirect_302", "ok+fault_serve", "repeated"],
    ]);
  });

  it("the written examples are what it sends", async () => {
    const [answer, refusal, ...more] = blocks("json").map((text) => JSON.parse(text));
    expect(more).toEqual([]);
    const token = tokens.issue("dev-1");
    const { body } = await sign("dev-1", (await makeCsr("dev-1")).pem, token);
    const pem = expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n/);
    const isPem = (_name: string, value: unknown) => (value === "<PEM>" ? pem : value);
    expect(body).toEqual(JSON.parse(JSON.stringify(answer), isPem));
    expect((await sign("dev-1", (await makeCsr("dev-1")).pem, token)).body).toEqual(refusal);
  });

  it("what is to be typed by hand there works as it stands", async () => {
    const bin = temporaryDir();
    const lab = { backend: { url: backend.url, ca_path: join(dir, "ca", "ca.pem") } };
    const words = {
      "prov lab info": JSON.stringify(lab),
      "prov lab token bench-1": tokens.issue("bench-1"),
    };
    const cases = Object.entries(words).map(([call, text]) => `"${call}") echo '${text}' ;;`);
    const npx = `#!/bin/sh\ncase "$*" in\n${cases.join("\n")}\n*) exit 64 ;;\nesac\n`;
    writeFileSync(join(bin, "npx"), npx, { mode: 0o755 });
    const separator = "\n-- next --\n";
    const [begin = "", ...steps] = blocks("sh");
    const script = [
      `cd '${temporaryDir()}' && export PATH='${bin}':"$PATH" NO_PROXY=127.0.0.1`,
      ...[begin, ...steps].join(`\nprintf '${separator}'\n`).split("\n"),
    ].join("\n");
    const { code, stdout, stderr } = await run("bash", ["-euo", "pipefail", "-c", script]);
    expect(code, stderr).toBe(0);
    const [, first, renewed = "", refused = "", reported = ""] = stdout.split(separator);
    expect(first).toBe("");
    expect(content(JSON.parse(renewed), "certificate")).toContain("BEGIN CERTIFICATE");
    expect(JSON.parse(refused)).toEqual(JSON.parse(blocks("json")[1] ?? ""));
    expect(JSON.parse(reported)).toEqual({ status: "ok" });
    expect(backend.reports().at(-1)).toMatchObject({ deviceId: "bench-1", status: "connected" });
  });

  it("what the device makes of each status is what the virtual board was seen to do", () => {
    const plain = STATUSES.flatMap(({ name, expected }) => {
      const [, status, body] = /^(\d{3}) (JSON|HTML|empty)$/.exec(name) ?? [];
      return status === undefined ? [] : [{ name, status, isRefusal: body === "JSON", expected }];
    });
    expect(plain.length).toBeGreaterThan(30);
    for (const { name, status, isRefusal, expected } of plain) {
      const [says, then] = documentedVerdict(status, isRefusal);
      expect(says, name).toBe(expected.verdict);
      expect(then.startsWith("drops the token") ? "spent" : "kept", name).toBe(expected.token);
      expect(then === "tries again" ? "2" : "1", name).toBe(expected.asked);
    }
  });

  it("a refusal may have as many bytes as the firmware reads", () => {
    const client = readFileSync(join(ROOT, "firmware/main/enrol/backend_client.c"), "utf8");
    const bytes = /^#define BODY_BUFFER (\d+)$/m.exec(client)?.[1];
    expect(CONTRACT).toContain(`in less than ${bytes} bytes`);
  });
});

/** The code that the table has for an answer, and what the device then does; the first row that fits. */
function documentedVerdict(status: string, isRefusal: boolean): [says: string, then: string] {
  const rows = CONTRACT.matchAll(
    /^\| ([^|]+) \| (a refusal|anything else|whatever) \| `([a-z_]+)`[^|]* \| ([^|]+) \|$/gm,
  );
  const above: string[] = [];
  let then = "";
  for (const [, statuses = "", body, says = "", next = ""] of rows) {
    then = next === "the same" ? then : next;
    const named = statuses.split(", ");
    const isNamed = (all: readonly string[]) =>
      all.includes(status) || all.includes(`${status[0]}xx`);
    const fits =
      statuses === "anything else" || isNamed(statuses === "any of these" ? above : named);
    if (fits && (body === "whatever" || isRefusal === (body === "a refusal"))) return [says, then];
    above.push(...named);
  }
  throw new Error(`the contract has no row for ${status}`);
}

/** The blocks of code in one language, in their order. */
function blocks(language: string): string[] {
  const found = CONTRACT.matchAll(new RegExp(`^\`\`\`${language}\\n(.+?)\\n\`\`\`$`, "gms"));
  return [...found].map(([, text = ""]) => text);
}
