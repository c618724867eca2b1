import { z } from "zod";
import { hostFlaw, parseChipUrl, urlFlaw } from "./chip-url.js";
import { LIMITS } from "./limits.js";

/** What a field is besides its type, its limits and its default, all of which the schema knows. */
export interface FieldRow {
  /** In Markdown: the README's column, the hint in editors. */
  readonly doc: string;
  /** How TypeScript spells it, where that does not follow from the schema. */
  readonly type?: string;
  /** The CONFIG symbol that it becomes. */
  readonly option?: FieldOption;
}

/** Without `CONFIG_`; and what menuconfig shows of a symbol of the firmware's own, which begins with `PROV_`. */
export type FieldOption = readonly [symbol: string, prompt?: string, help?: string];

/** The row of each field and section, by its schema. */
export const ROWS = z.registry<FieldRow>();

/** A field with its row. */
export function field<Schema extends z.ZodType>(schema: Schema, row: FieldRow): Schema {
  ROWS.add<z.ZodType>(schema, row);
  return schema;
}

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

export function table<const Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: "object" });
}

/** An object that may be left out because each of its fields has a default. */
export function section<const Shape extends z.core.$ZodLooseShape>(shape: Shape, doc?: string) {
  const inner = table(shape);
  const outer = inner.prefault({} as z.input<typeof inner>);
  return doc === undefined ? outer : field(outer, { doc });
}

export function text(expected: string, accepts: (value: string) => boolean) {
  return z.string({ error: expected }).refine(accepts, { error: expected });
}

export function textOrNone(expected: string, accepts: (value: string) => boolean) {
  return text(`${expected}, or ""`, (value) => value === "" || accepts(value));
}

/** For `text()`: the words for what it takes, and the judge of it. */
type TextRule = readonly [expected: string, accepts: (value: string) => boolean];

export function plainText(maxBytes: number): TextRule {
  return [
    `1–${maxBytes} bytes of text without control characters`,
    (value) => isPlainText(value, 1, maxBytes),
  ];
}

export function printable(min: number, max: number): TextRule {
  const pattern = new RegExp(`^[\\x20-\\x7e]{${min},${max}}$`);
  return [`${min}–${max} printable ASCII characters`, (value) => pattern.test(value)];
}

export function flag() {
  return z.boolean({ error: "boolean" });
}

/** A text whose judge can say what is wrong with it; an empty reason says no more than what was expected. */
function judgedText(expected: string, flawOf: (value: string) => string | undefined) {
  return z.string({ error: expected }).refine((value) => flawOf(value) === undefined, {
    error: ({ input }) => {
      const reason = flawOf(String(input));
      return reason ? `${expected} (${reason})` : expected;
    },
  });
}

export function hostNames(max: number) {
  const error = `array of 1–${max} host names`;
  const name = judgedText("host name or IPv4 address of at most 64 bytes", (value) =>
    /^[^\s"\\]{1,64}$/.test(value)
      ? (hostFlaw(value) ?? (/^[A-Za-z0-9._-]+$/.test(value) ? undefined : ""))
      : "",
  );
  return z
    .array(name, { error })
    .refine((list) => list.length >= 1 && list.length <= max, { error });
}

export function integer(min: number, max: number) {
  const expected = `integer ${min}–${max}`;
  return z.int({ error: expected }).min(min, { error: expected }).max(max, { error: expected });
}

export function oneOf<const Values extends readonly [string, ...string[]] | readonly string[]>(
  values: Values,
) {
  return z.enum(values as readonly Values[number][], { error: `one of ${values.join(", ")}` });
}

/** A protection that is off unless it is named. */
export function offOr<const Values extends readonly string[]>(values: Values) {
  const error = `false, ${values.map((value) => `"${value}"`).join(" or ")}`;
  return z.union([z.literal(false), z.enum(values as readonly Values[number][])], { error });
}

export function sdkconfigValues() {
  const expected = "boolean, integer, or text of at most 1024 bytes without control characters";
  const value = z.union(
    [
      z.boolean(),
      z.int(),
      z.string().refine((value) => isPlainText(value, 0, 1024), { error: expected }),
    ],
    { error: expected },
  );
  return z.record(z.string().regex(/^CONFIG_[A-Z0-9_]+$/), value, {
    error: (issue) =>
      issue.code === "invalid_key"
        ? "name like CONFIG_LWIP_MAX_SOCKETS"
        : "object of CONFIG_* values",
  });
}

function isPlainText(value: string, minBytes: number, maxBytes: number): boolean {
  const bytes = byteLength(value);
  // A lone surrogate has no UTF-8 form and would turn into U+FFFD on the way to the chip.
  return (
    bytes >= minBytes &&
    bytes <= maxBytes &&
    !/\p{Surrogate}/u.test(value) &&
    !/\p{Cc}/u.test(value)
  );
}

export function isPath(value: string): boolean {
  return isPlainText(value, 1, 1024);
}

const URL_MAX_BYTES = LIMITS.backendUrlMaxBytes;
const URL_PATH_MAX_BYTES = LIMITS.backendPathMaxBytes;

export function baseUrl() {
  const expected = `https:// URL of at most ${URL_MAX_BYTES} bytes, without user, query and fragment`;
  return judgedText(expected, (value) => flawOf(value, /^https:\/\/[^?#]*$/)).transform((url) =>
    url.replace(/\/+$/, ""),
  );
}

export function brokerUri() {
  const expected = `mqtts:// URL of at most ${URL_MAX_BYTES} bytes, host and port only`;
  return judgedText(expected, (value) => flawOf(value, /^mqtts:\/\/[^/?#]*\/?$/)).transform((uri) =>
    uri.replace(/\/$/, ""),
  );
}

/** What follows the base URL, or nothing. */
export function urlPath() {
  return textOrNone(
    `path of at most ${URL_PATH_MAX_BYTES} printable ASCII characters that starts with "/"`,
    (value) => value.length <= URL_PATH_MAX_BYTES && /^\/[\x21-\x7e]*$/.test(value),
  );
}

/** Beside the device, Node must be able to use it: the lab and `prov doctor` do. */
function flawOf(value: string, form: RegExp): string | undefined {
  if (byteLength(value) > URL_MAX_BYTES || !form.test(value)) return "";
  const flaw = urlFlaw(value);
  return flaw ?? (parseChipUrl(value) && URL.canParse(value) ? undefined : "");
}
