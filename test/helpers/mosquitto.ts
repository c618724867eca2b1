import { onTestFinished } from "vitest";
import type { BrokerAccess } from "../../cli/flow/broker-session.js";
import { startMosquitto } from "../../cli/lab/broker/mosquitto.js";
import { createCa, issueCertificate } from "../../cli/lab/pki/ca.js";
import { localhostIdentity } from "./localhost.js";
import { temporaryDir } from "./project.js";

/** mosquitto with a CA of its own, and an access to it for whoever is named; `caPem` is whom it trusts instead. */
export async function mosquitto(caPem?: string) {
  const ca = await createCa({ commonName: "CA" });
  const server = await localhostIdentity(ca);
  const broker = await startMosquitto(temporaryDir(), { caPem: caPem ?? ca.certPem, server });
  onTestFinished(() => broker.stop());
  const accessOf = async (commonName: string): Promise<BrokerAccess> => ({
    uri: `mqtts://localhost:${broker.port}`,
    caPem: ca.certPem,
    ...(await issueCertificate(ca, { usage: "client", commonName })),
  });
  return { accessOf };
}
