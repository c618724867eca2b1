import { type FieldDoc, manifestFields, sectionDoc } from "./manifest-docs.js";
import { SHAPES } from "./manifest-fields.js";
import { fillBetween, sentence } from "./markdown.js";

/** Where the types are committed, relative to the project root. */
export const MANIFEST_TYPES_PATH = "codegen/manifest.ts";

/** The module with `DeviceDefinition` and `DeviceManifest` as the rows of manifest-fields.ts have them. */
export function fillManifestTypes(source: string): string {
  const types = [
    "/** What `device.config.ts` may say about a device; everything but `id` has a default. */",
    "export interface DeviceDefinition {",
    ...members(definedField, definedSection),
    "}",
    "",
    "/** A device with every default filled in; what the rest of prov works with. */",
    "export interface DeviceManifest {",
    ...members(checkedField, checkedSection),
    "}",
  ];
  return fillBetween(source, "fields", types.join("\n"), ["//", ""]);
}

type Lines = readonly string[];

function members(
  field: (name: string, doc: FieldDoc) => Lines,
  section: (name: string, inner: Lines) => Lines,
): Lines {
  const fields = manifestFields();
  return Object.keys(SHAPES[""] ?? {}).flatMap((name) => {
    const own = fields.find(({ path }) => path === name);
    if (own) return indent(field(name, own));
    const inner = fields.filter(({ path }) => path.startsWith(`${name}.`));
    return indent(
      section(
        name,
        inner.flatMap((each) => field(each.path.slice(name.length + 1), each)),
      ),
    );
  });
}

function definedField(name: string, field: FieldDoc): Lines {
  const isRequired = field.path === "id";
  const type = isRequired ? `: ${field.type}` : `?: ${field.type} | undefined`;
  return [`/** ${hint(field)} */`, `readonly ${name}${type};`];
}

function definedSection(name: string, inner: Lines): Lines {
  const doc = sectionDoc(name);
  const body = indent(["| {", ...indent(indent(inner)), "  }", "| undefined;"]);
  return [...(doc ? [`/** ${sentence(doc)} */`] : []), `readonly ${name}?:`, ...body];
}

function checkedField(name: string, { type, checkedType, checkedDoc }: FieldDoc): Lines {
  const doc = checkedDoc ? [`/** ${sentence(checkedDoc)} */`] : [];
  return [...doc, `readonly ${name}: ${checkedType ?? type};`];
}

function checkedSection(name: string, inner: Lines): Lines {
  return [`readonly ${name}: {`, ...indent(inner), "};"];
}

/** What an editor shows: what the field becomes, its limits, its default. */
function hint({ doc, limits, fallback }: FieldDoc): string {
  return [
    sentence(doc.replace(/\[(\w+)\]\(#\w+\)/g, "$1 in the README")),
    ...(limits === undefined ? [] : [sentence(limits)]),
    ...(fallback === undefined ? [] : [`Default ${fallback}.`]),
  ].join(" ");
}

function indent(lines: Lines): Lines {
  return lines.map((line) => `  ${line}`);
}
