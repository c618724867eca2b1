import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { packHostImage } from "../../cli/lab/board/host-image.js";
import { type FlashChip, openFlashChip } from "../../cli/lab/loader/flash-chip.js";
import {
  createSerialFront,
  type SerialFront,
  type SerialFrontOptions,
} from "../../cli/lab/loader/serial-front.js";
import { type FlasherArgs, readFlasherArgs } from "../../cli/serial/flasher-args.js";
import type { LoaderChip } from "../../codegen/chips.js";

export interface VirtualSerial {
  readonly dir: string;
  readonly front: SerialFront;
  readonly flash: FlashChip;
  /** `rfc2217://…` */
  readonly port: string;
  readonly boots: ("app" | "download")[];
  close(): Promise<void>;
}

/** A board that is nothing but its serial side: where its firmware would boot, it prints two lines. */
export async function startVirtualSerial(
  options: Partial<Pick<SerialFrontOptions, "circuit" | "throttle" | "security">> & {
    chip?: LoaderChip;
    /** Starts in the loader, as with BOOT held. */
    download?: boolean;
    flashBytes?: number;
  } = {},
): Promise<VirtualSerial> {
  const { chip = "esp32c3", download = false, flashBytes = 4 * 1024 * 1024, ...rest } = options;
  const dir = mkdtempSync(path.join(tmpdir(), "prov-serial-"));
  const flash = openFlashChip(path.join(dir, "flash.bin"), flashBytes);
  const boots: ("app" | "download")[] = [];
  const front = createSerialFront({
    chip,
    mac: "7cdfa1001122",
    flash,
    ...rest,
    onBoot() {
      boots.push("app");
      setImmediate(() => {
        front.write("rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n");
        front.write("I (31) boot: ESP-IDF\r\nI (400) prov: AP_MODE\r\n");
      });
    },
    onDownload: () => boots.push("download"),
  });
  const rfc2217 = await front.openRfc2217();
  front.powerOn({ download });
  return {
    dir,
    front,
    flash,
    boots,
    port: `rfc2217://127.0.0.1:${rfc2217}`,
    async close() {
      await front.close();
      flash.close();
      rmSync(dir, { recursive: true });
    },
  };
}

/** A host image with an "ELF" of so many bytes; three quarters of them do not compress. */
export function makeImage(
  dir: string,
  { chip = "esp32c3", size = 200_000 }: { chip?: LoaderChip; size?: number } = {},
): FlasherArgs {
  const elf = path.join(dir, "firmware.elf");
  const noise = randomBytes(Math.floor(size * 0.75));
  writeFileSync(
    elf,
    Buffer.concat([
      Buffer.from("\x7fELF", "latin1"),
      noise,
      Buffer.alloc(size - noise.length - 4, 7),
    ]),
  );
  const { flasherArgs } = packHostImage({
    elf,
    chip,
    partitionTable: Buffer.alloc(0xc00, 0x11),
    appPartitionSize: 0x1f_0000,
    outDir: path.join(dir, "build"),
  });
  return readFlasherArgs(flasherArgs);
}

/** Whether the flash holds every file of the image. */
export function holdsImage(flash: FlashChip, args: FlasherArgs): boolean {
  return args.files.every(({ file, offset }) => {
    const bytes = readFileSync(file);
    return flash.read(offset, bytes.length).equals(bytes);
  });
}
