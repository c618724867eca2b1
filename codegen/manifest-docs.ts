import { z } from "zod";
import { type FieldRow, ROWS } from "./field-kinds.js";
import { deviceSchema, SHAPES } from "./manifest-fields.js";
import { valueAt } from "./value-at.js";

/** A field with all that its row and its schema say of it. */
export interface FieldDoc extends FieldRow {
  readonly path: string;
  /** What the field takes, in the words in which the schema refuses anything else. */
  readonly takes: string;
  /** As JSON; undefined for none. */
  readonly fallback: string | undefined;
  readonly type: string;
  /** What of `takes` the type does not tell. */
  readonly limits: string | undefined;
  /** Smallest and largest value of an integer. */
  readonly range: readonly [number, number] | undefined;
}

/** Every field of the manifest, in the schema's order. */
export function manifestFields(): FieldDoc[] {
  return Object.entries(SHAPES[""] ?? {}).flatMap(([name, schema]) => {
    const section = SHAPES[name];
    if (section === undefined) return [describe([name], schema)];
    return Object.entries(section).map(([field, inner]) => describe([name, field], inner));
  });
}

/** What is said of a section as a whole. */
export function sectionDoc(name: string): string | undefined {
  const section = SHAPES[""]?.[name];
  return section && ROWS.get(section)?.doc;
}

function describe(path: readonly string[], schema: z.ZodType): FieldDoc {
  const name = path.join(".");
  const row = ROWS.get(schema);
  if (row === undefined) throw new Error(`${name} has no row: .register(ROWS, { doc: … })`);
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const range =
    json.minimum === undefined || json.maximum === undefined
      ? undefined
      : ([json.minimum, json.maximum] as const);
  const type = row.type ?? typeText(json);
  const takes = expected(path);
  const limits = /\b(string|number)\b/.test(type) && !type.startsWith("{") ? takes : undefined;
  return { ...row, path: name, takes, fallback: fallback(path), type, limits, range };
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A field's type as one would write it. */
function typeText(json: JsonSchema): string {
  if (json.anyOf) return json.anyOf.map((each) => typeText(each as JsonSchema)).join(" | ");
  const values = json.enum ?? (json.const === undefined ? undefined : [json.const]);
  if (values) return values.map((value) => JSON.stringify(value)).join(" | ");
  if (json.type === "array") return `readonly ${typeText(json.items as JsonSchema)}[]`;
  if (json.type === "integer") return "number";
  if (json.type === "string" || json.type === "boolean") return json.type;
  throw new Error("this type has no spelling yet: give the row its `type`");
}

function expected(path: readonly string[]): string {
  const nothingTakesThis = Symbol();
  const wrong = path.reduceRight<unknown>((value, key) => ({ [key]: value }), nothingTakesThis);
  const { error } = deviceSchema.safeParse({ id: "any", ...(wrong as object) });
  return error?.issues[0]?.message ?? "";
}

function fallback(path: readonly string[]): string | undefined {
  const value = valueAt(deviceSchema.parse({ id: "any" }), path);
  return path[0] === "id" || value === null ? undefined : JSON.stringify(value);
}
