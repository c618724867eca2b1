import { createHmac, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { startProgram } from "../peers/peer.js";
import { buildGoProgram } from "./go-program.js";
import { type FindPki, type Pki, runIn } from "./pki.js";

const NAME = "cfssl";
const VERSION = "1.6.5";
const START_MS = 20_000;
const ANSWER_MS = 20_000;
const LIFE = "720h";

const Made = z.object({ cert: z.string(), key: z.string() });
const Signed = z.object({ result: z.object({ certificate: z.string() }) });

export const findCfssl: FindPki = () => {
  const built = buildGoProgram("github.com/cloudflare/cfssl/cmd/cfssl", VERSION);
  return "missing" in built
    ? { name: NAME, version: VERSION, ...built }
    : { name: NAME, version: VERSION, open: (dir) => open(built.program, dir) };
};

/** Its signing service. It answers with the leaf alone, and names who issued it when it is asked. */
async function open(cfssl: string, dir: string): Promise<Pki> {
  const run = runIn(dir);
  const write = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const secret = randomBytes(16).toString("hex");
  const config = write("config.json", JSON.stringify(configuration(secret)));
  const make = (name: string, ...signer: string[]) => {
    const request = { CN: name, names: [{ O: "Acme" }], key: { algo: "ecdsa", size: 384 } };
    const csr = write(`${name}.json`, JSON.stringify(request));
    const { cert, key } = Made.parse(JSON.parse(run(cfssl, ["gencert", ...signer, csr])));
    return { cert, options: filesOf(write(`${name}.pem`, cert), write(`${name}-key.pem`, key)) };
  };
  const root = make("root", "-initca");
  const profile = ["-config", config, "-profile", "authority"];
  const issuing = make("issuing", ...root.options, ...profile);
  const port = await findFreePort();
  const stop = await startProgram({
    command: cfssl,
    args: [
      ...["serve", "-address", "127.0.0.1", "-port", String(port), "-config", config],
      ...issuing.options,
    ],
    cwd: dir,
    ready: /Now listening on/,
    timeoutMs: START_MS,
  });
  const ask = async (what: string, body: object): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/cfssl/${what}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok) throw new Error(`cfssl: HTTP ${response.status}: ${await response.text()}`);
    return Signed.parse(await response.json()).result.certificate;
  };
  return {
    rootPem: root.cert,
    async sign(csrPem, use) {
      const hosts = use === "server" ? { hosts: ["localhost"] } : {};
      const request = JSON.stringify({ certificate_request: csrPem, profile: use, ...hosts });
      const token = createHmac("sha256", Buffer.from(secret, "hex")).update(request);
      const certificate = await ask("authsign", {
        token: token.digest("base64"),
        request: Buffer.from(request).toString("base64"),
      });
      const issuer = await ask("info", { label: "", profile: use });
      return { certificate, caCertificate: `${issuer}\n${root.cert}` };
    },
    stop,
  };
}

function filesOf(certificate: string, key: string): string[] {
  return ["-ca", certificate, "-ca-key", key];
}

function configuration(key: string): object {
  const leaf = (usage: string) => ({
    ...{ usages: ["digital signature", usage], expiry: LIFE, auth_key: "backend" },
  });
  return {
    signing: {
      default: { usages: ["digital signature"], expiry: LIFE, auth_key: "backend" },
      profiles: {
        client: leaf("client auth"),
        server: leaf("server auth"),
        authority: {
          ...{ usages: ["cert sign", "crl sign"], expiry: LIFE },
          ca_constraint: { is_ca: true, max_path_len: 0, max_path_len_zero: true },
        },
      },
    },
    auth_keys: { backend: { type: "standard", key } },
  };
}
