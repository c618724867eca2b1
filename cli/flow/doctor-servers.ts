import { certificateFacts } from "../../codegen/certificate-facts.js";
import { refusedInChain } from "../../codegen/certificate-rules.js";
import { opensslOffer } from "../../codegen/tls-offer.js";
import { type Check, failed, ok, warning } from "./doctor-check.js";
import { type Handshake, type Met, shakeHands } from "./handshake.js";

const EXPIRY_WARNING_DAYS = 14;
/** TLS tolerates minutes; more than this and certificates that are fresh look not yet valid. */
const SKEW_WARNING_S = 60;
const DAY_MS = 86_400_000;

/** A backend and the CA that is pinned for it; null for the system's bundle. */
export interface BackendToTry {
  readonly url: string;
  readonly caPem: string | null;
  /** `tls.allSuites` of its devices. */
  readonly allSuites: boolean;
}

export interface BrokerToTry {
  readonly uri: string;
  readonly allSuites: boolean;
}

/** Whether the backend answers with a certificate that its devices will trust, and what time it is there. */
export async function checkBackend({ url, caPem, allSuites }: BackendToTry): Promise<Check[]> {
  const { hostname, port } = new URL(url);
  const server = { host: hostname, port: Number(port || 443), ca: caPem, askTime: true };
  const seen = await meetAsDevice(server, allSuites);
  if ("problem" in seen)
    return [
      failed(
        "backend",
        `${url}: ${seen.problem}`,
        seen.fix ?? "Check backend.url and backend.ca in the manifest, and the network.",
      ),
    ];
  const checks = [expiryCheck("backend", url, seen.validTo)];
  if (seen.skewS !== undefined) {
    const detail = `${seen.skewS} s from the backend's`;
    const fix = "Set this machine's clock (NTP): prov hands it to devices that have none.";
    const isOff = Math.abs(seen.skewS) > SKEW_WARNING_S;
    checks.push(isOff ? failed("clock", detail, fix) : ok("clock", detail));
  }
  return checks;
}

/** Whether a broker with a certificate of the right age is there. */
export async function checkBroker({ uri, allSuites }: BrokerToTry): Promise<Check[]> {
  const { hostname, port } = new URL(uri);
  // Which CA the broker needs is the backend's to say, so only its presence and dates are looked at.
  const server = { host: hostname, port: Number(port || 8883), ca: null, askTime: false };
  const seen = await meetAsDevice({ ...server, anyCa: true }, allSuites);
  if ("problem" in seen)
    return [
      failed(
        "broker",
        `${uri}: ${seen.problem}`,
        seen.fix ?? "Check mqtt.uri in the manifest, and that the port is open.",
      ),
    ];
  return [expiryCheck("broker", uri, seen.validTo)];
}

/** A handshake with no more than a device offers, and its judgement of the certificates. */
async function meetAsDevice(
  server: Handshake,
  allSuites: boolean,
): Promise<Met | { readonly problem: string; readonly fix?: string }> {
  const seen = await shakeHands({ ...server, offer: opensslOffer(allSuites) });
  if ("problem" in seen) {
    const other = seen.isRefused ? await shakeHands({ ...server, askTime: false }) : seen;
    if ("problem" in other) return seen;
    const offer = allSuites ? "TLS 1.2 with the suites of ESP-IDF" : "ECDHE with AES-GCM";
    return {
      problem: `it speaks ${other.spoken}, and has nothing that a device offers`,
      fix: `Let it offer TLS 1.2 with ECDHE and AES-GCM, and a certificate whose key is RSA or ECDSA: a device offers ${offer}.`,
    };
  }
  const refused = refusedInChain(seen.chain.map(certificateFacts), allSuites);
  if (refused === undefined) return seen;
  return {
    problem: `it shows a certificate with ${refused}, which no device takes`,
    fix: "Give it a certificate, and a chain, of RSA keys of 2048 to 4096 bits or ECDSA on P-256, signed with SHA-256.",
  };
}

function expiryCheck(name: string, where: string, validTo: Date): Check {
  const days = Math.floor((validTo.getTime() - Date.now()) / DAY_MS);
  const detail = `${where}, certificate for another ${days} days`;
  if (days >= EXPIRY_WARNING_DAYS) return ok(name, detail);
  return (days < 0 ? failed : warning)(name, detail, "Renew the server's certificate.");
}
