import { readFileSync } from "node:fs";

/** What a URL is made of for http_parser, and what esp_http_client asks for then. */
export interface UrlOutcome {
  parts: Partial<
    Record<"schema" | "host" | "port" | "path" | "query" | "fragment" | "userinfo", string>
  >;
  client: { scheme: string; host: string; port: number; target: string };
}

/** A row of test/golden/http-inputs.jsonl. Each character of an input is a byte. */
export type HttpInput =
  | ["url", string, UrlOutcome | null]
  | ["request", string, [status: number, body: string][]]
  | ["response" | "head", string, Record<string, unknown>];

export function httpInputs(): HttpInput[] {
  const path = new URL("../golden/http-inputs.jsonl", import.meta.url);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as HttpInput);
}
