import { gzipSync } from "node:zlib";

/** An answer byte by byte. */
export interface Wire {
  /** One after the other, each in a TCP segment of its own. */
  readonly pieces: readonly Buffer[];
  /** After each; default: none. */
  readonly pauseMs?: number;
  /** What the server does then; default `keep`: nothing, the client is to know that it has all. */
  readonly end?: "keep" | "close" | "cut" | "reset";
  /** What the server speaks, by ALPN; default: HTTP/1.1. */
  readonly protocols?: readonly string[];
}

const bytes = (text: string | Buffer): Buffer =>
  typeof text === "string" ? Buffer.from(text) : text;

export function wire(text: string | Buffer, end: Wire["end"] = "keep"): Wire {
  return { pieces: [bytes(text)], end };
}

/** The same bytes, so many at a time. */
export function dripping({ pieces, end }: Wire, size: number): Wire {
  const all = Buffer.concat(pieces);
  const count = Math.ceil(all.length / size);
  const drops = Array.from({ length: count }, (_, at) => all.subarray(at * size, (at + 1) * size));
  return { pieces: drops, end: end ?? "keep" };
}

/** Lines of a head, with what ends it. */
export function head(...lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

export interface Form {
  /** In the place of `HTTP/1.1 <status> <reason>`. */
  readonly statusLine?: string;
  /** Default: `application/json`; null for none. */
  readonly type?: string | null;
  /** Default: the body's; null for none. */
  readonly length?: number | string | null;
  /** Further lines of the head, after the others. */
  readonly lines?: readonly string[];
  readonly end?: Wire["end"];
}

/** An answer as servers send it, but for what `form` says. */
export function http(status: number, body: string | Buffer = "", form: Form = {}): Wire {
  const content = bytes(body);
  const { type = "application/json", length = content.length, lines = [] } = form;
  const headers = [
    form.statusLine ?? `HTTP/1.1 ${status} Because`,
    ...(type === null ? [] : [`Content-Type: ${type}`]),
    ...(length === null ? [] : [`Content-Length: ${length}`]),
    ...lines,
  ];
  return wire(Buffer.concat([head(...headers), content]), form.end);
}

export const json = (status: number, value: unknown, form: Form = {}): Wire =>
  http(status, JSON.stringify(value), form);

export const html = (status: number, form: Form = {}): Wire =>
  http(status, HTML, { type: "text/html", ...form });

const HTML =
  "<!DOCTYPE html><html><head><title>Forbidden</title></head><body><h1>Forbidden</h1></body></html>\n";

/** Packed, as a server may do only for who asks for it. */
export const packed = (status: number, body: string): Wire =>
  http(status, gzipSync(body), { lines: ["Content-Encoding: gzip"] });

export interface Chunking {
  /** Bytes of each chunk; default: one chunk. */
  readonly size?: number;
  /** What follows the size of each. */
  readonly extension?: string;
  /** What follows the last one; default: nothing but its end. */
  readonly end?: string;
}

/** A body in chunks (RFC 9112, 7.1). */
export function chunked(body: string, { size = 1 << 20, extension = "", end }: Chunking = {}) {
  const content = Buffer.from(body);
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) {
    const part = content.subarray(at, at + size);
    parts.push(
      Buffer.from(`${part.length.toString(16)}${extension}\r\n`),
      part,
      Buffer.from("\r\n"),
    );
  }
  return Buffer.concat([...parts, Buffer.from(end ?? "0\r\n\r\n")]);
}

/** A whole answer in chunks. */
export function httpChunked(
  status: number,
  body: string,
  chunking: Chunking = {},
  form: Form = {},
) {
  const lines = ["Transfer-Encoding: chunked", ...(form.lines ?? [])];
  return http(status, chunked(body, chunking), { ...form, length: form.length ?? null, lines });
}

/** One after the other, in one answer's place: what comes before it unasked (RFC 9110, 15.2). */
export function after(answer: Wire, ...before: readonly string[]): Wire {
  return { ...answer, pieces: [...before.map((text) => Buffer.from(text)), ...answer.pieces] };
}
