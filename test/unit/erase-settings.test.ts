import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eraseSettings } from "../../cli/flow/erase-settings.js";
import { silent } from "../../cli/terminal/progress.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { encodePartitionTable, parsePartitions } from "../../codegen/partitions.js";
import { soundDevice } from "../helpers/manifest.js";
import { REPOSITORY } from "../helpers/prov.js";
import { serialBoard } from "../helpers/serial-board.js";
import type { VirtualSerial } from "../support/virtual-serial.js";

const NVS_BYTES = 0x6000;
const USED = Buffer.alloc(NVS_BYTES, 0x5a);
const ERASED = Buffer.alloc(NVS_BYTES, 0xff);

function device(security: object): DeviceManifest {
  return soundDevice({ id: "vault-1", target: "esp32c3", security });
}

/** A board with this partition table, and something where either layout has its settings. */
async function boardWith(file: string, tableOffset: number): Promise<VirtualSerial> {
  const csv = readFileSync(join(REPOSITORY, "firmware", file), "utf8");
  const board = await serialBoard();
  for (const offset of [0x9000, 0x11000]) board.flash.write(offset, USED);
  board.flash.erase(tableOffset, 0x1000);
  board.flash.write(tableOffset, encodePartitionTable(parsePartitions(csv)));
  return board;
}

function erase({ port }: VirtualSerial, manifest: DeviceManifest): Promise<void> {
  const signal = new AbortController().signal;
  return eraseSettings({ port, manifest, baud: 460_800, signal, progress: silent });
}

const PLAIN = device({});
const HARDENED = device({ flashEncryption: "development" });

it.each([
  ["partitions.csv", 0x8000, PLAIN, 0x9000],
  ["partitions_secure.csv", 0x10000, HARDENED, 0x11000],
])("the settings of a board with %s are where its table says", async (file, at, manifest, nvs) => {
  const target = await boardWith(file, at);
  await erase(target, manifest);
  expect(target.flash.read(nvs, NVS_BYTES).equals(ERASED)).toBe(true);
});

it("a board with another table keeps everything", async () => {
  const target = await boardWith("partitions.csv", 0x8000);
  await expect(erase(target, HARDENED)).rejects.toMatchObject({
    code: "flash_mismatch",
    hint: expect.stringContaining("prov flash --erase"),
  });
  expect(target.flash.read(0x11000, NVS_BYTES).equals(USED)).toBe(true);
  expect(target.flash.read(0x9000, NVS_BYTES).equals(USED)).toBe(true);
});
