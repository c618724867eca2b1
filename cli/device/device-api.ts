import { Agent } from "node:http";
import { isIPv4 } from "node:net";
import axios, { isAxiosError } from "axios";
import { z } from "zod";
import { findRefusal } from "../../codegen/refusals.js";
import { ProvError } from "../errors.js";
import { visible } from "../terminal/foreign-text.js";
import { deadline } from "../time/deadline.js";

/** Body of `POST /provision`. `bearer` travels in the Authorization header. */
export interface ProvisionRequest {
  ssid: string;
  password: string;
  deviceId: string;
  token?: string;
  bearer?: string;
  attemptId: string;
  /** Unix time in seconds; sets a clock that has never been set. */
  timeSeconds: number;
}

export type ResetScope = "wifi" | "all";

const ANSWER_LIMIT_BYTES = 64 * 1024;
const STATUS_TIMEOUT_MS = 4_000;
const SCAN_TIMEOUT_MS = 20_000;
const PROVISION_TIMEOUT_MS = 8_000;
/**
 * The board closes its idlest connection for the next client. A request that finds its own closed has no answer, and a
 * POST is never sent a second time: each goes over a connection of its own.
 */
const OWN_CONNECTION = new Agent({ keepAlive: false });
/** What a board answers to a GET that names another host than itself. */
const SEE_OTHER = 303;

/** What the board says, for people to read. Names of networks are data, and shown with care where they are shown. */
const said = z.string().transform(visible);

const errorSchema = z.object({ code: said, message: said }).nullable();

const statusSchema = z
  .object({
    status: z.enum(["provisioning", "connected", "disconnected"]),
    state: said,
    device_id: said,
    ip: said,
    /** What it suffers from now. */
    error: errorSchema,
    last_error: errorSchema.default(null),
    attempts_remaining: z.number(),
    fw: said,
    attempt_id: said.nullable(),
    wifi_connected: z.boolean(),
    certificate: z.boolean(),
  })
  .transform(({ device_id, last_error, attempts_remaining, fw, ...rest }) => {
    const { attempt_id, wifi_connected, ...same } = rest;
    return {
      ...same,
      deviceId: device_id,
      /** The latest failure, also when it is over; null from firmware that does not tell it. */
      lastError: last_error,
      attemptsRemaining: attempts_remaining,
      firmware: fw,
      attemptId: attempt_id,
      wifiConnected: wifi_connected,
    };
  });

/** `GET /status` of the board. */
export type DeviceStatus = z.output<typeof statusSchema>;

const networkSchema = z.object({
  ssid: z.string(),
  rssi: z.number(),
  channel: z.number(),
  secure: z.boolean(),
});
const scanSchema = z.object({ networks: z.array(networkSchema), count: z.number() });

/** One network as the board sees it. */
export type ScannedNetwork = z.output<typeof networkSchema>;

const acceptedSchema = z.object({ status: z.literal("ok") });

const refusalSchema = z.object({
  status: z.literal("error"),
  code: said,
  message: said,
});

export type DeviceApi = ReturnType<typeof createDeviceApi>;

/**
 * A client of the board at `baseUrl`, such as `http://192.168.4.1`.
 * Every call ends within its time limit or when `signal` aborts.
 * @param pairingSecret what the board asks of whoever changes it; "" for none
 */
export function createDeviceApi(baseUrl: string, pairingSecret = "") {
  const root = baseUrl.replace(/\/+$/, "");
  const pairing = pairingSecret === "" ? {} : { "X-Pairing-Secret": pairingSecret };
  const board: Board = {};
  const ask = async <T>(
    schema: z.ZodType<T, unknown>,
    path: string,
    rest: Omit<Call, "url">,
  ): Promise<T> => parse(schema, await call(board, { url: `${root}${path}`, ...rest }));
  const post = { method: "POST", timeoutMs: PROVISION_TIMEOUT_MS } as const;
  return {
    baseUrl: root,
    status: (signal: AbortSignal) =>
      ask(statusSchema, "/status", { method: "GET", timeoutMs: STATUS_TIMEOUT_MS, signal }),
    scan: async (signal: AbortSignal) =>
      (await ask(scanSchema, "/scan", { method: "GET", timeoutMs: SCAN_TIMEOUT_MS, signal }))
        .networks,
    provision: async (request: ProvisionRequest, signal: AbortSignal) => {
      const body = {
        ssid: request.ssid,
        password: request.password,
        device_id: request.deviceId,
        provisioning_token: request.token,
        attempt_id: request.attemptId,
        time: request.timeSeconds,
      };
      const headers = {
        ...pairing,
        ...(request.bearer === undefined ? {} : { Authorization: `Bearer ${request.bearer}` }),
      };
      await ask(acceptedSchema, "/provision", { ...post, body, headers, signal });
    },
    reset: async (scope: ResetScope, signal: AbortSignal) => {
      await ask(acceptedSchema, "/reset", { ...post, body: { scope }, headers: pairing, signal });
    },
  };
}

