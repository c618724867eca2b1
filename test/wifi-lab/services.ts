import { readFileSync, writeFileSync } from "node:fs";
import { connect as connectTo, createServer } from "node:net";
import { join } from "node:path";
import { startBackend } from "../../cli/lab/backend/backend.js";
import { createTokenStore } from "../../cli/lab/backend/tokens.js";
import { startEmbeddedBroker } from "../../cli/lab/broker/broker.js";
import { openAuthority } from "../../cli/lab/pki/authority.js";
import { issueCertificate } from "../../cli/lab/pki/ca.js";
import { BACKEND_PORT, BROKER_PORT, DEVICE_ID, SERVICES_ADDRESS } from "./full-board.js";

/**
 * Run in the VM, behind the home router: the backend and the broker. `services.js CA_DIR OUT_DIR`
 * leaves one-time tokens and the operator's identity in OUT_DIR.
 */
const [caDir = "", outDir = ""] = process.argv.slice(2);
const TOKENS = 8;

const authority = await openAuthority(caDir);
const ca = {
  certPem: readFileSync(join(caDir, "ca.pem"), "utf8"),
  keyPem: readFileSync(join(caDir, "ca-key.pem"), "utf8"),
};
const server = await issueCertificate(ca, {
  usage: "server",
  commonName: SERVICES_ADDRESS,
  dns: [],
  ip: [SERVICES_ADDRESS],
});
const onEvent = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
const tokens = createTokenStore();
const backend = await startBackend({ authority, tokens, onEvent, preferredPort: BACKEND_PORT });
backend.setServerIdentity(server);
const broker = await startEmbeddedBroker({
  caPem: ca.certPem,
  server,
  onEvent,
  preferredPort: BROKER_PORT,
});
forward(BACKEND_PORT, backend.port);
forward(BROKER_PORT, broker.port);

const operator = await authority.issueOperator();
writeFileSync(join(outDir, "operator.pem"), operator.certPem);
writeFileSync(join(outDir, "operator-key.pem"), operator.keyPem, { mode: 0o600 });
writeFileSync(join(outDir, "ca.pem"), ca.certPem);
const issued = Array.from({ length: TOKENS }, () => tokens.issue(DEVICE_ID));
writeFileSync(join(outDir, "tokens.json"), JSON.stringify(issued), { mode: 0o600 });

/** The lab's servers listen on the loopback only; this lets the home network in. */
function forward(port: number, to: number): void {
  createServer((client) => {
    const inner = connectTo(to, "127.0.0.1");
    client.pipe(inner).pipe(client);
    client.on("error", () => inner.destroy());
    inner.on("error", () => client.destroy());
  }).listen(port, SERVICES_ADDRESS);
}
