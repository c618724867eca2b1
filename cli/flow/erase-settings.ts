import type { Chip } from "../../codegen/chips.js";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { encodePartitionTable, parsePartitions } from "../../codegen/partitions.js";
import { partitionsFile, partitionTableOffset } from "../../codegen/security.js";
import { ProvError } from "../errors.js";
import { withTemporaryFile } from "../files/temporary.js";
import { readFirmwareFile } from "../paths.js";
import { flashDevice } from "../serial/flasher.js";
import { asTask, type Progress } from "../terminal/progress.js";

export interface EraseRequest {
  readonly port: string;
  /** Whose partition table the board has. */
  readonly manifest: DeviceManifest;
  readonly chip?: Chip;
  readonly baud: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Erased flash reads so. */
const ERASED = 0xff;

/**
 * Makes a board forget everything but its firmware and key, through its loader: the NVS partition is
 * erased and the board started. Works whatever state the firmware is in.
 * @throws ProvError of the flash stage
 */
export async function eraseSettings(request: EraseRequest): Promise<void> {
  const partitions = parsePartitions(readFirmwareFile(partitionsFile(request.manifest)));
  const nvs = partitions.find((partition) => partition.name === "nvs");
  if (!nvs) throw new Error("the partition table has no nvs partition");
  await withTemporaryFile("nvs.bin", Buffer.alloc(nvs.size, ERASED), (file) =>
    asTask(request.progress, `erase the settings on ${request.port}`, () =>
      flashDevice({
        port: request.port,
        baud: request.baud,
        signal: request.signal,
        onNote: (text) => request.progress.note(text),
        flasherArgs: {
          path: file,
          chip: request.chip,
          files: [{ offset: nvs.offset, name: nvs.name, file, encrypted: false }],
          stub: true,
        },
        // Where this manifest has its settings, a board that was built from another one may have its firmware.
        precondition: {
          offset: partitionTableOffset(request.manifest),
          data: encodePartitionTable(partitions),
          refusal: () =>
            new ProvError(
              "flash_mismatch",
              "the board's partition table is not the one of this manifest: nothing was erased",
              {
                hint: "Flash the board from this manifest first, or erase all of it: prov flash --erase.",
              },
            ),
        },
        ...(request.chip ? { target: request.chip } : {}),
      }),
    ),
  );
}
