import type { ESPLoader } from "esptool-js/lib/esploader.js";
import { type Chip, loaderFacts } from "../../codegen/chips.js";
import { ProvError } from "../errors.js";
import type { FlasherArgs } from "./flasher-args.js";

const ESP32_EFUSE = loaderFacts("esp32").efuse;
const FLASH_CRYPT_COUNT = 0x7f << 20;
const ABS_DONE = 0x30;

/** What a chip's eFuses, which nothing can unburn, ask of whoever writes to its flash. */
export interface ChipProtection {
  readonly flashEncryption: boolean;
  readonly secureBoot: boolean;
  /** The loader takes a handful of commands only; reading, checking and the stub are not among them. */
  readonly secureDownload: boolean;
}

/** Reads eFuses; burns none. */
export function readProtection(loader: ESPLoader, chip: Chip): Promise<ChipProtection> {
  return chip === "esp32" ? readEsp32(loader) : readSecurityInfo(loader);
}

/**
 * Plain images on an encrypted flash, or unsigned ones under secure boot, make a board that never boots again.
 * @throws ProvError board_hardened
 */
export function refuseHardened(
  protection: ChipProtection,
  board: { chip: Chip; port: string; args?: FlasherArgs | undefined },
): void {
  const { flashEncryption, secureBoot, secureDownload } = protection;
  const found = [
    ...(flashEncryption ? ["flash encryption"] : []),
    ...(secureBoot ? ["secure boot"] : []),
    ...(secureDownload ? ["secure download mode"] : []),
  ];
  if (found.length === 0) return;
  throw new ProvError(
    "board_hardened",
    `this chip has ${found.join(" and ")} enabled: nothing was written`,
    { hint: wayIn(protection, board) },
  );
}

/** What Espressif documents for such a chip; the commands name the files of this build. */
function wayIn(
  { flashEncryption, secureDownload }: ChipProtection,
  { chip, port, args }: { chip: Chip; port: string; args?: FlasherArgs | undefined },
): string {
  if (flashEncryption && secureDownload)
    return "In release mode no firmware goes in over the serial port any more; this board keeps the one that it has.";
  const esptool = `python -m esptool --chip ${chip} -p ${port}`;
  if (!flashEncryption) {
    const app = args?.files.at(-1);
    const file = app ? `${hex(app.offset)} ${app.file}` : "0x20000 APPLICATION.bin";
    return `An application that is signed with the board's key can still be written by Espressif's esptool: ${esptool} --no-stub write_flash ${file}`;
  }
  const encrypted = args?.files.filter((file) => file.encrypted) ?? [];
  if (encrypted.length === 0)
    return 'A board in development mode takes builds with security.flashEncryption "development" through `idf.py encrypted-flash`, one in release mode none.';
  const files = encrypted.map(({ offset, file }) => `${hex(offset)} ${file}`).join(" ");
  return `A board in development mode takes this build, encrypted by the chip itself, through Espressif's esptool: ${esptool} write_flash --encrypt ${files}`;
}

async function readEsp32(loader: ESPLoader): Promise<ChipProtection> {
  const count = (await loader.readReg(ESP32_EFUSE)) & FLASH_CRYPT_COUNT;
  const done = (await loader.readReg(ESP32_EFUSE + 24)) & ABS_DONE;
  return { flashEncryption: isOdd(count), secureBoot: done !== 0, secureDownload: false };
}

async function readSecurityInfo(loader: ESPLoader): Promise<ChipProtection> {
  const { flashCryptCnt, parsedFlags } = await loader.getSecurityInfo();
  return {
    flashEncryption: isOdd(flashCryptCnt),
    secureBoot: parsedFlags.SECURE_BOOT_EN,
    secureDownload: parsedFlags.SECURE_DOWNLOAD_ENABLE,
  };
}

/** Each further bit of the counter turns encryption on and off again. */
function isOdd(bits: number): boolean {
  let parity = false;
  for (let rest = bits >>> 0; rest !== 0; rest &= rest - 1) parity = !parity;
  return parity;
}

function hex(offset: number): string {
  return `0x${offset.toString(16)}`;
}
