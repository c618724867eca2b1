import type { IncomingMessage, ServerResponse } from "node:http";
import type { z } from "zod";
import { LIMITS } from "../../../codegen/limits.js";

/** What a handler answers with. */
export interface Answer {
  readonly status: number;
  /** What becomes JSON; a text is sent as it is. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type BodyResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly refusal: Answer };

/** RFC 6750, 2.1. */
const BEARER = new RegExp(
  `^Bearer +([A-Za-z0-9._~+/=-]{1,${LIMITS.provisioningTokenMaxBytes}})$`,
  "i",
);
const DISCARD_MS = 2_000;
const MAX_DISCARDED = 64 * 1024 * 1024;

/** An error in the form that the board's API uses too. */
export function refuse(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, body: { status: "error", code, message }, headers };
}

/** The refusal of a body, which names its first bad field. */
export function refuseField({ issues: [issue] }: z.ZodError): Answer {
  const message = `${issue?.path.join(".") || "body"}: ${issue?.message ?? "not valid"}`;
  return refuse(400, "bad_field", message);
}

/** Reads a JSON body of at most `limit` bytes; 415, 413 or 400 when it is not one. */
export async function readJsonBody(request: IncomingMessage, limit: number): Promise<BodyResult> {
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return {
      ok: false,
      refusal: refuse(415, "not_json", "expected Content-Type: application/json"),
    };
  }
  const tooLarge = refuse(413, "too_large", `the body is larger than ${limit} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > limit)
    return { ok: false, refusal: tooLarge };
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    length += chunk.length;
    if (length > limit) return { ok: false, refusal: tooLarge };
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks));
}

/** The token of `Authorization: Bearer …`, or null. */
export function bearerToken(request: IncomingMessage): string | null {
  const match = BEARER.exec(request.headers.authorization ?? "");
  return match?.[1] ?? null;
}

/** Sends the answer; half of it (with a length that fits the half) when `isTruncated`. */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  isTruncated = false,
): Promise<void> {
  const isRead = await readRest(request);
  const { body } = answer;
  const whole = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const text = isTruncated ? whole.subarray(0, Math.floor(whole.length / 2)) : whole;
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": text.length,
    "cache-control": "no-store",
    ...(isRead ? {} : { connection: "close" }),
    ...answer.headers,
  });
  response.end(text);
}

/**
 * Throws away what is left of a refused body, within bounds: closing a socket with unread data
 * resets it, and the client would never see why it was refused.
 * @returns whether the request was read to its end
 */
function readRest(request: IncomingMessage): Promise<boolean> {
  if (request.complete) return Promise.resolve(true);
  return new Promise((resolve) => {
    let length = 0;
    const finish = (): void => {
      clearTimeout(timer);
      request.removeListener("data", count).pause();
      resolve(request.complete);
    };
    const count = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > MAX_DISCARDED) finish();
    };
    const timer = setTimeout(finish, DISCARD_MS);
    request.once("end", finish).once("close", finish).on("data", count).resume();
  });
}

function parseJson(bytes: Buffer): BodyResult {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, refusal: refuse(400, "bad_json", "the body is not valid JSON") };
  }
}
