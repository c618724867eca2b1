import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildProject } from "../helpers/cmake.js";
import { API_CASES, FLASH_CASES } from "./nvs-cases.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const build = join(root, ".cache", "nvs-tests");
const venv = join(root, ".cache", "venv-nvs");
const GENERATOR = "esp-idf-nvs-partition-gen==0.3.0";
const NVS_OFFSET = 0x9000;
const NVS_SIZE = 0x6000;

/** Beyond those that ESP-IDF's passes, too. */
const OWN_API_CASES = ["unchanged_chunks", "stale_iterator"];
const FLASH_FILE_CASES = ["nor", "snapshot", "no_partition", "encrypted", "exclusive"];

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "prov-nvs-"));
  await buildProject(join(root, "test/firmware/nvs"), build);
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

function program(name: string): string {
  return join(build, name);
}

describe("the NVS API", () => {
  test.each([...API_CASES, ...OWN_API_CASES])("%s", async (name) => {
    await run(program("nvs_api_test"), [name, join(dir, `${name}.bin`)]);
  });

  test("matches a model over thousands of random operations", async () => {
    await run(program("nvs_model_test"), ["model", join(dir, "model.bin")]);
  });

  test("is free of data races", async () => {
    await run(program("nvs_thread_test"), ["threads", join(dir, "threads.bin")]);
  });
});

describe("the flash below the NVS", () => {
  test.each(FLASH_CASES)("%s", async (name) => {
    await run(program("nvs_flash_test"), [name, join(dir, `${name}.bin`)]);
  });

  test.each(FLASH_FILE_CASES)("%s", async (name) => {
    await run(program("nvs_flash_file_test"), [name, join(dir, `${name}.bin`)]);
  });
});

test("a power cut in any flash operation leaves each key old or new", async () => {
  const { stdout } = await run(program("nvs_power_test"), [join(dir, "power.bin"), "10"]);
  const [cuts, again] = [...stdout.matchAll(/(\d+) cuts/g)].map((match) => Number(match[1]));
  expect(cuts).toBeGreaterThan(300);
  expect(again).toBeGreaterThan(300);
});

/** A flash image whose only partition is the given NVS image. */
function flashWith(nvs: Buffer): Buffer {
  const flash = Buffer.alloc(NVS_OFFSET + NVS_SIZE, 0xff);
  const row = Buffer.alloc(32);
  row.set([0xaa, 0x50, 0x01, 0x02]);
  row.writeUInt32LE(NVS_OFFSET, 4);
  row.writeUInt32LE(NVS_SIZE, 8);
  row.write("nvs", 12, "latin1");
  flash.set(row, 0x8000);
  flash.set(nvs, NVS_OFFSET);
  return flash;
}

interface Row {
  readonly namespace: string;
  readonly key: string;
  readonly encoding: string;
  readonly value: string;
  /** What nvs_dump must print: type code and value. */
  readonly dumped: string;
}

const INTEGERS: readonly (readonly [encoding: string, type: string, value: string])[] = [
  ["u8", "01", "255"],
  ["i8", "11", "-128"],
  ["u16", "02", "65535"],
  ["i16", "12", "-32768"],
  ["u32", "04", "4294967295"],
  ["i32", "14", "-2147483648"],
  ["u64", "08", "18446744073709551615"],
  ["i64", "18", "-9223372036854775808"],
];

function text(namespace: string, key: string, value: string): Row {
  const dumped = `21\t${Buffer.from(value).toString("hex")}`;
  return { namespace, key, encoding: "string", value, dumped };
}

function blob(namespace: string, key: string, bytes: Buffer): Row {
  const hex = bytes.toString("hex");
  return { namespace, key, encoding: "hex2bin", value: hex, dumped: `42\t${hex}` };
}

/** The longest string and blob that the generator takes on top of the other rows, by version. */
const LONGEST = { 2: { text: 3900, blob: 9001 }, 1: { text: 1900, blob: 1900 } } as const;

function peerRows(version: 1 | 2): Row[] {
  return [
    ...INTEGERS.map(([encoding, type, value]) => ({
      namespace: "device_config",
      key: `a_${encoding}`,
      encoding,
      value,
      dumped: `${type}\t${value}`,
    })),
    text("device_config", "fifteen_letters", "Home WiFi"),
    text("device_config", "utf8", "café ✓"),
    text("device_config", "long", "x".repeat(LONGEST[version].text)),
    blob("other", "one", Buffer.from([0])),
    blob("other", "ones", Buffer.alloc(96, 0xff)),
    blob("other", "edge", randomBytes(64)),
    text("other", "utf8", "the same key in another namespace"),
    blob("other", "large", randomBytes(LONGEST[version].blob)),
  ];
}

