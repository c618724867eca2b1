import { cString } from "./c-string.js";
import { DEVICE_FAILURES } from "./failures.js";
import { LIMITS } from "./limits.js";

/** Where the generated text is committed, relative to the project root. */
export const REFUSALS_HEADER_PATH = "firmware/main/portal/http_refusals.h";

/** One row of the table. */
export interface Refusal {
  /** HTTP's. */
  readonly status: keyof typeof STATUS_TEXTS;
  /** Where it is not the name of the row. */
  readonly code?: string;
  /** What the device says; left out where that depends on the request. */
  readonly message?: string;
  /** What prov calls it. */
  readonly error?: "device_mismatch" | "provision_busy" | "scan_failed" | "storage_failed";
  /** What the person in front of prov should do next. */
  readonly hint?: string;
  /** For somebody with a phone and no manual; left out where no form brings them there. */
  readonly words?: string;
}

/** RFC 9110, 15; RFC 6585. */
const STATUS_TEXTS = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

/**
 * Every way in which the device's HTTP API refuses a request. This table is the source of `http_refusals.h`, of the page's
 * words and of what prov makes of a refusal.
 */
export const REFUSALS = {
  bad_json: { status: 400 },
  bad_form: { status: 400 },
  /** The message names the field, and so does what the page says: FIELD_WORDS. */
  bad_field: { status: 400 },
  bad_request: { status: 400, message: "not a valid HTTP request" },
  bad_length: { status: 400, code: "bad_request", message: "Content-Length: expected a number" },
  pairing_required: {
    status: 401,
    message: "the pairing secret is missing or wrong",
    hint: "Put the secret that the board was built with into softAp.pairingSecret.",
    words: "The pairing secret is missing or wrong.",
  },
  foreign_host: {
    status: 403,
    message: "the request names another host, or another site's page sent it",
    hint: "Check --url: the board answers to its own address alone.",
    words: "Another site sent this form. Open the device's own page and try again.",
  },
  not_found: { status: 404, message: "no such resource" },
  method_not_allowed: { status: 405, message: "this resource does not take that method" },
  wrong_device: {
    status: 409,
    message: "device_id: this is another device",
    error: "device_mismatch",
    words: "These details are for another device. Check which device's WiFi your phone is on.",
  },
  busy: {
    status: 409,
    message: "a provisioning is under way",
    error: "provision_busy",
    words: "The device is busy with the details it was given before. Wait a minute and try again.",
  },
  length_required: { status: 411, message: "expected Content-Length, no Transfer-Encoding" },
  too_large: {
    status: 413,
    message: `the body exceeds ${LIMITS.requestBodyMaxBytes} bytes`,
    words: "These details are too long.",
  },
  not_json: { status: 415, message: "expected Content-Type: application/json" },
  locked: {
    status: 429,
    message: "too many wrong pairing secrets; restart the device",
    hint: "Restart the board: five wrong pairing secrets have locked it.",
    words:
      "There were too many wrong pairing secrets. Switch the device off and on, then try again.",
  },
  slow_down: {
    status: 429,
    message: "too many requests, wait a little",
    hint: "Wait a minute, then run the same command again.",
    words: "That was too often. Wait a minute and try again.",
  },
  header_too_large: {
    status: 431,
    code: "too_large",
    message: "the request's header is too large",
  },
  storage_failed: {
    status: 500,
    message: "the credentials could not be stored",
    error: "storage_failed",
    words: DEVICE_FAILURES.storage_failed.words,
  },
  out_of_memory: { status: 503, code: "busy", message: "out of memory, try again" },
  scan_unavailable: { status: 503, message: "the radio is busy, try again", error: "scan_failed" },
} as const satisfies Record<string, Refusal>;

/** The row of a code, or undefined for one of a (newer) firmware that this table lacks. */
export function findRefusal(code: string): Refusal | undefined {
  return Object.hasOwn(REFUSALS, code) ? REFUSALS[code as keyof typeof REFUSALS] : undefined;
}

/** The rows as the last arguments of `http_json_error()`; of a row without a message, the code alone. */
export function emitRefusalsHeader(refusals: Readonly<Record<string, Refusal>> = REFUSALS): string {
  const rows = Object.entries(refusals).map(([name, { status, code = name, message }]) => {
    const macro = `REFUSAL_${name.toUpperCase()}`;
    if (message === undefined) return `#define ${macro}_CODE ${cString(code)}\n`;
    const statusLine = `${status} ${STATUS_TEXTS[status]}`;
    return `#define ${macro} ${[statusLine, code, message].map(cString).join(", ")}\n`;
  });
  return `// Generated by codegen/refusals.ts. Do not edit.\n#pragma once\n\n${rows.join("")}`;
}
