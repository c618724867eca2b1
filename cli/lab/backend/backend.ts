import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { createServer, type Server } from "node:https";
import { pause } from "../../time/wait.js";
import { type EventSink, type LabEvent, labEvent } from "../events.js";
import {
  type ConnectionFault,
  createFaultBox,
  isConnectionFault,
  isRouteFault,
  type RouteFault,
} from "../faults.js";
import type { CertificateDates, LabAuthority } from "../pki/authority.js";
import { guardConnections } from "../server/connection-faults.js";
import { type Answer, readJsonBody, refuse, sendAnswer } from "../server/http-json.js";
import { followConnections, listenOn } from "../server/listen.js";
import { type ServerIdentity, secureContextOf } from "../server/server-identity.js";
import { type DeviceReport, type Route, type RouteContext, routes } from "./backend-routes.js";
import type { TokenStore } from "./tokens.js";

/** A CSR of an RSA-4096 key has 1.7 KB; 16 KiB leave room and bound what a client can make us keep. */
const MAX_BODY_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
const INFORMATIONAL_PAUSE_MS = 100;

export interface BackendOptions {
  readonly authority: LabAuthority;
  readonly tokens: TokenStore;
  /** Default: a year. */
  readonly certificateDates?: CertificateDates;
  /** Tried first; another free port is taken when it is in use. */
  readonly preferredPort?: number;
  readonly onEvent?: EventSink;
}

export type LabBackend = Awaited<ReturnType<typeof startBackend>>;

/** The development backend: signs CSRs for tokens, renews over mTLS, takes reports. HTTPS, own CA. */
export async function startBackend(options: BackendOptions) {
  const report = options.onEvent ?? (() => {});
  const faults = createFaultBox<RouteFault>();
  const reports: DeviceReport[] = [];
  const context: RouteContext = {
    authority: options.authority,
    tokens: options.tokens,
    certificateDates: options.certificateDates ?? { lifetimeMs: 365 * 86_400_000 },
    addReport: (entry) => reports.push({ at: new Date().toISOString(), ...entry }),
  };
  const server = createHttpsServer(options.authority, await options.authority.issueServer());
  const guard = guardConnections(server, report);
  const { close } = followConnections(server);
  server.on("request", (request, response) => {
    handle(request, response, context, (path) => faults.take(({ route }) => route === path))
      .then((event) => report(event))
      .catch(() => response.destroy()); // the client went away in mid-request
  });
  server.on("tlsClientError", (error) => {
    report(labEvent("backend", null, "connect", "tls_refused", error.message));
  });
  const port = await listenOn(server, options.preferredPort);

  return {
    port,
    url: `https://127.0.0.1:${port}`,
    /** Everything that `/device-report` received, oldest first. */
    reports: (): readonly DeviceReport[] => reports,
    setFaults(set: readonly (RouteFault | ConnectionFault)[]): void {
      faults.set(set.filter(isRouteFault));
      guard.set(set.filter(isConnectionFault));
    },
    /** What it shows to clients from the next connection on. */
    setServerIdentity: (identity: ServerIdentity): void =>
      server.setSecureContext(secureContextOf(identity, options.authority.caPem)),
    /** Goes away until `resume`, on the same port. */
    pause: close,
    async resume(): Promise<void> {
      if (!server.listening) await listenOn(server, port, { exact: true });
    },
    stop: close,
  };
}

function createHttpsServer(authority: LabAuthority, identity: ServerIdentity): Server {
  const server = createServer({
    ...secureContextOf(identity, authority.caPem),
    // Asked for, but only /renew-csr insists on one.
    requestCert: true,
    rejectUnauthorized: false,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 1_000,
  });
  server.keepAliveTimeout = 5_000;
  return server;
}

