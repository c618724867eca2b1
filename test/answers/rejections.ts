import { table } from "./row.js";
import { http, httpChunked, json, packed } from "./wire.js";

const REFUSAL = { status: "error", code: "not_today", message: "no, not with this token" };
const TEXT = JSON.stringify(REFUSAL);

/** Which bodies make 401 a rejection, and take the device its token. */
export const REJECTIONS = table(
  `
without a message               | token_rejected | HTTP 401                             | 1 | spent | enrol
with further members            | token_rejected | HTTP 401                             | 1 | spent | enrol
as text/plain                   | token_rejected | HTTP 401                             | 1 | spent | enrol
as application/problem+json     | token_rejected | HTTP 401                             | 1 | spent | enrol
in chunks                       | token_rejected | HTTP 401                             | 1 | spent | enrol
without a length, until the end | token_rejected | HTTP 401                             | 1 | spent | enrol
with WWW-Authenticate           | token_rejected | HTTP 401                             | 1 | spent | enrol
of HTTP/1.0                     | token_rejected | HTTP 401                             | 1 | spent | enrol
after a BOM                     | token_rejected | HTTP 401                             | 1 | spent | enrol
that quotes the token           | token_rejected | HTTP 401                             | 1 | spent | enrol
text                            | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
half of it                      | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
cut off                         | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
packed                          | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
with something behind it        | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
of OAuth (RFC 6750)             | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
of RFC 9457                     | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
with a number for status        | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
with another status             | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
without a code                  | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
with a number for code          | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
in an array                     | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
in another object               | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
in capitals                     | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
null                            | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
an empty object                 | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
of more than 24576 bytes        | backend_error  | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
`,
  {
    "without a message": () => json(401, { status: "error", code: "token_spent" }),
    "with further members": () =>
      json(401, { ...REFUSAL, request_id: "7", details: [1, { a: null }] }),
    "as text/plain": () => json(401, REFUSAL, { type: "text/plain" }),
    "as application/problem+json": () =>
      json(401, REFUSAL, { type: "application/problem+json; charset=utf-8" }),
    "in chunks": () => httpChunked(401, TEXT, { size: 7 }),
    "without a length, until the end": () => json(401, REFUSAL, { length: null, end: "close" }),
    "with WWW-Authenticate": () =>
      json(401, REFUSAL, { lines: ['WWW-Authenticate: Bearer error="invalid_token"'] }),
    "of HTTP/1.0": () => json(401, REFUSAL, { statusLine: "HTTP/1.0 401 No", end: "close" }),
    "after a BOM": () => http(401, `\ufeff${TEXT}`),
    "that quotes the token": ({ token }) =>
      json(401, { ...REFUSAL, message: `the token ${token} is spent` }),
    text: () => http(401, "Unauthorized\n", { type: "text/plain" }),
    "half of it": () => http(401, TEXT.slice(0, 40)),
    "cut off": () => http(401, TEXT, { length: 999, end: "close" }),
    packed: () => packed(401, TEXT),
    "with something behind it": () => http(401, `${TEXT}x`),
    "of OAuth (RFC 6750)": () =>
      json(401, { error: "invalid_token", error_description: "The access token expired" }),
    "of RFC 9457": () => json(401, { type: "about:blank", title: "Unauthorized", status: 401 }),
    "with a number for status": () => json(401, { status: 401, code: "x" }),
    "with another status": () => json(401, { status: "failed", code: "x" }),
    "without a code": () => json(401, { status: "error", message: "x" }),
    "with a number for code": () => json(401, { status: "error", code: 7 }),
    "in an array": () => json(401, [REFUSAL]),
    "in another object": () => json(401, { error: REFUSAL }),
    "in capitals": () => json(401, { STATUS: "error", CODE: "x" }),
    null: () => json(401, null),
    "an empty object": () => json(401, {}),
    "of more than 24576 bytes": () => json(401, { ...REFUSAL, filler: "f".repeat(25_000) }),
  },
);
