import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import axios from "axios";
import { z } from "zod";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { readCsr } from "../../cli/pki/csr.js";
import { startProgram } from "../peers/peer.js";
import { buildGoProgram } from "./go-program.js";
import { type FindPki, type Pki, runIn } from "./pki.js";

const NAME = "step-ca";
const VERSION = "0.30.2";
/** The client that makes the CA and its tokens. */
const CLI_VERSION = "0.30.2";
const START_MS = 30_000;
const ANSWER_MS = 20_000;
const PROVISIONER = "backend";

const Signed = z.object({ certChain: z.array(z.string()).min(1) });

export const findStepCa: FindPki = () => {
  const about = { name: NAME, version: VERSION };
  const ca = buildGoProgram("github.com/smallstep/certificates/cmd/step-ca", VERSION);
  if ("missing" in ca) return { ...about, ...ca };
  const cli = buildGoProgram("github.com/smallstep/cli/cmd/step", CLI_VERSION);
  if ("missing" in cli) return { ...about, ...cli };
  return { ...about, open: (dir) => open(ca.program, cli.program, dir) };
};

/** Asked as a backend would: POST /1.0/sign with the CSR and a token of a JWK provisioner. */
async function open(stepCa: string, step: string, dir: string): Promise<Pki> {
  const run = runIn(dir, { STEPPATH: dir, HOME: dir });
  const password = join(dir, "password");
  writeFileSync(password, randomBytes(16).toString("hex"), { mode: 0o600 });
  const address = `127.0.0.1:${await findFreePort()}`;
  run(step, [
    ...["ca", "init", "--deployment-type", "standalone", "--name", "Acme", "--dns", "127.0.0.1"],
    ...["--address", address, "--provisioner", PROVISIONER],
    ...["--password-file", password, "--provisioner-password-file", password, "--no-db"],
  ]);
  const stop = await startProgram({
    command: stepCa,
    args: [join(dir, "config", "ca.json"), "--password-file", password],
    cwd: dir,
    ready: /Serving HTTPS on/,
    timeoutMs: START_MS,
  });
  const root = join(dir, "certs", "root_ca.crt");
  const rootPem = readFileSync(root, "utf8");
  const httpsAgent = new Agent({ ca: rootPem });
  const tokenFor = (name: string, sans: readonly string[]): string =>
    run(step, [
      ...["ca", "token", name, "--ca-url", `https://${address}`, "--root", root],
      ...["--provisioner", PROVISIONER, "--provisioner-password-file", password],
      ...sans.flatMap((san) => ["--san", san]),
    ]).trim();
  return {
    rootPem,
    async sign(csrPem, use) {
      const read = readCsr(csrPem);
      if (!read.ok) throw new Error(read.reason);
      const ott = tokenFor(read.csr.commonName, use === "server" ? ["localhost"] : []);
      const { data } = await axios.post(
        `https://${address}/1.0/sign`,
        { csr: csrPem, ott },
        { httpsAgent, timeout: ANSWER_MS, proxy: false },
      );
      return { certificate: Signed.parse(data).certChain.join(""), caCertificate: rootPem };
    },
    stop,
  };
}
