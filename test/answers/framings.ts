import { table } from "./row.js";
import { after, chunked, dripping, head, http, httpChunked, json, wire } from "./wire.js";

const CHUNKED = "Transfer-Encoding: chunked";
const OK = "HTTP/1.1 200 OK";

/** How an answer of 200 comes: its head, its length, its pieces, its end. */
export const FRAMINGS = table(
  `
in chunks                              | online               |                  | 1 | spent | crt enrol
in chunks of one byte                  | online               |                  | 1 | spent | crt enrol
in chunks with extensions              | online               |                  | 1 | spent | crt enrol
in chunks with trailers                | online               |                  | 1 | spent | crt enrol
in chunks, byte by byte                | online               |                  | 1 | spent | crt enrol
in chunks, after 103                   | online               |                  | 1 | spent | crt enrol
byte by byte                           | online               |                  | 1 | spent | crt enrol
in pieces of 100 bytes                 | online               |                  | 1 | spent | crt enrol
in six pieces, four a second           | online               |                  | 1 | spent | crt enrol
the head in one piece, then the body   | online               |                  | 1 | spent | crt enrol
with Connection: close                 | online               |                  | 1 | spent | crt enrol
with Keep-Alive                        | online               |                  | 1 | spent | crt enrol
without a length, until the end        | online               |                  | 1 | spent | crt enrol
HTTP/1.0 with a length                 | online               |                  | 1 | spent | crt enrol
HTTP/1.0 without one                   | online               |                  | 1 | spent | crt enrol
without a reason                       | online               |                  | 1 | spent | crt enrol
names in capitals, blanks around       | online               |                  | 1 | spent | crt enrol
a header on two lines                  | online               |                  | 1 | spent | crt enrol
a hundred headers                      | online               |                  | 1 | spent | crt enrol
a cookie of 8 KB                       | online               |                  | 1 | spent | crt enrol
lines that end in LF alone             | online               |                  | 1 | spent | crt enrol
from a server that likes HTTP/2 better | online               |                  | 1 | spent | crt enrol
an offer to upgrade                    | online               |                  | 1 | spent | crt enrol
a length that is too short             | backend_bad_response | not JSON         | 2 | kept  | enrol
a length that is too long              | backend_bad_response | it was cut off   | 2 | kept  | enrol
a length that is too long, FIN alone   | backend_bad_response | it was cut off   | 2 | kept  | enrol
a length that is too long, RST         | backend_bad_response | it was cut off   | 2 | kept  | enrol
a length of 5 GB                       | backend_bad_response | it was cut off   | 2 | kept  | enrol
a body that drips for ever             | backend_bad_response | it was cut off   | 2 | kept  | enrol
a head alone                           | backend_bad_response | it was cut off   | 2 | kept  | enrol
another answer behind it               | online               |                  | 1 | spent | crt enrol
half of it, until the end              | backend_bad_response | not JSON         | 2 | kept  | enrol
chunks without an end                  | backend_bad_response | it was cut off   | 2 | kept  | enrol
half a chunk                           | backend_bad_response | it was cut off   | 2 | kept  | enrol
chunks of more than 24576 bytes        | backend_bad_response | over 24576 bytes | 2 | kept  | enrol
more than 24576 bytes until the end    | backend_bad_response | over 24576 bytes | 2 | kept  | enrol
`,
  {
    "in chunks": ({ text }) => httpChunked(200, text),
    "in chunks of one byte": ({ text }) => httpChunked(200, text, { size: 1 }),
    "in chunks with extensions": ({ text }) =>
      httpChunked(200, text, { size: 500, extension: ';name="value"; other' }),
    "in chunks with trailers": ({ text }) =>
      httpChunked(200, text, { end: "0\r\nExpires: never\r\nX-Sum: 1\r\n\r\n" }),
    "in chunks, byte by byte": ({ text }) => dripping(httpChunked(200, text, { size: 50 }), 1),
    "in chunks, after 103": ({ text }) =>
      after(httpChunked(200, text), "HTTP/1.1 103 Early Hints\r\n\r\n"),
    "byte by byte": ({ good }) => dripping(json(200, good), 1),
    "in pieces of 100 bytes": ({ good }) => dripping(json(200, good), 100),
    "in six pieces, four a second": ({ good, text }) => ({
      ...dripping(json(200, good), Math.ceil((text.length + 80) / 6)),
      pauseMs: 250,
    }),
    "the head in one piece, then the body": ({ text }) => ({
      pieces: [head(OK, `Content-Length: ${text.length}`), Buffer.from(text)],
    }),
    "with Connection: close": ({ good }) =>
      json(200, good, { lines: ["Connection: close"], end: "close" }),
    "with Keep-Alive": ({ good }) =>
      json(200, good, { lines: ["Connection: keep-alive", "Keep-Alive: timeout=5, max=100"] }),
    "without a length, until the end": ({ good }) =>
      json(200, good, { length: null, lines: ["Connection: close"], end: "close" }),
    "HTTP/1.0 with a length": ({ good }) =>
      json(200, good, { statusLine: "HTTP/1.0 200 OK", end: "close" }),
    "HTTP/1.0 without one": ({ good }) =>
      json(200, good, { statusLine: "HTTP/1.0 200 OK", length: null, end: "close" }),
    "without a reason": ({ good }) => json(200, good, { statusLine: "HTTP/1.1 200 " }),
    "names in capitals, blanks around": ({ text }) =>
      wire(
        Buffer.concat([
          head(OK, `CONTENT-LENGTH:${text.length}`, "cOnTent-tYpe:\t application/json \t"),
          Buffer.from(text),
        ]),
      ),
    "a header on two lines": ({ good }) =>
      json(200, good, { lines: ["X-Folded: one", " two", "\tthree"] }),
    "a hundred headers": ({ good }) =>
      json(200, good, { lines: Array.from({ length: 100 }, (_, at) => `X-Header-${at}: ${at}`) }),
    "a cookie of 8 KB": ({ good }) =>
      json(200, good, { lines: [`Set-Cookie: id=${"c".repeat(8_192)}; Path=/`] }),
    "lines that end in LF alone": ({ text }) =>
      wire(`${OK}\nContent-Length: ${text.length}\n\n${text}`, "close"),
    "another answer behind it": ({ good }) => {
      const { pieces } = json(200, good);
      return wire(Buffer.concat([...pieces, ...json(500, {}).pieces]));
    },
    "from a server that likes HTTP/2 better": ({ good }) => ({
      ...json(200, good),
      protocols: ["h2", "http/1.1"],
    }),
    "an offer to upgrade": ({ good }) =>
      json(200, good, { lines: ["Connection: Upgrade", "Upgrade: h2c"] }),
    "a length that is too short": ({ good, text }) =>
      json(200, good, { length: text.length - 10, end: "close" }),
    "a length that is too long": ({ good, text }) =>
      json(200, good, { length: text.length + 10, end: "close" }),
    "a length that is too long, FIN alone": ({ good, text }) =>
      json(200, good, { length: text.length + 10, end: "cut" }),
    "a length that is too long, RST": ({ good, text }) =>
      json(200, good, { length: text.length + 10, end: "reset" }),
    "a length of 5 GB": ({ good }) => json(200, good, { length: 5_000_000_000, end: "close" }),
    "a body that drips for ever": ({ text }) => ({
      pieces: [
        head(OK, `Content-Length: ${text.length}`),
        ...[...text].map((byte) => Buffer.from(byte)),
      ],
      pauseMs: 500,
    }),
    "a head alone": () => http(200, "", { length: 1_000, end: "close" }),
    "half of it, until the end": ({ text }) =>
      http(200, text.slice(0, 500), { length: null, end: "close" }),
    "chunks without an end": ({ text }) => httpChunked(200, text, { end: "" }, { end: "close" }),
    "half a chunk": ({ text }) => {
      const half = chunked(text).subarray(0, text.length / 2);
      return wire(Buffer.concat([head(OK, CHUNKED), half]), "close");
    },
    "chunks of more than 24576 bytes": ({ text }) =>
      httpChunked(200, text.padEnd(24_577), { size: 1_000 }),
    "more than 24576 bytes until the end": ({ text }) =>
      http(200, text.padEnd(24_577), { length: null, end: "close" }),
  },
);

