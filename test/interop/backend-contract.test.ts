import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LabBackend, startBackend } from "../../cli/lab/backend/backend.js";
import { createTokenStore, type TokenStore } from "../../cli/lab/backend/tokens.js";
import { openAuthority } from "../../cli/lab/pki/authority.js";
import { BACKEND_CONTRACT_PATH } from "../../codegen/backend-limits.js";
import { type CurlAnswer, content, curlClient } from "../helpers/curl-client.js";
import { temporaryDir } from "../helpers/project.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CONTRACT = readFileSync(join(ROOT, BACKEND_CONTRACT_PATH), "utf8");

const dir = temporaryDir();
let tokens: TokenStore;
let backend: LabBackend;
const { curl, makeCsr, post, postJson, save, sign } = curlClient(dir, () => backend.url);

beforeAll(async () => {
  tokens = createTokenStore();
  backend = await startBackend({ authority: await openAuthority(join(dir, "ca")), tokens });
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
    const written = sources.join("\n").matchAll(/refuse\(\s*(\d{3}),\s*"([a-z_]+)"/g);
    const codes = [...written].map(([, status, code]) => `${status} ${code}`);
    expect(codes.length).toBeGreaterThan(8);
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

  it("its answers have the written members, and the written examples are JSON", async () => {
    const examples = [...CONTRACT.matchAll(/```json\n(.+?)\n```/gs)].map(([, text]) =>
      JSON.parse(text ?? ""),
    );
    const [answer, refusal] = examples;
    const { body } = await sign("dev-1", (await makeCsr("dev-1")).pem, tokens.issue("dev-1"));
    const shape = (value: object): unknown =>
      Object.entries(value).map(([name, { content: text }]) => [name, typeof text]);
    expect(shape(body as object)).toEqual(shape(answer));
    expect(refusal).toMatchObject({ status: "error", code: expect.any(String) });
  });

  it("what curl is told to do there works as it stands", async () => {
    const example = /```sh\n(curl .+?)\n```/s.exec(CONTRACT)?.[1]?.replaceAll("\\\n", " ") ?? "";
    const csr = await makeCsr("dev-1");
    const request = save("request.json", JSON.stringify({ device_id: "dev-1", csr: csr.pem }));
    const [, ...words] = example.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
    const values = {
      ...{ CA: join(dir, "ca", "ca.pem"), BACKEND: backend.url },
      ...{ TOKEN: tokens.issue("dev-1"), "@request.json": `@${request}` },
    };
    const args = words.map((word) =>
      Object.entries(values).reduce(
        (text, [name, value]) => text.replace(name.startsWith("@") ? name : `$${name}`, value),
        word.replace(/^(['"])(.*)\1$/, "$2"),
      ),
    );
    const url = args.pop() ?? "";
    const answer = await curl(url.replace(backend.url, ""), args);
    expect(answer.status).toBe(200);
    expect(content(answer.body, "certificate")).toContain("BEGIN CERTIFICATE");
  });
});
