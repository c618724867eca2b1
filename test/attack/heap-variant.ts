import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { APP_OFFSET, packHostImage } from "../../cli/serial/host-image.js";
import { encodePartitionTable, parsePartitions } from "../../codegen/partitions.js";

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Builds the firmware of a rig once more, with our own code's heap counted.
 * @returns the path of its flasher_args.json
 */
export async function buildHeapVariant(root: string): Promise<string> {
  const build = join(root, "heap-build");
  const config = join(root, ".prov", "build", "host", "config");
  const source = join(REPOSITORY, "test", "firmware", "heap");
  await run("cmake", ["-S", source, "-B", build, "-G", "Ninja", `-DPROV_CONFIG_DIR=${config}`]);
  await run("ninja", ["-C", build, "prov_firmware"], { maxBuffer: 1 << 26 });
  const csv = readFileSync(join(REPOSITORY, "firmware", "partitions.csv"), "utf8");
  const partitions = parsePartitions(csv);
  const app = partitions.find((partition) => partition.offset === APP_OFFSET);
  const packed = packHostImage({
    elf: join(build, "host", "prov_firmware"),
    chip: "esp32c3",
    partitionTable: encodePartitionTable(partitions),
    appPartitionSize: app?.size ?? 0,
    outDir: join(root, "heap-image"),
  });
  return packed.flasherArgs;
}
