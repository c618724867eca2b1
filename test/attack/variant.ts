import { execFile } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { APP_OFFSET, packHostImage } from "../../cli/lab/board/host-image.js";
import { encodePartitionTable, parsePartitions } from "../../codegen/partitions.js";
import { buildProject } from "../helpers/cmake.js";

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/**
 * `heap` counts our own code's heap. `soak` takes requests without a pause: a thousand would take hours
 * at the pace that the firmware allows. `oom` is under AddressSanitizer, and takes requests without a pause too.
 */
export type Variant = "heap" | "soak" | "oom";

/**
 * Builds the firmware of a rig once more, differently.
 * @returns the path of its flasher_args.json
 */
export async function buildVariant(root: string, variant: Variant): Promise<string> {
  const build = join(root, `${variant}-build`);
  const config = join(root, ".prov", "build", "host", "config");
  const defines: Record<string, string> = { PROV_CONFIG_DIR: config };
  if (variant !== "heap") defines.PROV_MAIN_DIR = copyWithoutPause(join(root, "main"));
  if (variant === "oom") defines.PROV_SANITIZE = "address";
  const source = variant === "heap" ? "test/firmware/heap" : "firmware/host";
  await buildProject(join(REPOSITORY, source), build, { defines, targets: ["prov_firmware"] });
  const csv = readFileSync(join(REPOSITORY, "firmware", "partitions.csv"), "utf8");
  const partitions = parsePartitions(csv);
  const app = partitions.find((partition) => partition.offset === APP_OFFSET);
  const elf = join(build, variant === "heap" ? "host" : "", "prov_firmware");
  // With what a debugger needs and with names it does not fit into the partition.
  const small = `${elf}.small`;
  await run("strip", ["--strip-all", "-o", small, elf]);
  const packed = packHostImage({
    elf: small,
    chip: "esp32c3",
    partitionTable: encodePartitionTable(partitions),
    appPartitionSize: app?.size ?? 0,
    outDir: join(root, `${variant}-image`),
  });
  return packed.flasherArgs;
}

function copyWithoutPause(dir: string): string {
  cpSync(join(REPOSITORY, "firmware", "main"), dir, { recursive: true });
  const header = join(dir, "portal", "pairing.h");
  const text = readFileSync(header, "utf8");
  const hurried = text.replace("#define RATE_INTERVAL_MS 6000", "#define RATE_INTERVAL_MS 1");
  if (hurried === text) throw new Error("pairing.h has another RATE_INTERVAL_MS by now");
  writeFileSync(header, hurried);
  return dir;
}
