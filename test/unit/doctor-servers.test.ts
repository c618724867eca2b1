import { createServer, type TlsOptions } from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import { checkBackend, checkBroker } from "../../cli/flow/doctor-servers.js";
import { type PemForms, pemForms } from "../helpers/pem-forms.js";
import { served } from "../helpers/served.js";

/** Whether a device could speak with a server, before the device finds out. */

let forms: PemForms;
beforeAll(() => {
  forms = pemForms();
});

const EC = "ec -pkeyopt ec_paramgen_curve:P-256";

/** A certificate for localhost, its own CA. */
function identity(newKey: string, args = "-sha256"): { key: string; cert: string } {
  forms.openssl(
    `req -x509 -newkey ${newKey} -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost ${args} -days 90 -keyout s.key -out s.pem`,
  );
  return { key: forms.text("s.key"), cert: forms.text("s.pem") };
}

async function portOf(options: TlsOptions): Promise<number> {
  const server = createServer(options);
  server.on("tlsClientError", () => {});
  server.on("secureConnection", (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
  return await served(server);
}

async function brokerCheck(options: TlsOptions, allSuites = false) {
  const uri = `mqtts://localhost:${await portOf(options)}`;
  const [check] = await checkBroker({ uri, allSuites });
  return check;
}

const TLS_12 = { maxVersion: "TLSv1.2" } as const;

describe("a broker", () => {
  test.each<[string, string, TlsOptions]>([
    ["offers all that Node.js has", EC, {}],
    ["has an RSA key", "rsa:2048", {}],
    ["speaks ECDHE with AES-GCM alone", EC, { ...TLS_12, ciphers: "ECDHE+AESGCM" }],
    ["wants a client certificate", EC, { ...TLS_12, requestCert: true, rejectUnauthorized: true }],
  ])("that %s is taken", async (_, newKey, options) => {
    expect(await brokerCheck({ ...identity(newKey), ...options })).toMatchObject({ verdict: "ok" });
  });

  test.each<[string, string, TlsOptions, string]>([
    ["TLS 1.3 alone", EC, { minVersion: "TLSv1.3" }, "it speaks TLSv1.3, TLS_AES"],
    [
      "CHACHA20 alone",
      EC,
      { ...TLS_12, ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305" },
      "it speaks TLSv1.2, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, and has nothing",
    ],
    [
      "DHE alone",
      "rsa:2048",
      { ...TLS_12, ciphers: "DHE-RSA-AES128-GCM-SHA256", dhparam: "auto" },
      "it speaks TLSv1.2, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    ],
    ["an Ed25519 certificate", "ed25519", {}, "it speaks TLSv1.3, TLS_AES"],
    [
      "an RSA key of 1024 bits",
      "rsa:1024",
      { ciphers: "DEFAULT:@SECLEVEL=0" },
      "an RSA key of 1024",
    ],
  ])("with %s is refused", async (_, newKey, options, problem) => {
    const check = await brokerCheck({ ...identity(newKey), ...options }, true);
    expect(check).toMatchObject({ verdict: "failed", detail: expect.stringContaining(problem) });
  });

  test.each([
    ["ECDHE with CBC", "ECDHE-RSA-AES128-SHA256"],
    ["static RSA", "AES128-GCM-SHA256"],
  ])("with %s alone is one for tls.allSuites", async (_, ciphers) => {
    const options = { ...identity("rsa:2048"), ...TLS_12, ciphers };
    expect(await brokerCheck(options)).toMatchObject({ verdict: "failed" });
    expect(await brokerCheck(options, true)).toMatchObject({ verdict: "ok" });
  });
});

test("a backend whose CA a device cannot read is refused, though this machine trusts it", async () => {
  const { key, cert } = identity(EC, "-addext nameConstraints=critical,permitted;DNS:localhost");
  const url = `https://localhost:${await portOf({ key, cert })}`;
  const [check] = await checkBackend({ url, caPem: cert, allSuites: false });
  expect(check).toMatchObject({
    verdict: "failed",
    detail: `${url}: it shows a certificate with the critical extension nameConstraints, which no device takes`,
  });
});

test("nobody there is nobody there", async () => {
  const [check] = await checkBroker({ uri: "mqtts://localhost:1", allSuites: false });
  expect(check).toMatchObject({
    verdict: "failed",
    detail: expect.stringContaining("ECONNREFUSED"),
  });
});
