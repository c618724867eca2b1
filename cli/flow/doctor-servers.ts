import { type Check, failed, ok, warning } from "./doctor-check.js";
import { shakeHands } from "./handshake.js";

const EXPIRY_WARNING_DAYS = 14;
/** TLS tolerates minutes; more than this and certificates that are fresh look not yet valid. */
const SKEW_WARNING_S = 60;
const DAY_MS = 86_400_000;

/** A backend and the CA that is pinned for it; null for the system's bundle. */
export interface BackendToTry {
  readonly url: string;
  readonly caPem: string | null;
}

/** Whether the backend answers with a certificate that its devices will trust, and what time it is there. */
export async function checkBackend({ url, caPem }: BackendToTry): Promise<Check[]> {
  const { hostname, port } = new URL(url);
  const seen = await shakeHands({
    host: hostname,
    port: Number(port || 443),
    ca: caPem,
    askTime: true,
  });
  if ("problem" in seen)
    return [
      failed(
        "backend",
        `${url}: ${seen.problem}`,
        "Check backend.url and backend.ca in the manifest, and the network.",
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
export async function checkBroker(uri: string): Promise<Check[]> {
  const { hostname, port } = new URL(uri);
  // Which CA the broker needs is the backend's to say, so only its presence and dates are looked at.
  const seen = await shakeHands({
    host: hostname,
    port: Number(port || 8883),
    ca: null,
    askTime: false,
    anyCa: true,
  });
  if ("problem" in seen)
    return [
      failed(
        "broker",
        `${uri}: ${seen.problem}`,
        "Check mqtt.uri in the manifest, and that the port is open.",
      ),
    ];
  return [expiryCheck("broker", uri, seen.validTo)];
}

function expiryCheck(name: string, where: string, validTo: Date): Check {
  const days = Math.floor((validTo.getTime() - Date.now()) / DAY_MS);
  const detail = `${where}, certificate for another ${days} days`;
  if (days >= EXPIRY_WARNING_DAYS) return ok(name, detail);
  return (days < 0 ? failed : warning)(name, detail, "Renew the server's certificate.");
}
