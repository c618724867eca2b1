import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { type Chip, chipByName } from "../../codegen/chips.js";
import { ProvError } from "../errors.js";

/*
 * `flasher_args.json`, which ESP-IDF's build writes for esptool: which file goes to which offset.
 */

/** ESP-IDF writes the *strings* "true" and "false" here. */
const encryptedFlag = z
  .union([z.boolean(), z.enum(["true", "false"])])
  .transform((flag) => flag === true || flag === "true");

const namedEntry = z.looseObject({
  offset: z.string(),
  file: z.string(),
  encrypted: encryptedFlag.optional(),
});

const schema = z.looseObject({
  flash_files: z.record(z.string().regex(/^(0x[0-9a-fA-F]+|\d+)$/), z.string().min(1)),
  extra_esptool_args: z
    .looseObject({ stub: z.boolean().optional(), chip: z.string().optional() })
    .optional(),
});

export interface FlashFile {
  /** Byte offset in flash. */
  readonly offset: number;
  /** Absolute path. */
  readonly file: string;
  /** What the build calls it (`bootloader`, `app`, `partition-table`, …); undefined when it has no name. */
  readonly name: string | undefined;
  /** The chip has to encrypt it on the way, once its flash is encrypted; until then it is written as it is. */
  readonly encrypted: boolean;
}

export interface FlasherArgs {
  /** The JSON file itself. */
  readonly path: string;
  /** The chip named in it; undefined when it names none or one that prov does not know. */
  readonly chip: Chip | undefined;
  /** Sorted by offset. */
  readonly files: readonly FlashFile[];
  /** False when the build asked for the ROM loader instead of the stub. */
  readonly stub: boolean;
}

/**
 * Reads a flasher_args.json.
 * @throws ProvError image_missing when there is none, image_invalid when it makes no sense.
 */
export function readFlasherArgs(jsonPath: string): FlasherArgs {
  let text: string;
  try {
    text = readFileSync(jsonPath, "utf8");
  } catch (cause) {
    throw new ProvError("image_missing", `there is no ${jsonPath}`, { cause });
  }
  return parseFlasherArgs(text, jsonPath);
}

/** @throws ProvError image_invalid */
export function parseFlasherArgs(text: string, jsonPath: string): FlasherArgs {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ProvError("image_invalid", `${jsonPath} is not JSON`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join(".") || "the document";
    throw new ProvError("image_invalid", `${jsonPath}: ${where}: ${issue?.message ?? "invalid"}`);
  }
  const extra = parsed.data.extra_esptool_args;
  const files = listFiles(parsed.data.flash_files, path.dirname(jsonPath), namedEntries(json));
  if (files.length === 0) throw new ProvError("image_invalid", `${jsonPath} lists no files`);
  return {
    path: jsonPath,
    chip: extra?.chip === undefined ? undefined : chipByName(extra.chip),
    files,
    stub: extra?.stub ?? true,
  };
}

/** The text of a flasher_args.json; `files` are relative to the directory that it will lie in. */
export function formatFlasherArgs(parts: {
  chip: Chip;
  files: readonly { name: string; offset: number; file: string }[];
}): string {
  const named = parts.files.map(({ name, offset, file }) => [
    name,
    { offset: hexOffset(offset), file, encrypted: "false" },
  ]);
  const document = {
    write_flash_args: ["--flash_mode", "keep", "--flash_size", "keep", "--flash_freq", "keep"],
    flash_settings: { flash_mode: "keep", flash_size: "keep", flash_freq: "keep" },
    flash_files: Object.fromEntries(
      parts.files.map(({ offset, file }) => [hexOffset(offset), file]),
    ),
    ...Object.fromEntries(named),
    extra_esptool_args: {
      after: "hard_reset",
      before: "default_reset",
      stub: true,
      chip: parts.chip,
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

interface NamedEntry {
  readonly name: string;
  readonly encrypted: boolean;
}

function listFiles(
  flashFiles: Record<string, string>,
  baseDir: string,
  named: ReadonlyMap<number, NamedEntry>,
): FlashFile[] {
  return Object.entries(flashFiles)
    .map(([offsetText, file]) => {
      const offset = Number(offsetText);
      const { name, encrypted = false } = named.get(offset) ?? {};
      return { offset, name, file: path.resolve(baseDir, file), encrypted };
    })
    .sort((a, b) => a.offset - b.offset);
}

/** The named entries, by offset, are the only place that says what is encrypted and what a file is. */
function namedEntries(json: unknown): ReadonlyMap<number, NamedEntry> {
  const entries = Object.entries(z.record(z.string(), z.unknown()).parse(json));
  return new Map(
    entries.flatMap(([name, value]) => {
      const entry = namedEntry.safeParse(value);
      if (!entry.success) return [];
      return [[Number(entry.data.offset), { name, encrypted: entry.data.encrypted ?? false }]];
    }),
  );
}

function hexOffset(offset: number): string {
  return `0x${offset.toString(16)}`;
}
