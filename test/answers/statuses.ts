import { type Script, table } from "./row.js";
import { after, html, http, json } from "./wire.js";

/** A refusal as the contract has it. It quotes what it refuses, as some do. */
const REFUSAL = { status: "error", code: "not_today", message: "no, not with this token" };
const LOCATION = { lines: ["Location: https://localhost/elsewhere"] };

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const PROCESSING = "HTTP/1.1 102 Processing\r\n\r\n";
const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";

/** `<status> <body>`; 2xx have the contract's answer, which is the same as JSON of the contract's form. */
function byName(name: string): Script {
  const [, digits, body = ""] = /^(\d{3})(?: (JSON|HTML|empty))?$/.exec(name) ?? [];
  const status = Number(digits);
  const form = status >= 300 && status <= 399 ? LOCATION : {};
  if (body === "HTML") return () => html(status, form);
  if (body === "JSON") return () => json(status, REFUSAL, form);
  if (body === "empty") return () => http(status, "", form);
  return ({ good }) => json(status, good);
}

/** What a status means, with the body that the contract gives it and with others. */
export const STATUSES = table(
  `
200                     | online               |                                      | 1 | spent | crt enrol
201                     | online               |                                      | 1 | spent | crt enrol
202                     | backend_error        | HTTP 202                             | 1 | kept  | enrol
204 without a body      | backend_error        | HTTP 204                             | 1 | kept  | enrol
206                     | backend_error        | HTTP 206                             | 1 | kept  | enrol
100, 200                | online               |                                      | 1 | spent | crt enrol
103, 200                | online               |                                      | 1 | spent | crt enrol
100, 102, 103, 103, 201 | online               |                                      | 1 | spent | crt enrol
100 and 200 in one      | online               |                                      | 1 | spent | crt enrol
100, 403 JSON           | token_rejected       | HTTP 403                             | 1 | spent | enrol
100, 403 HTML           | backend_error        | HTTP 403, and not the backend's JSON | 2 | kept  | enrol
101                     | backend_error        | HTTP 101                             | 1 | kept  | enrol
300 HTML                | backend_error        | HTTP 300: redirects are not followed | 1 | kept  | enrol
301 HTML                | backend_error        | HTTP 301: redirects are not followed | 1 | kept  | enrol
302 HTML                | backend_error        | HTTP 302: redirects are not followed | 1 | kept  | enrol
302 JSON                | backend_error        | HTTP 302: redirects are not followed | 1 | kept  | enrol
303 HTML                | backend_error        | HTTP 303: redirects are not followed | 1 | kept  | enrol
304 without a body      | backend_error        | HTTP 304: redirects are not followed | 1 | kept  | enrol
307 without Location    | backend_error        | HTTP 307: redirects are not followed | 1 | kept  | enrol
308 empty               | backend_error        | HTTP 308: redirects are not followed | 1 | kept  | enrol
400 JSON                | csr_rejected         | HTTP 400                             | 1 | spent | enrol
400 HTML                | backend_error        | HTTP 400, and not the backend's JSON | 2 | kept  | enrol
400 empty               | backend_error        | HTTP 400, and not the backend's JSON | 2 | kept  | enrol
401 JSON                | token_rejected       | HTTP 401                             | 1 | spent | enrol
401 HTML                | backend_error        | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
401 empty               | backend_error        | HTTP 401, and not the backend's JSON | 2 | kept  | enrol
403 JSON                | token_rejected       | HTTP 403                             | 1 | spent | enrol
403 HTML                | backend_error        | HTTP 403, and not the backend's JSON | 2 | kept  | enrol
403 empty               | backend_error        | HTTP 403, and not the backend's JSON | 2 | kept  | enrol
404 JSON                | backend_error        | HTTP 404                             | 1 | kept  | enrol
404 HTML                | backend_error        | HTTP 404                             | 1 | kept  | enrol
405 HTML                | backend_error        | HTTP 405                             | 1 | kept  | enrol
407 HTML                | backend_error        | HTTP 407                             | 1 | kept  | enrol
408 JSON                | backend_error        | HTTP 408                             | 2 | kept  | enrol
409 JSON                | csr_rejected         | HTTP 409                             | 1 | spent | enrol
409 HTML                | backend_error        | HTTP 409, and not the backend's JSON | 2 | kept  | enrol
410 JSON                | backend_error        | HTTP 410                             | 1 | kept  | enrol
413 JSON                | csr_rejected         | HTTP 413                             | 1 | spent | enrol
413 HTML                | backend_error        | HTTP 413, and not the backend's JSON | 2 | kept  | enrol
415 JSON                | csr_rejected         | HTTP 415                             | 1 | spent | enrol
415 HTML                | backend_error        | HTTP 415, and not the backend's JSON | 2 | kept  | enrol
421 HTML                | backend_error        | HTTP 421                             | 1 | kept  | enrol
422 JSON                | csr_rejected         | HTTP 422                             | 1 | spent | enrol
422 HTML                | backend_error        | HTTP 422, and not the backend's JSON | 2 | kept  | enrol
425 HTML                | backend_error        | HTTP 425                             | 2 | kept  | enrol
429 JSON                | backend_error        | HTTP 429                             | 2 | kept  | enrol
429 with Retry-After    | backend_error        | HTTP 429                             | 2 | kept  | enrol
451 HTML                | backend_error        | HTTP 451                             | 1 | kept  | enrol
500 JSON                | backend_error        | HTTP 500                             | 2 | kept  | enrol
500 HTML                | backend_error        | HTTP 500                             | 2 | kept  | enrol
502 HTML                | backend_error        | HTTP 502                             | 2 | kept  | enrol
503 empty               | backend_error        | HTTP 503                             | 2 | kept  | enrol
504 HTML                | backend_error        | HTTP 504                             | 2 | kept  | enrol
511 HTML                | backend_error        | HTTP 511                             | 2 | kept  | enrol
599 JSON                | backend_error        | HTTP 599                             | 2 | kept  | enrol
503 HTML, then 200      | online               |                                      | 2 | spent | crt enrol
403 HTML, then 200      | online               |                                      | 2 | spent | crt enrol
502 HTML, then 401 JSON | token_rejected       | HTTP 401                             | 2 | spent | enrol
200 cut off, then whole | online               |                                      | 2 | spent | crt enrol
200 HTML, then 403 JSON | backend_bad_response | and now the token is spent           | 2 | spent | enrol
200 HTML, then 403 HTML | backend_error        | HTTP 403, and not the backend's JSON | 2 | kept  | enrol
`,
  {
    "204 without a body": () => http(204, "", { length: null }),
    "100, 200": ({ good }) => after(json(200, good), CONTINUE),
    "103, 200": ({ good }) => after(json(200, good), HINTS),
    "100, 102, 103, 103, 201": ({ good }) =>
      after(json(201, good), CONTINUE, PROCESSING, HINTS, HINTS),
    "100 and 200 in one": ({ good }) => {
      const { pieces } = after(json(200, good), CONTINUE);
      return { pieces: [Buffer.concat(pieces)] };
    },
    "100, 403 JSON": () => after(json(403, REFUSAL), CONTINUE),
    "100, 403 HTML": () => after(html(403), CONTINUE),
    "101": () => http(101, "", { type: null, length: null }),
    "304 without a body": () => http(304, "", { length: null }),
    "307 without Location": () => html(307),
    "429 with Retry-After": () => html(429, { lines: ["Retry-After: 1"] }),
    "503 HTML, then 200": ({ good }) => [html(503), json(200, good)],
    "403 HTML, then 200": ({ good }) => [html(403), json(200, good)],
    "502 HTML, then 401 JSON": () => [html(502), json(401, REFUSAL)],
    "200 cut off, then whole": ({ good, text }) => [
      http(200, text.slice(0, 99), { length: text.length, end: "close" }),
      json(200, good),
    ],
    "200 HTML, then 403 JSON": () => [html(200), json(403, REFUSAL)],
    "200 HTML, then 403 HTML": () => [html(200), html(403)],
  },
  { byName },
);

/** The same for a device that has a certificate that works, and got a new token. */
export const BESIDE_A_CERTIFICATE = table(
  `
200      | online         |                                      | 1 | spent | crt enrol
401 JSON | token_rejected | HTTP 401                             | 1 | spent | crt enrol
422 JSON | csr_rejected   | HTTP 422                             | 1 | spent | crt enrol
403 HTML | backend_error  | HTTP 403, and not the backend's JSON | 2 | kept  | crt enrol
302 HTML | backend_error  | HTTP 302: redirects are not followed | 1 | kept  | crt enrol
503 HTML | backend_error  | HTTP 503                             | 2 | kept  | crt enrol
`,
  {},
  { byName, from: "online" },
);
