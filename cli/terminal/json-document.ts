import type { ProvError } from "../errors.js";
import { readVersion } from "../paths.js";
import { safeJson } from "./foreign-text.js";

/** What stands below these was written by a device, and is shown as it came. */
const AS_IT_CAME: ReadonlySet<string> = new Set(["payload"]);

/**
 * The one line that `--json` prints: `ok`, the version of prov, and the fields with every key in snake_case, as the
 * board's API spells its own.
 */
export function renderDocument(ok: boolean, fields: Readonly<Record<string, unknown>>): string {
  return safeJson({ ok, version: readVersion(), ...snakeKeys(fields) });
}

/** The document of an error; part of the interface. */
export function renderError({ code, stage, message, hint, details }: ProvError): string {
  return renderDocument(false, { error: { code, stage, message, hint }, ...details });
}

/** The same data with all its keys in snake_case; what it says stays as it is. */
export function snakeKeys(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      snakeCase(key),
      AS_IT_CAME.has(key) ? value : snakeValue(value),
    ]),
  );
}

function snakeValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeValue);
  return typeof value === "object" && value !== null ? snakeKeys(value) : value;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
