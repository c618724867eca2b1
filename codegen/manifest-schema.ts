import type { z } from "zod";
import { closest } from "./closest.js";
import { byteLength } from "./field-kinds.js";
import type { DeviceManifest } from "./manifest.js";
import { crossFieldIssues } from "./manifest-cross.js";
import { deviceSchema, SHAPES } from "./manifest-fields.js";
import { looksLikePem } from "./pem-content.js";
import { type ReadFile, readPinnedCa } from "./pinned-ca.js";
import { valueAt } from "./value-at.js";

/** One fault of a manifest. `message` is complete: `mqtt.uri: expected mqtts:// URL, got "mqtt://x"`. */
export interface ManifestIssue {
  readonly path: string;
  readonly message: string;
}

export type ManifestResult =
  | { readonly ok: true; readonly device: DeviceManifest }
  | { readonly ok: false; readonly issues: readonly ManifestIssue[] };

/**
 * Checks one device definition and fills in the defaults: first field by field, then, when each field
 * is sound, across fields. Reports every issue of the pass, never a secret's value.
 * @param options `readFile`: reads what `backend.ca` names; without it no path is taken. `written`: what the
 *   messages quote, where the caller has changed the definition
 */
export function parseDevice(
  definition: unknown,
  options: { readonly readFile?: ReadFile; readonly written?: unknown } = {},
): ManifestResult {
  const { written = definition } = options;
  const ca = readPinnedCa(valueAt(definition, CA_PATH), options.readFile);
  const parsed = deviceSchema.safeParse(ca === undefined ? definition : withCa(definition, ca.pem));
  if (!parsed.success) {
    const issues = parsed.error.issues.flatMap((issue) => fieldIssues(issue, written, ca?.fault));
    return { ok: false, issues };
  }
  const device: DeviceManifest = parsed.data;
  const issues = crossFieldIssues(device).map(({ path, expected, got }) => ({
    path,
    message: `${path}: expected ${expected}, got ${got ?? describe(path, valueAt(written, path.split(".")))}`,
  }));
  return issues.length === 0 ? { ok: true, device } : { ok: false, issues };
}

const CA_PATH = ["backend", "ca"];

/** The definition with the PEM itself, or with what the schema refuses in its place. */
function withCa(definition: unknown, pem: string | undefined): unknown {
  const backend = { ...Object(valueAt(definition, ["backend"])), ca: pem ?? null };
  return { ...Object(definition), backend };
}

/** @param caFault what is wrong with `backend.ca`, beyond its being something else */
function fieldIssues(
  issue: z.core.$ZodIssue,
  written: unknown,
  caFault: string | undefined,
): ManifestIssue[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownField(path, key));
  const name = path.join(".");
  const got = issue.code === "invalid_key" ? "that name" : describe(name, valueAt(written, path));
  const where = name === "" ? "device" : name;
  const why = name === CA_PATH.join(".") && caFault !== undefined ? `: ${caFault}` : "";
  return [{ path: name, message: `${where}: expected ${issue.message}, got ${got}${why}` }];
}

function unknownField(path: readonly string[], key: string): ManifestIssue {
  const names = Object.keys(SHAPES[path.join(".")] ?? {});
  const near = closest(key, names);
  const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
  const full = [...path, key].join(".");
  return {
    path: full,
    message: `${full}: expected one of ${names.join(", ")}, got an unknown field${hint}`,
  };
}

const SECRET_PATH = /password|passphrase|psk|secret|token|private/i;
const LONGEST_SHOWN = 100;

/** What came, for a person: never a secret, never a URL's user part, never a whole PEM. */
function describe(path: string, value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object") return "an object";
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (SECRET_PATH.test(path)) {
    return typeof value === "string"
      ? `${byteLength(value)} bytes (not shown)`
      : `a ${typeof value}`;
  }
  return typeof value === "string" ? describeText(value) : String(value);
}

function describeText(value: string): string {
  const bytes = byteLength(value);
  if (looksLikePem(value)) return `PEM text of ${bytes} bytes`;
  // Up to the last "@" of the authority: a password may itself hold one.
  const safe = value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1***@");
  if (bytes <= LONGEST_SHOWN)
    return bytes === value.length ? quote(safe) : `${quote(safe)} (${bytes} bytes)`;
  return `${quote([...safe].slice(0, 40).join(""))}… (${bytes} bytes)`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