/** Answers one request. @returns what to put on record about it */
async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
  takeFault: (route: string) => RouteFault | null,
): Promise<LabEvent> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const route = routes.get(path);
  const early = checkRoute(request, route);
  if (early !== null || route === undefined) {
    const answer = early ?? refuse(404, "not_found", "no such route");
    await sendAnswer(request, response, answer);
    return labEvent("backend", null, path.slice(0, 64), `refused_${answer.status}`);
  }
  const what = path.slice(1);
  const fault = takeFault(path);
  const body = await readJsonBody(request, MAX_BODY_BYTES);
  if (!body.ok) {
    await sendAnswer(request, response, body.refusal);
    return labEvent("backend", null, what, `refused_${body.refusal.status}`);
  }
  for (const status of fault?.informational ?? []) await sendInformational(response, status);
  if (fault !== null && (await failBefore(fault, request, response))) {
    return labEvent("backend", null, what, faultName(fault));
  }
  const result = carryOut(route, request, body.value, context, fault?.kind ?? null);
  const answer = withStatusOf(fault, result.answer);
  if (fault?.kind === "lose_reply") response.destroy();
  else await sendAnswer(request, response, answer, fault?.kind === "truncated_json");
  const outcome = fault === null ? result.outcome : `${result.outcome}+${faultName(fault)}`;
  return labEvent("backend", result.deviceId, what, outcome);
}

/** What a route answers; a failure of our own is said in the contract's form, too. */
function carryOut(route: Route, ...args: Parameters<Route>): ReturnType<Route> {
  try {
    return route(...args);
  } catch {
    const answer = refuse(500, "internal", "the backend has failed");
    return { answer, deviceId: null, outcome: "internal" };
  }
}

function checkRoute(request: IncomingMessage, route: Route | undefined): Answer | null {
  if (route === undefined) return refuse(404, "not_found", "no such route");
  if (request.method === "POST") return null;
  return refuse(405, "method_not_allowed", "use POST", { allow: "POST" });
}

/** A head alone; the pause lets it arrive alone. */
async function sendInformational(response: ServerResponse, status: number): Promise<void> {
  const headers = status === 103 ? "Link: </style.css>; rel=preload\r\n" : "";
  response.socket?.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Informational"}\r\n${headers}\r\n`,
  );
  await pause(INFORMATIONAL_PAUSE_MS);
}

/** Carries out a fault that leaves the work undone. @returns whether it was one */
async function failBefore(
  fault: RouteFault,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  switch (fault.kind) {
    case "status":
    case "page":
    case "redirect":
      await sendAnswer(request, response, answerOf(fault));
      return true;
    case "hang":
      return true; // the connection stays open; the client gives up, or stop() ends it
    case "close":
      response.destroy();
      return true;
    default:
      return false;
  }
}

function answerOf(fault: RouteFault): Answer {
  const status = statusOf(fault) ?? 500;
  if (fault.kind === "status")
    return refuse(status, "injected", "a fault that the lab was told to show");
  const title = `${status} ${STATUS_CODES[status] ?? ""}`;
  const body = `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
  const headers = { "content-type": "text/html" };
  const isRedirect = fault.kind === "redirect";
  return { status, body, headers: isRedirect ? { ...headers, location: "/elsewhere" } : headers };
}

const STATUS_OF_FAULT: Partial<Record<RouteFault["kind"], number>> = {
  status: 500,
  page: 403,
  redirect: 302,
};

function statusOf({ kind, status }: RouteFault): number | undefined {
  const fallback = STATUS_OF_FAULT[kind];
  return fallback === undefined ? undefined : (status ?? fallback);
}

function faultName(fault: RouteFault): string {
  const status = statusOf(fault);
  return status === undefined ? `fault_${fault.kind}` : `fault_${fault.kind}_${status}`;
}

/** Another success than 200, where a fault asks for it. */
function withStatusOf(fault: RouteFault | null, answer: Answer): Answer {
  const isMeant = fault?.kind === "serve" && answer.status === 200;
  return isMeant ? { ...answer, status: fault.status ?? answer.status } : answer;
}