/** What is no answer of HTTP/1.1. */
export const NO_ANSWERS = table(
  `
the end                    | backend_unreachable  | it closed the connection          | 2 | kept | enrol
an RST                     | backend_unreachable  | it closed the connection          | 2 | kept | enrol
half a head, then the end  | backend_unreachable  | it closed the connection          | 2 | kept | enrol
100, then the end          | backend_unreachable  | it closed the connection          | 2 | kept | enrol
HTTP/2 alone, by ALPN      | backend_tls_failed   | TLS alert no_application_protocol | 2 | kept | enrol
100 without an end         | backend_unreachable  |                                   | 2 | kept | enrol
silence                    | backend_unreachable  |                                   | 2 | kept | enrol
words                      | backend_unreachable  | it closed the connection          | 2 | kept | enrol
HTML without a head        | backend_unreachable  | it closed the connection          | 2 | kept | enrol
frames of HTTP/2           | backend_unreachable  | it closed the connection          | 2 | kept | enrol
a status of two digits     | backend_unreachable  |                                   | 2 | kept | enrol
a length that is no number | backend_unreachable  | it closed the connection          | 2 | kept | enrol
two lengths                | backend_unreachable  | it closed the connection          | 2 | kept | enrol
a length beside chunks     | backend_unreachable  | it closed the connection          | 2 | kept | enrol
chunks of no number        | backend_bad_response | it was cut off                    | 2 | kept | enrol
a head of 100 KB           | backend_unreachable  | it closed the connection          | 2 | kept | enrol
`,
  {
    "the end": () => ({ pieces: [], end: "close" }),
    "an RST": () => ({ pieces: [], end: "reset" }),
    "half a head, then the end": () => wire(`${OK}\r\nContent-Le`, "close"),
    "100, then the end": () => wire("HTTP/1.1 100 Continue\r\n\r\n", "close"),
    "HTTP/2 alone, by ALPN": ({ good }) => ({ ...json(200, good), protocols: ["h2"] }),
    "100 without an end": () => ({
      pieces: Array(100).fill(Buffer.from("HTTP/1.1 100 Continue\r\n\r\n")),
      pauseMs: 500,
    }),
    silence: () => ({ pieces: [] }),
    words: () => wire("220 mail.example ESMTP\r\n", "close"),
    "HTML without a head": () => wire("<html><body>welcome</body></html>\n", "close"),
    "frames of HTTP/2": () =>
      wire(Buffer.from("00001204000000000000030000006400040000ffff000200000000", "hex"), "close"),
    "a status of two digits": ({ good }) => json(200, good, { statusLine: "HTTP/1.1 20 OK" }),
    "a length that is no number": ({ good }) => json(200, good, { length: "many", end: "close" }),
    "two lengths": ({ good, text }) =>
      json(200, good, { lines: [`Content-Length: ${text.length + 1}`], end: "close" }),
    "a length beside chunks": ({ text }) =>
      httpChunked(200, text, {}, { length: 10, end: "close" }),
    "chunks of no number": ({ text }) =>
      wire(Buffer.concat([head(OK, CHUNKED), Buffer.from(`many\r\n${text}`)]), "close"),
    "a head of 100 KB": ({ good }) =>
      json(200, good, { lines: [`X-Long: ${"x".repeat(100_000)}`], end: "close" }),
  },
);
