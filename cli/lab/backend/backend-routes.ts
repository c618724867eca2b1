import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { z } from "zod";
import { readCsr } from "../../pki/csr.js";
import type { RouteFault } from "../faults.js";
import type { CertificateDates, CertificateFlaw, LabAuthority } from "../pki/authority.js";
import { type Answer, bearerToken, refuse, refuseField } from "../server/http-json.js";
import type { TokenStore } from "./tokens.js";

/** What a device sent to `/device-report`. */
export interface DeviceReport {
  readonly at: string;
  readonly deviceId: string;
  readonly status: string;
  readonly ip: string;
  readonly fw: string;
}

export interface RouteContext {
  readonly authority: LabAuthority;
  readonly tokens: TokenStore;
  readonly certificateDates: CertificateDates;
  readonly addReport: (report: Omit<DeviceReport, "at">) => void;
}

type RouteResult = ReturnType<typeof result>;

export type Route = (
  request: IncomingMessage,
  body: unknown,
  context: RouteContext,
  fault: RouteFault["kind"] | null,
) => RouteResult;

const deviceId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "expected 1 to 64 of A-Z a-z 0-9 _ -");
const csrRequest = z.object({ device_id: deviceId, csr: z.string().min(1).max(8192) });
const reportRequest = z.object({
  device_id: deviceId,
  status: z.string().max(64),
  ip: z.string().max(64),
  fw: z.string().max(64),
});

/** A provisioning token buys one certificate for the device that it is bound to. */
const signCsrRoute: Route = (request, body, context, fault) => {
  const token = bearerToken(request);
  if (token === null) return noBearer();
  const parsed = csrRequest.safeParse(body);
  if (!parsed.success) return badField(parsed.error);
  const { device_id: id, csr } = parsed.data;

  // The token comes first: strangers do not get to feed the ASN.1 parser.
  const fingerprint = createHash("sha256").update(csr).digest("hex");
  const verdict = context.tokens.check(token, id, fingerprint);
  if (verdict.kind === "repeated") {
    return result(id, "repeated", { status: 200, body: certificateBody(verdict.answer, context) });
  }
  if (verdict.kind !== "valid") return tokenRefusal(id, verdict.kind);

  const signed = checkAndSign(id, csr, context, fault);
  if (typeof signed !== "string") return signed;
  const flaw = flawOf(fault);
  if (flaw === null && fault !== "wrong_ca") verdict.redeem(signed); // a wrong answer does not spend the token
  return result(id, "ok", { status: 200, body: certificateBody(signed, context, fault) });
};

/**
 * A device that has a certificate gets a new one for the same key over mutual TLS: its token is
 * spent, so the certificate itself is what it proves its identity with.
 */
const renewCsrRoute: Route = (request, body, context, fault) => {
  const socket = request.socket;
  if (!(socket instanceof TLSSocket) || !socket.authorized) {
    const message = "a valid client certificate of this CA is required";
    return result(null, "certificate_rejected", refuse(401, "certificate_rejected", message));
  }
  const parsed = csrRequest.safeParse(body);
  if (!parsed.success) return badField(parsed.error);
  const { device_id: id, csr } = parsed.data;
  const certificate = socket.getPeerX509Certificate();
  const name = socket.getPeerCertificate().subject?.CN;
  if (name !== id || certificate === undefined) {
    const answer = refuse(403, "wrong_device", "the client certificate belongs to another device");
    return result(id, "wrong_device", answer);
  }
  const asked = readCsr(csr);
  if (asked.ok && !asked.csr.publicKey.equals(certificate.publicKey)) {
    const answer = refuse(409, "key_changed", "renewal keeps the key; the CSR has another one");
    return result(id, "key_changed", answer);
  }
  const signed = checkAndSign(id, csr, context, fault);
  if (typeof signed !== "string") return signed;
  const answer = { status: 200, body: certificateBody(signed, context, fault) };
  return result(id, "ok", answer);
};

/** One report on the user's behalf. A provisioning token is not a user's token, and is refused. */
const deviceReportRoute: Route = (request, body, context) => {
  const token = bearerToken(request);
  if (token === null) return noBearer();
  const parsed = reportRequest.safeParse(body);
  if (!parsed.success) return badField(parsed.error);
  const { device_id: id, status, ip, fw } = parsed.data;
  if (context.tokens.knows(token)) {
    return result(id, "token_rejected", refuse(403, "token_rejected", "not a user's token"));
  }
  context.addReport({ deviceId: id, status, ip, fw });
  return result(id, "ok", { status: 200, body: { status: "ok" } });
};

/** @returns the certificate, or the refusal of a CSR that is not good */
function checkAndSign(
  id: string,
  csr: string,
  context: RouteContext,
  fault: RouteFault["kind"] | null,
): string | RouteResult {
  const asked = readCsr(csr);
  if (!asked.ok) return csrRefusal(id, asked.reason);
  if (asked.csr.commonName !== id) return csrRefusal(id, "its CN is not the device_id");
  const dates = context.certificateDates;
  return context.authority.signDevice(asked.csr, { dates, flaw: flawOf(fault) });
}

function flawOf(fault: RouteFault["kind"] | null): CertificateFlaw | null {
  if (fault === "foreign_certificate") return "foreign_key";
  if (fault === "foreign_name") return "foreign_name";
  if (fault === "new_ca") return "foreign_ca";
  return fault === "expired_certificate" ? "expired" : null;
}

function certificateBody(
  certificatePem: string,
  { authority }: RouteContext,
  fault: RouteFault["kind"] | null = null,
) {
  const { caPem, foreignCaPem } = authority;
  const content =
    fault === "new_ca" ? foreignCaPem + caPem : fault === "wrong_ca" ? foreignCaPem : caPem;
  return { certificate: { content: certificatePem }, ca_certificate: { content } };
}

function noBearer(): RouteResult {
  const headers = { "www-authenticate": "Bearer" };
  const answer = refuse(401, "token_rejected", "expected Authorization: Bearer", headers);
  return result(null, "token_missing", answer);
}

function tokenRefusal(id: string, kind: "unknown" | "spent" | "expired" | "foreign"): RouteResult {
  if (kind === "foreign") {
    const answer = refuse(403, "token_rejected", "the token is for another device");
    return result(id, "token_foreign", answer);
  }
  const headers = { "www-authenticate": 'Bearer error="invalid_token"' };
  const answer = refuse(401, "token_rejected", `the token is ${kind}`, headers);
  return result(id, `token_${kind}`, answer);
}

function csrRefusal(id: string, problem: string): RouteResult {
  return result(id, "csr_rejected", refuse(400, "csr_rejected", `the CSR is refused: ${problem}`));
}

function badField(error: z.ZodError): RouteResult {
  return result(null, "bad_field", refuseField(error));
}

/** @param outcome for the event log */
function result(id: string | null, outcome: string, answer: Answer) {
  return { answer, deviceId: id, outcome };
}

export const routes: ReadonlyMap<string, Route> = new Map([
  ["/sign-csr", signCsrRoute],
  ["/renew-csr", renewCsrRoute],
  ["/device-report", deviceReportRoute],
]);
