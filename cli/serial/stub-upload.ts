import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { ESPLoader } from "esptool-js/lib/esploader.js";
import { z } from "zod";
import type { Chip } from "../../codegen/chips.js";
import { ProvError } from "../errors.js";

const GREETING_MS = 3_000;

const stubSchema = z.object({
  entry: z.number(),
  text: z.string(),
  text_start: z.number(),
  data: z.string().optional(),
  data_start: z.number().optional(),
});

/**
 * Uploads esptool-js's stub and starts it. Its own runStub imports the stub as a JSON module, which
 * makes Node 20 print a warning on every flash.
 * @throws ProvError flash_rejected when the stub does not greet
 */
export async function uploadStub(loader: ESPLoader, chip: Chip): Promise<void> {
  const stub = readStub(chip);
  await upload(loader, Buffer.from(stub.text, "base64"), stub.text_start);
  if (stub.data !== undefined && stub.data_start !== undefined) {
    await upload(loader, Buffer.from(stub.data, "base64"), stub.data_start);
  }
  await loader.memFinish(stub.entry);
  const greeting = await loader.transport.read(GREETING_MS);
  if (Buffer.from(greeting).toString("latin1") !== "OHAI") {
    throw new ProvError("flash_rejected", "the flasher stub did not start");
  }
  loader.IS_STUB = true;
}

function readStub(chip: Chip): z.infer<typeof stubSchema> {
  const require = createRequire(import.meta.url);
  const path = require.resolve(`esptool-js/lib/targets/stub_flasher/${chip}.json`);
  return stubSchema.parse(JSON.parse(readFileSync(path, "utf8")));
}

async function upload(loader: ESPLoader, bytes: Uint8Array, address: number): Promise<void> {
  const size = loader.ESP_RAM_BLOCK;
  const blocks = Math.ceil(bytes.length / size);
  await loader.memBegin(bytes.length, blocks, size, address);
  for (let block = 0; block < blocks; block++) {
    await loader.memBlock(bytes.subarray(block * size, (block + 1) * size), block);
  }
}