function toCsv(rows: readonly Row[]): string {
  const lines = ["key,type,encoding,value"];
  let namespace = "";
  for (const row of rows) {
    if (row.namespace !== namespace) lines.push(`${row.namespace},namespace,,`);
    namespace = row.namespace;
    lines.push(`${row.key},data,${row.encoding},${row.value}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Installs Espressif's generator once; the reason why it cannot be had, or undefined. */
async function installGenerator(): Promise<string | undefined> {
  const marker = join(venv, "installed");
  try {
    await access(marker);
    return undefined;
  } catch {
    // Not there yet, or only half installed.
  }
  try {
    await run("python3", ["-m", "venv", venv]);
    const pip = ["-m", "pip", "install", "--quiet", "--retries", "1", GENERATOR];
    await run(join(venv, "bin/python"), pip);
    await writeFile(marker, "");
    return undefined;
  } catch (error) {
    return `${GENERATOR} cannot be installed: ${String(error).split("\n")[0]}`;
  }
}

async function generate(rows: readonly Row[], version: 1 | 2): Promise<string> {
  const csv = join(dir, `peer${version}.csv`);
  const image = join(dir, `peer${version}-nvs.bin`);
  const flash = join(dir, `peer${version}.bin`);
  await writeFile(csv, toCsv(rows));
  const module = ["-m", "esp_idf_nvs_partition_gen", "generate", "--version", String(version)];
  await run(join(venv, "bin/python"), [...module, csv, image, `0x${NVS_SIZE.toString(16)}`]);
  await writeFile(flash, flashWith(await readFile(image)));
  return flash;
}

function dumpOf(rows: readonly Row[]): string[] {
  return rows.map((row) => `${row.namespace}\t${row.key}\t${row.dumped}`).sort();
}

async function dump(flash: string): Promise<string[]> {
  const { stdout } = await run(program("nvs_dump"), [flash], { maxBuffer: 1 << 20 });
  return stdout.trimEnd().split("\n").sort();
}

describe("an image by Espressif's esp-idf-nvs-partition-gen", () => {
  let unavailable: string | undefined;

  beforeAll(async () => {
    unavailable = await installGenerator();
    if (unavailable !== undefined) process.stderr.write(`skipped: ${unavailable}\n`);
  });

  test.for([1, 2] as const)(
    "of format version %i is read back exactly",
    async (version, context) => {
      if (unavailable !== undefined) return context.skip(unavailable);
      const rows = peerRows(version);
      const flash = await generate(rows, version);
      expect(await dump(flash)).toEqual(dumpOf(rows));
    },
  );

  test("is listed without values, and edited, by prov_nvs", async (context) => {
    if (unavailable !== undefined) return context.skip(unavailable);
    const rows = peerRows(2);
    const flash = await generate(rows, 2);
    const prov = async (...args: string[]) =>
      (await run(program("prov_nvs"), [flash, ...args])).stdout;

    const before = await readFile(flash);
    const listed = (await prov("list")).trimEnd().split("\n");
    expect(listed).toHaveLength(rows.length);
    expect(listed).toContain("device_config\tfifteen_letters\tstr\t10");
    expect(listed).toContain("device_config\ta_i64\ti64\t8");
    expect(listed).toContain("other\tlarge\tblob\t9001");
    expect(await readFile(flash)).toEqual(before);

    await prov("erase", "device_config", "long");
    await prov("erase-all", "other");
    const left = rows.filter((row) => row.namespace === "device_config" && row.key !== "long");
    expect(await dump(flash)).toEqual(dumpOf(left));
  });
});

describe("prov_nvs", () => {
  test.each([
    { args: ["erase", "absent", "key"], status: 1, message: "no such namespace or key" },
    { args: ["erase-all", "absent"], status: 1, message: "no such namespace or key" },
    { args: ["frobnicate"], status: 2, message: "usage:" },
  ])("refuses $args and changes nothing", async ({ args, status, message }) => {
    const flash = join(dir, `refuse-${args.join("-")}.bin`);
    const image = flashWith(Buffer.alloc(NVS_SIZE, 0xff));
    await writeFile(flash, image);
    await expect(run(program("prov_nvs"), [flash, ...args])).rejects.toMatchObject({
      code: status,
      stderr: expect.stringContaining(message),
    });
    expect(await readFile(flash)).toEqual(image);
  });

  test("says which file is missing", async () => {
    const flash = join(dir, "absent.bin");
    await expect(run(program("prov_nvs"), [flash, "list"])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(flash),
    });
  });
});
