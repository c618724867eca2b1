import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type LabBackend, startBackend } from "../../cli/lab/backend/backend.js";
import { createTokenStore, type TokenStore } from "../../cli/lab/backend/tokens.js";
import type { LabEvent } from "../../cli/lab/events.js";
import { type LabAuthority, openAuthority } from "../../cli/lab/pki/authority.js";
import { breakSignature, content, curlClient, tokenRejected } from "../helpers/curl-client.js";
import { temporaryDir } from "../helpers/project.js";

const run = promisify(execFile);

const dir = temporaryDir();
let authority: LabAuthority;
let tokens: TokenStore;
let backend: LabBackend;
const events: LabEvent[] = [];
const { curl, makeCsr, post, postJson, save, sign } = curlClient(dir, () => backend.url);

beforeAll(async () => {
  authority = await openAuthority(join(dir, "ca"));
  tokens = createTokenStore();
  backend = await startBackend({
    authority,
    tokens,
    onEvent: (event) => events.push(event),
  });
});

afterEach(() => {
  backend.setFaults([]);
  events.length = 0;
});

afterAll(() => backend.stop());

describe("POST /sign-csr", () => {
  it("gives a certificate that openssl accepts for the CSR's key and name", async () => {
    const csr = await makeCsr("dev-1");
    const answer = await sign("dev-1", csr.pem, tokens.issue("dev-1"));
    expect(answer.status).toBe(200);
    const certificate = content(answer.body, "certificate");
    expect(content(answer.body, "ca_certificate")).toBe(authority.caPem);
    const file = save("dev-1.crt", certificate);
    await run("openssl", [
      "verify",
      "-x509_strict",
      "-purpose",
      "sslclient",
      "-CAfile",
      join(dir, "ca", "ca.pem"),
      file,
    ]);
    const parsed = new X509Certificate(certificate);
    expect(parsed.subject).toBe("CN=dev-1");
    const publicKey = (await run("openssl", ["req", "-in", csr.file, "-pubkey", "-noout"])).stdout;
    expect(parsed.publicKey.export({ type: "spki", format: "pem" })).toBe(publicKey);
    expect(events.map(({ deviceId, what, outcome }) => [deviceId, what, outcome])).toEqual([
      ["dev-1", "sign-csr", "ok"],
    ]);
  });

  it("dates what it signs as it was told", async () => {
    const certificateDates = { lifetimeMs: 60_000, ageMs: 90_000 };
    const dated = await startBackend({ authority, tokens, certificateDates });
    const client = curlClient(dir, () => dated.url);
    const asked = Date.now();
    const answer = await client.sign("dev-1", (await makeCsr("dev-1")).pem, tokens.issue("dev-1"));
    const answered = Date.now();
    await dated.stop();
    const { validFrom, validTo } = new X509Certificate(content(answer.body, "certificate"));
    expect(Date.parse(validTo) - Date.parse(validFrom)).toBe(150_000);
    expect(Date.parse(validTo)).toBeGreaterThan(asked + 59_000 - 1); // whole seconds
    expect(Date.parse(validTo)).toBeLessThanOrEqual(answered + 60_000);
  });

  it("signs an RSA-2048 key as well", async () => {
    const csr = await makeCsr("dev-1", ["rsa:2048"]);
    expect((await sign("dev-1", csr.pem, tokens.issue("dev-1"))).status).toBe(200);
  });

  it("takes a token once, but repeats the same answer for the same CSR", async () => {
    const token = tokens.issue("dev-1");
    const csr = await makeCsr("dev-1");
    const first = await sign("dev-1", csr.pem, token);
    expect(await sign("dev-1", csr.pem, token)).toEqual(first);
    const other = await makeCsr("dev-1");
    expect(await sign("dev-1", other.pem, token)).toMatchObject(tokenRejected(401));
    expect(events.map((event) => event.outcome)).toEqual(["ok", "repeated", "token_spent"]);
  });

  it("refuses no token, an unknown one and another device's", async () => {
    const csr = await makeCsr("dev-1");
    expect(await sign("dev-1", csr.pem, null)).toMatchObject(tokenRejected(401));
    expect(await sign("dev-1", csr.pem, "guess")).toMatchObject(tokenRejected(401));
    expect(await sign("dev-1", csr.pem, tokens.issue("dev-2"))).toMatchObject(tokenRejected(403));
  });

  it.each([
    ["a bad signature", async () => breakSignature((await makeCsr("dev-1")).pem)],
    ["another CN", async () => (await makeCsr("dev-2")).pem],
    ["an RSA key of 1024 bits", async () => (await makeCsr("dev-1", ["rsa:1024"])).pem],
    [
      "a curve that is not P-256",
      async () => (await makeCsr("dev-1", ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"])).pem,
    ],
    [
      "an RSA exponent of 3",
      async () => (await makeCsr("dev-1", ["rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3"])).pem,
    ],
    [
      "a curve that is spelled out",
      async () => {
        const options = ["ec_paramgen_curve:P-256", "ec_param_enc:explicit"];
        return (await makeCsr("dev-1", ["ec", ...options.flatMap((one) => ["-pkeyopt", one])])).pem;
      },
    ],
    ["a signature with SHA-1", async () => (await makeCsr("dev-1", ["rsa:2048", "-sha1"])).pem],
    ["a certificate in its place", async () => authority.caPem],
    ["no PEM at all", async () => "hello"],
  ])("refuses %s without spending the token", async (_what, makeBad) => {
    const token = tokens.issue("dev-1");
    const refused = await sign("dev-1", await makeBad(), token);
    expect(refused).toMatchObject({ status: 400, body: { code: "csr_rejected" } });
    const good = await makeCsr("dev-1");
    expect((await sign("dev-1", good.pem, token)).status).toBe(200);
  });

  it.each([
    ["no JSON", 400, "bad_json", "{", "application/json"],
    ["a missing field", 400, "bad_field", '{"device_id":"dev-1"}', "application/json"],
    ["a wrong type", 400, "bad_field", '{"device_id":1,"csr":"x"}', "application/json"],
    ["an impossible id", 400, "bad_field", '{"device_id":"a b","csr":"x"}', "application/json"],
    ["a form", 415, "not_json", "a=b", "application/x-www-form-urlencoded"],
  ])("answers %s with %i %s", async (_what, status, code, body, type) => {
    const file = save("body", body);
    const answer = await post(
      "/sign-csr",
      ["-H", `Content-Type: ${type}`, "--data-binary", `@${file}`],
      "t",
    );
    expect(answer).toMatchObject({ status, body: { status: "error", code } });
  });

  it.each([
    ["announced", []],
    ["chunked", ["-H", "Transfer-Encoding: chunked"]],
  ])("answers a body that is too large (%s) with 413", async (_how, extra) => {
    const file = save("large", `{"device_id":"dev-1","csr":"${"x".repeat(200_000)}"}`);
    const args = [...extra, "-H", "Content-Type: application/json", "--data-binary", `@${file}`];
    const answer = await post("/sign-csr", args, "t");
    expect(answer).toMatchObject({ status: 413, body: { code: "too_large" } });
  });

  it("is a POST", async () => {
    expect(await curl("/sign-csr", [])).toMatchObject({ status: 405 });
    expect(await curl("/other", [])).toMatchObject({ status: 404 });
  });
});

describe("faults", () => {
  it("shows a status as often as told, then works", async () => {
    const token = tokens.issue("dev-1");
    const csr = await makeCsr("dev-1");
    backend.setFaults([{ route: "/sign-csr", kind: "status", status: 503, times: 2 }]);
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await sign("dev-1", csr.pem, token)).status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  it("loses a reply after doing the work, and repeats it when asked again", async () => {
    const token = tokens.issue("dev-1");
    const csr = await makeCsr("dev-1");
    backend.setFaults([{ route: "/sign-csr", kind: "lose_reply", times: 1 }]);
    await expect(sign("dev-1", csr.pem, token)).rejects.toMatchObject({ code: 52 }); // curl: empty reply
    expect((await sign("dev-1", csr.pem, token)).status).toBe(200);
    expect(events.map((event) => event.outcome)).toEqual(["ok+fault_lose_reply", "repeated"]);
  });

  it("sends half a JSON document", async () => {
    backend.setFaults([{ route: "/sign-csr", kind: "truncated_json" }]);
    const csr = await makeCsr("dev-1");
    const answer = await sign("dev-1", csr.pem, tokens.issue("dev-1"));
    expect(answer.status).toBe(200);
    expect(answer.body).toBeNull();
    expect(answer.text).toMatch(/^\{"certificate"/);
  });

  it("hangs until the client gives up", async () => {
    backend.setFaults([{ route: "/sign-csr", kind: "hang", times: 1 }]);
    const csr = await makeCsr("dev-1");
    const hanging = sign("dev-1", csr.pem, tokens.issue("dev-1"), ["--max-time", "0.5"]);
    await expect(hanging).rejects.toMatchObject({ code: 28 }); // curl: operation timed out
  });

  it("sends certificates that a careful device refuses, without spending the token", async () => {
    const token = tokens.issue("dev-1");
    const csr = await makeCsr("dev-1");
    const ask = async (kind: "foreign_certificate" | "foreign_name" | "expired_certificate") => {
      backend.setFaults([{ route: "/sign-csr", kind, times: 1 }]);
      return new X509Certificate(
        content((await sign("dev-1", csr.pem, token)).body, "certificate"),
      );
    };
    const key = (await run("openssl", ["req", "-in", csr.file, "-pubkey", "-noout"])).stdout;
    const keyOf = (certificate: X509Certificate) =>
      certificate.publicKey.export({ type: "spki", format: "pem" });
    expect(keyOf(await ask("foreign_certificate"))).not.toBe(key);
    const renamed = await ask("foreign_name");
    expect([keyOf(renamed), renamed.subject]).toEqual([key, "CN=not-dev-1"]);
    const expired = await ask("expired_certificate");
    expect([keyOf(expired), Date.parse(expired.validTo) < Date.now()]).toEqual([key, true]);
    backend.setFaults([{ route: "/sign-csr", kind: "new_ca", times: 1 }]);
    const early = await sign("dev-1", csr.pem, token);
    const [newCa = "", oldCa] = content(early.body, "ca_certificate").split(
      /(?<=END CERTIFICATE-----\n)/,
    );
    const ofNewCa = new X509Certificate(content(early.body, "certificate"));
    expect(ofNewCa.verify(new X509Certificate(newCa).publicKey)).toBe(true);
    expect(oldCa).toBe(authority.caPem);
    backend.setFaults([{ route: "/sign-csr", kind: "wrong_ca", times: 1 }]);
    const wrong = await sign("dev-1", csr.pem, token);
    const signedBy = new X509Certificate(content(wrong.body, "ca_certificate"));
    const issued = new X509Certificate(content(wrong.body, "certificate"));
    expect(issued.verify(signedBy.publicKey)).toBe(false);
    const good = await sign("dev-1", csr.pem, token);
    const goodCa = new X509Certificate(content(good.body, "ca_certificate"));
    expect(new X509Certificate(content(good.body, "certificate")).verify(goodCa.publicKey)).toBe(
      true,
    );
  });

  it.each([
    ["untrusted", 60],
    ["expired", 60],
    ["wrong_host", 60],
  ] as const)("shows a server certificate that is %s", async (flaw, curlStatus) => {
    backend.setServerIdentity(await authority.issueServer(flaw));
    await expect(curl("/sign-csr", [])).rejects.toMatchObject({ code: curlStatus });
    backend.setServerIdentity(await authority.issueServer());
    expect((await curl("/sign-csr", [])).status).toBe(405);
  });

  it("goes down and comes back on the same port", async () => {
    await backend.pause();
    await expect(curl("/sign-csr", [])).rejects.toMatchObject({ code: 7 }); // curl: refused
    await backend.resume();
    expect((await curl("/sign-csr", [])).status).toBe(405);
  });
});

describe("POST /renew-csr", () => {
  it("renews for the certificate's own key and name only", async () => {
    const csr = await makeCsr("dev-1");
    const first = await sign("dev-1", csr.pem, tokens.issue("dev-1"));
    const cert = save("dev-1.crt", content(first.body, "certificate"));
    const withCertificate = ["--cert", cert, "--key", csr.key];
    const renew = (id: string, pem: string, extra: string[]) =>
      postJson("/renew-csr", { device_id: id, csr: pem }, null, extra);

    const renewed = await renew("dev-1", csr.pem, withCertificate);
    expect(renewed.status).toBe(200);
    expect(content(renewed.body, "certificate")).not.toBe(content(first.body, "certificate"));
    expect(await renew("dev-1", csr.pem, [])).toMatchObject({ status: 401 });
    expect(await renew("dev-2", csr.pem, withCertificate)).toMatchObject({ status: 403 });
    const otherKey = await makeCsr("dev-1");
    expect(await renew("dev-1", otherKey.pem, withCertificate)).toMatchObject({ status: 409 });

    const crlPem = authority.revokeDevices();
    backend.setServerIdentity({ ...(await authority.issueServer()), crlPem });
    expect(await renew("dev-1", csr.pem, withCertificate)).toMatchObject({
      status: 401,
      body: { code: "certificate_rejected" },
    });
    backend.setServerIdentity(await authority.issueServer());
  });
});

describe("POST /device-report", () => {
  const report = { device_id: "dev-1", status: "connected", ip: "192.0.2.7", fw: "0.1.0" };

  it("records a report made with a user's token", async () => {
    const before = backend.reports().length;
    expect((await postJson("/device-report", report, "user-token")).status).toBe(200);
    expect(backend.reports().slice(before)).toMatchObject([
      { deviceId: "dev-1", status: "connected", ip: "192.0.2.7", fw: "0.1.0" },
    ]);
  });

  it("refuses a provisioning token and no token", async () => {
    const before = backend.reports().length;
    expect((await postJson("/device-report", report, tokens.issue("dev-1"))).status).toBe(403);
    expect((await postJson("/device-report", report, null)).status).toBe(401);
    expect(backend.reports().length).toBe(before);
  });
});