interface Call {
  method: "GET" | "POST";
  url: string;
  body?: unknown;
  headers?: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
}

interface Board {
  /** What it calls itself, where the URL calls it something else: a name, or the near end of a forward. */
  host?: string;
}

async function call(board: Board, request: Call): Promise<unknown> {
  const { method, url, timeoutMs, signal } = request;
  signal.throwIfAborted();
  try {
    let response = await send(board, request);
    const host = response.status === SEE_OTHER ? ownHost(response.headers.location) : undefined;
    if (host !== undefined && board.host === undefined) {
      board.host = host;
      response = await send(board, request);
    }
    if (response.status === 200) return response.data;
    throw refusal(method, url, response.status, response.data);
  } catch (error) {
    if (error instanceof ProvError) throw error;
    signal.throwIfAborted();
    throw unreachable(method, url, timeoutMs, error);
  }
}

function send(board: Board, { method, url, body, headers, timeoutMs, signal }: Call) {
  const host = board.host === undefined ? {} : { Host: board.host };
  return axios.request<unknown>({
    method,
    url,
    data: body,
    headers: { Accept: "application/json", ...headers, ...host },
    ...(method === "POST" ? { httpAgent: OWN_CONNECTION } : {}),
    // axios' own `timeout` restarts with every byte that drips in; the signal bounds the whole call.
    signal: deadline(timeoutMs, signal),
    maxRedirects: 0,
    proxy: false,
    maxContentLength: ANSWER_LIMIT_BYTES,
    validateStatus: () => true,
  });
}

/** The board's address of the redirect, which is not followed: it names the board, and the way to it is known. */
function ownHost(location: unknown): string | undefined {
  if (typeof location !== "string" || !URL.canParse(location)) return undefined;
  const { protocol, hostname, host } = new URL(location);
  return protocol === "http:" && isIPv4(hostname) ? host : undefined;
}

/** axios errors carry the request with its secrets: only their code and kind are passed on. */
function unreachable(method: string, url: string, timeoutMs: number, error: unknown): ProvError {
  const code = isAxiosError(error) ? error.code : undefined;
  if (isNoAnswerOfABoard(error))
    return new ProvError("bad_answer", `${method} ${url}: the answer is too long, or garbled`);
  const why =
    code === "ERR_CANCELED"
      ? `no answer within ${timeoutMs / 1000} s`
      : (code ?? "connection failed");
  return new ProvError("ap_unreachable", `${method} ${url}: ${why}`);
}

/** One over the limit, or one that claims to be compressed and is not: another try brings the same. */
function isNoAnswerOfABoard(error: unknown): boolean {
  if (!isAxiosError(error)) return false;
  return /^Z_/.test(error.code ?? "") || error.message.startsWith("maxContentLength ");
}

function refusal(method: string, url: string, status: number, data: unknown): ProvError {
  const parsed = refusalSchema.safeParse(data);
  if (!parsed.success)
    return new ProvError(
      "bad_answer",
      `${method} ${url} answered HTTP ${status} without the board's error document`,
    );
  const { code, message } = parsed.data;
  const { error, hint } = findRefusal(code) ?? {};
  if (error !== undefined) return new ProvError(error, message);
  return new ProvError(
    "provision_refused",
    `the board refused the request (HTTP ${status}, ${code}): ${message}`,
    hint === undefined ? {} : { hint },
  );
}

function parse<T>(schema: z.ZodType<T, unknown>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const what =
    issue && issue.path.length > 0
      ? `${issue.path.join(".")}: ${issue.message}`
      : "no JSON document of this firmware";
  throw new ProvError("bad_answer", `unexpected answer from the board: ${what}`);
}
